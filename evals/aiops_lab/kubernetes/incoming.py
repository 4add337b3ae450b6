"""What clients send: decoded, of the right kind and place, in the version that is kept."""

from typing import Any, Literal

from aiops_lab.kubernetes import problems
from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.conversion import from_version
from aiops_lab.kubernetes.kinds import Kind
from aiops_lab.kubernetes.problems import required
from aiops_lab.kubernetes.schema.decode import decode
from aiops_lab.kubernetes.schema.types import shape_of
from aiops_lab.kubernetes.store import Object

Unknown = Literal["Ignore", "Warn", "Strict"]
"""What to do with fields that the type does not have."""


def read_object(
    cluster: Cluster, kind: Kind, namespace: str, body: Any, unknown_fields: Unknown
) -> tuple[Object, tuple[str, ...]]:
    """A body as the object to keep, in the stored version, and what to warn of.

    Raises:
        Refused: 400 for what is no object of the kind, 422 for what lacks something.
    """
    if not isinstance(body, dict):
        raise problems.bad_request("the body of the request is no object")
    given = (body.get("apiVersion", kind.api_version), body.get("kind", kind.kind))
    stored = cluster.registry.stored(kind.resource)
    if given not in ((kind.api_version, kind.kind), (stored.api_version, stored.kind)):
        raise problems.bad_request(
            f"the API version in the data ({given[0]}, Kind={given[1]}) does not match "
            f"the expected API version ({kind.api_version}, Kind={kind.kind})"
        )
    sent = kind if given[0] == kind.api_version else stored
    body = {"metadata": {}, **body, "apiVersion": given[0], "kind": given[1]}
    obj, findings = decode(body, shape_of(sent.type_name))
    if sent.type_name == "":
        obj["metadata"], more = decode(obj["metadata"], shape_of("V1ObjectMeta"), "metadata")
        findings.unknown += more.unknown
        findings.wrong += more.wrong
    metadata = obj["metadata"]
    if findings.wrong:
        listed = ", ".join(f"{path}: {what}" for path, what in findings.wrong)
        title = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}'
        raise problems.bad_request(f"{title}: {listed}")
    unknown = tuple(f'unknown field "{path}"' for path in findings.unknown)
    if unknown and unknown_fields == "Strict":
        message = f"strict decoding error: {', '.join(unknown)}"
        title = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}'
        raise problems.bad_request(f"{title}: {message}")
    if metadata.get("namespace", namespace) != namespace and kind.namespaced:
        raise problems.bad_request(
            f"the namespace of the provided object ({metadata['namespace']}) does not match "
            f"the namespace sent on the request ({namespace})"
        )
    if kind.namespaced:
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)
    missing = [path for path in findings.missing if not path.startswith("status")]
    if missing:
        name = metadata.get("name", "")
        raise problems.invalid(kind, name, tuple(required(path) for path in missing))
    if kind.resource == "secrets":
        _encode_string_data(obj)
    return from_version(obj, sent), unknown if unknown_fields == "Warn" else ()


def _encode_string_data(obj: Object) -> None:
    import base64

    for key, text in (obj.pop("stringData", None) or {}).items():
        obj.setdefault("data", {})[key] = base64.b64encode(text.encode()).decode()
