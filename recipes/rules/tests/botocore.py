"""Clients without a network: models, requests, responses, paginators, waiters, endpoints."""

from __future__ import annotations

import hashlib
import io


def _session() -> object:
    import botocore.session

    session = botocore.session.Session()
    session.set_credentials("key", "secret")
    return session


def _shape(shape: object, seen: set[str]) -> list[object]:
    """A shape's type, constraints and members; each shape once."""
    if shape is None or shape.name in seen:
        return [getattr(shape, "name", None)]
    seen.add(shape.name)
    members = getattr(shape, "members", {}) or {}
    inner = [[name, _shape(one, seen)] for name, one in sorted(members.items())]
    facts = [
        shape.type_name,
        sorted(map(str, shape.metadata.items())),
        sorted(map(str, shape.serialization.items())),
    ]
    return [shape.name, *facts, inner]


def _service(session: object, name: str) -> str:
    """A digest of all operations of a service with their shapes, and of its endpoints."""
    model = session.get_service_model(name)
    seen: set[str] = set()
    rows = [
        [one, operation.http, _shape(operation.input_shape, seen), _shape(operation.output_shape, seen)]
        for one in model.operation_names
        for operation in [model.operation_model(one)]
    ]
    return hashlib.sha256(repr([model.metadata, rows]).encode()).hexdigest()[:12]


def _stubbed(session: object) -> object:
    from botocore.stub import Stubber

    client = session.create_client("s3", "eu-central-1")
    with Stubber(client) as stub:
        stub.add_response("list_objects_v2", {"Contents": [{"Key": "a", "Size": 3}], "IsTruncated": False})
        stub.add_response("get_object", {"ContentLength": 3, "ETag": "x"})
        pages = list(client.get_paginator("list_objects_v2").paginate(Bucket="b"))
        return [pages, client.get_object(Bucket="b", Key="a")["ContentLength"], client.waiter_names]


def _requests(session: object) -> object:
    """Serialized requests, presigned addresses and the errors of wrong parameters."""
    from botocore.exceptions import ParamValidationError

    found = []
    calls = {
        ("sqs", "send_message"): {"QueueUrl": "https://q", "MessageBody": "m"},
        ("dynamodb", "get_item"): {"TableName": "t", "Key": {"id": {"S": "1"}}},
        ("ec2", "describe_instances"): {"InstanceIds": ["i-1"]},
        ("sts", "assume_role"): {"RoleArn": "arn:aws:iam::1:role/x", "RoleSessionName": "s"},
        ("lambda", "invoke"): {"FunctionName": "f", "Payload": b"{}"},
        ("s3", "put_object"): {"Bucket": "b", "Key": "k", "Body": io.BytesIO(b"x")},
    }
    for (service, operation), arguments in calls.items():
        client = session.create_client(service, "eu-west-1")
        sent = []

        def keep(request: object, sent: list = sent, **_: object) -> object:
            from botocore.awsrequest import AWSResponse

            body = request.body.read() if hasattr(request.body, "read") else request.body
            sent.append([request.method, request.url, str(body)])
            return AWSResponse(request.url, 500, {}, None)

        client.meta.events.register("before-send", keep)
        try:
            getattr(client, operation)(**arguments)
        except Exception as fault:
            sent.append(type(fault).__name__)
        found.append(sent[0])
        try:
            getattr(client, operation)(Wrong=1)
        except ParamValidationError as fault:
            found.append(str(fault))
    return found


def clients() -> object:
    """All services by digest, six of them in use."""
    session = _session()
    names = sorted(session.get_available_services())
    chosen = sorted({*names[::8], "s3", "ec2", "dynamodb", "iam", "cloudformation", "cloudfront", "lambda"})
    regions = {name: session.get_available_regions(name)[:3] for name in names[::20]}
    pages = session.create_client("cloudfront", "us-east-1").meta.service_model.api_version
    digests = {name: _service(session, name) for name in chosen}
    return [names, digests, regions, _stubbed(session), _requests(session), pages]
