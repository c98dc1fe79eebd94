"""Services that are built of the discovery documents: requests, parameters, media, errors."""

from __future__ import annotations

import hashlib
import json


def _service(name: str, version: str) -> object:
    from googleapiclient.discovery import build
    from googleapiclient.http import HttpMockSequence

    return build(name, version, http=HttpMockSequence([]))


def _methods(resource: object) -> list[str]:
    return sorted(name for name in dir(resource) if not name.startswith("_"))


def _requests() -> list[object]:
    drive = _service("drive", "v3")
    files = drive.files()
    made = [
        files.list(pageSize=3, q="name contains 'a'", fields="files(id)"),
        files.create(body={"name": "a"}, supportsAllDrives=True),
        _service("sheets", "v4").spreadsheets().values().get(spreadsheetId="s", range="A1:B2"),
        _service("gmail", "v1").users().messages().list(userId="me", maxResults=5),
        _service("compute", "v1").instances().list(project="p", zone="z", orderBy="name"),
        _service("storage", "v1").objects().insert(bucket="b", body={"name": "o"}),
        _service("bigquery", "v2").jobs().insert(projectId="p", body={"configuration": {}}),
        _service("youtube", "v3").search().list(part="snippet", q="x", order="date"),
    ]
    return [[one.method, one.uri, one.body, one.methodId] for one in made]


def _errors() -> list[str]:
    found = []
    for arguments in ({}, {"userId": "me", "unknown": 1}, {"userId": "me", "maxResults": "many"}):
        try:
            _service("gmail", "v1").users().messages().list(**arguments)
        except (TypeError, ValueError) as fault:
            found.append(f"{type(fault).__name__}: {fault}")
    return found


def stable_services() -> object:
    """Requests of well-known services, their methods, and the errors of wrong arguments."""
    names = (("drive", "v3"), ("calendar", "v3"), ("compute", "v1"), ("translate", "v3"))
    return [_requests(), _errors(), [_methods(_service(*one)) for one in names]]


def services() -> object:
    """Every document as a digest: methods, parameters and types, and the methods of its client."""
    from pathlib import Path

    from googleapiclient import discovery_cache
    from googleapiclient.discovery import build_from_document
    from googleapiclient.http import HttpMockSequence

    found = {}
    for path in sorted((Path(discovery_cache.__file__).parent / "documents").glob("*.*.json")):
        name, _, version = path.stem.partition(".")
        document = json.loads(discovery_cache.get_static_doc(name, version))
        client = build_from_document(document, http=HttpMockSequence([]))
        facts = [*_facts(document), *sorted(document.get("schemas", {})), *_methods(client)]
        found[path.name] = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]
    return [stable_services(), found]


def _facts(resource: dict) -> object:
    for name, method in sorted(resource.get("methods", {}).items()):
        parameters = method.get("parameters", {})
        rows = [
            [key, one.get("type"), one.get("required"), one.get("enum"), one.get("pattern"), one["location"]]
            for key, one in sorted(parameters.items())
        ]
        response = _type(method.get("response", {}))
        yield [name, method["id"], method["path"], method["httpMethod"], rows, response]
    for name, inner in sorted(resource.get("resources", {}).items()):
        yield from ([name, fact] for fact in _facts(inner))


def _type(schema: dict) -> object:
    """A schema's type, without its texts."""
    inner = [_type(schema[key]) for key in ("items", "additionalProperties") if key in schema]
    fields = {name: _type(one) for name, one in sorted(schema.get("properties", {}).items())}
    return [schema.get("$ref"), schema.get("type"), schema.get("format"), inner, fields]
