"""Requests of the client without a network."""

from __future__ import annotations


def client() -> object:
    """Requests that the client sends, operations and models."""
    from azure.core.credentials import AccessToken
    from azure.core.pipeline.transport import RequestsTransport
    from azure.mgmt import compute
    from azure.mgmt.compute import models

    sent = []

    class Credential:
        def get_token(self, *scopes: str, **_: object) -> AccessToken:
            return AccessToken("t", 2**40)

    class Transport(RequestsTransport):
        def send(self, request: object, **_: object) -> object:
            sent.append([request.method, request.url, str(getattr(request, "content", None))])
            raise OSError("no network")

    made = compute.ComputeManagementClient(
        Credential(), "00000000-0000-0000-0000-000000000000", transport=Transport(), retry_total=0
    )
    machine = models.VirtualMachine(location="here", tags={"a": "b"})
    for call in (
        lambda: made.virtual_machines.get("group", "one"),
        lambda: list(made.disks.list()),
        lambda: made.virtual_machines.begin_create_or_update("group", "one", machine),
    ):
        try:
            call()
        except OSError as fault:
            sent.append(str(fault))
    operations = sorted(name for name in vars(made) if not name.startswith("_"))
    return [sent, operations, sorted(name for name in dir(models) if not name.startswith("_"))]
