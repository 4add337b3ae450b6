"""The OpenAPI documents of what is served: version 2 (JSON and protobuf) and version 3.

kubectl reads version 2 as protobuf only up to 1.26 (gnostic's OpenAPIv2.proto), version 3 as JSON.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from aiops_lab.kubernetes.kinds import Kind, Registry
from aiops_lab.kubernetes.schema.types import Field, Shape, Type, types

Json = dict[str, Any]
VERSION = {"title": "Kubernetes", "version": "v1.32.0"}
_NAME = re.compile(r"([A-Z][a-z]*)?(V\d+(?:(?:alpha|beta)\d+)?)(.+)$")


def definition_name(type_name: str) -> str:
    """ "V1PodSpec" as definitions name it: "io.k8s.api.v1.PodSpec"."""
    found = _NAME.match(type_name)
    if found is None:
        return f"io.k8s.api.{type_name}"
    group = f"{found[1].lower()}." if found[1] else ""
    return f"io.k8s.api.{group}{found[2].lower()}.{found[3]}"


def _shape(shape: Shape, prefix: str) -> Json:
    match shape.form:
        case "object":
            return {"$ref": prefix + definition_name(shape.type_name)}
        case "list":
            return {"type": "array", "items": _shape(shape.of or Shape("any"), prefix)}
        case "map":
            of = _shape(shape.of or Shape("any"), prefix)
            return {"type": "object", "additionalProperties": of}
        case "time":
            return {"type": "string", "format": "date-time"}
        case "bytes":
            return {"type": "string", "format": "byte"}
        case "integer":
            return {"type": "integer", "format": "int32"}
        case "quantity":
            return {"type": "string"}
        case "int_or_string":
            # Version 3 says it with oneOf; kubectl's validation of version 2 reads the format.
            return {"type": "string", "format": "int-or-string"}
        case "any":
            return {"type": "object"}
        case _:
            return {"type": shape.form}


def _field(field: Field, prefix: str) -> Json:
    shown = _shape(field.shape, prefix)
    if prefix.startswith("#/components") and "$ref" in shown:
        shown = {"allOf": [shown], "default": {}}
    shown["description"] = field.description
    if field.shape.keys:
        shown["x-kubernetes-list-map-keys"] = list(field.shape.keys)
        shown["x-kubernetes-list-type"] = "map"
        shown["x-kubernetes-patch-merge-key"] = field.shape.keys[0]
        strategy = "merge,retainKeys" if field.shape.retain_keys else "merge"
        shown["x-kubernetes-patch-strategy"] = strategy
    elif field.shape.is_set:
        shown["x-kubernetes-list-type"] = "set"
        shown["x-kubernetes-patch-strategy"] = "merge"
    elif field.shape.retain_keys:
        shown["x-kubernetes-patch-strategy"] = "retainKeys"
    return shown


def _definition(type_: Type, prefix: str, kinds: Iterable[Kind]) -> Json:
    shown: Json = {
        "description": type_.description,
        "type": "object",
        "properties": {name: _field(field, prefix) for name, field in type_.fields.items()},
    }
    required = [name for name, field in type_.fields.items() if field.required]
    if required:
        shown["required"] = required
    gvks = [_gvk(kind) for kind in kinds]
    if gvks:
        shown["x-kubernetes-group-version-kind"] = gvks
    return shown


def _gvk(kind: Kind) -> Json:
    return {"group": kind.group, "kind": kind.kind, "version": kind.version}


def _custom(kind: Kind, prefix: str) -> Json:
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    metadata = {"$ref": prefix + definition_name("V1ObjectMeta")}
    return {
        "type": "object",
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": metadata,
            "spec": anything,
            "status": anything,
        },
        "x-kubernetes-group-version-kind": [_gvk(kind)],
    }


def _custom_name(kind: Kind) -> str:
    return ".".join([*reversed(kind.group.split(".")), kind.version, kind.kind])


def _used(names: Iterable[str]) -> set[str]:
    """The types that these are made of, and they."""
    found: set[str] = set()
    waiting = [name for name in names if name]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for field in types()[name].fields.values():
            shape: Shape | None = field.shape
            while shape is not None:
                if shape.type_name:
                    waiting.append(shape.type_name)
                shape = shape.of
    return found


def _definitions(kinds: list[Kind], prefix: str) -> Json:
    names = _used([*(k.type_name for k in kinds), "V1ObjectMeta", "V1Status", "V1DeleteOptions"])
    by_type: dict[str, list[Kind]] = {}
    for kind in kinds:
        by_type.setdefault(kind.type_name, []).append(kind)
    result = {
        definition_name(name): _definition(types()[name], prefix, by_type.get(name, ()))
        for name in sorted(names)
    }
    for kind in kinds:
        if kind.custom:
            result[_custom_name(kind)] = _custom(kind, prefix)
    return result


def _paths(kinds: Iterable[Kind], *, three: bool) -> Json:
    """The paths, with the parameters by which kubectl learns what a server can do."""
    result: Json = {}
    for kind in kinds:
        if not (kind.type_name or kind.custom):
            continue
        root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
        middle = "/namespaces/{namespace}" if kind.namespaced else ""
        patch = _operation(kind, "patch", three=three)
        if "patch" in kind.verbs:
            result[f"{root}{middle}/{kind.plural}/{{name}}"] = {"patch": patch}
        post = _operation(kind, "post", three=three)
        result[f"{root}{middle}/{kind.plural}"] = {"post": post}
    return result


def _operation(kind: Kind, action: str, *, three: bool) -> Json:
    schema = {"type": "string", "uniqueItems": True}
    parameters = [
        {"name": name, "in": "query", **({"schema": schema} if three else schema)}
        for name in ("dryRun", "fieldManager", "fieldValidation")
    ]
    return {
        "operationId": f"{action}{kind.version}{kind.kind}",
        "parameters": parameters,
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": _gvk(kind),
    }


def version_two(registry: Registry) -> Json:
    """The swagger document of everything."""
    kinds = list(registry.all())
    return {
        "swagger": "2.0",
        "info": VERSION,
        "paths": _paths(kinds, three=False),
        "definitions": _definitions(kinds, "#/definitions/"),
    }


def version_three(registry: Registry, group: str, version: str) -> Json:
    """The OpenAPI 3 document of one group and version."""
    kinds = [k for k in registry.all() if (k.group, k.version) == (group, version)]
    schemas = _definitions(kinds, "#/components/schemas/")
    return {
        "openapi": "3.0.0",
        "info": VERSION,
        "paths": _paths(kinds, three=True),
        "components": {"schemas": schemas},
    }


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _put(number: int, content: bytes | str) -> bytes:
    """A length-delimited field of a protobuf message."""
    raw = content.encode() if isinstance(content, str) else content
    return _varint(number << 3 | 2) + _varint(len(raw)) + raw


def _named(name: str, value: bytes) -> bytes:
    return _put(1, name) + _put(2, value)


def _any(value: Any) -> bytes:
    """gnostic's Any, by its YAML; JSON is YAML."""
    return _put(2, json.dumps(value) + "\n")


def _extensions(source: Json, number: int) -> Iterator[bytes]:
    for name, value in source.items():
        if name.startswith("x-"):
            yield _put(number, _named(name, _any(value)))


def _schema_message(schema: Json) -> bytes:
    """gnostic's Schema: the numbers are those of OpenAPIv2.proto."""
    parts = []
    for number, name in ((1, "$ref"), (2, "format"), (4, "description")):
        if schema.get(name):
            parts.append(_put(number, schema[name]))
    parts += [_put(19, name) for name in schema.get("required", ())]
    if "additionalProperties" in schema:
        parts.append(_put(21, _put(1, _schema_message(schema["additionalProperties"]))))
    if "type" in schema:
        parts.append(_put(22, _put(1, schema["type"])))
    if "items" in schema:
        parts.append(_put(23, _put(1, _schema_message(schema["items"]))))
    if "properties" in schema:
        members = (_put(1, _named(n, _schema_message(s))) for n, s in schema["properties"].items())
        parts.append(_put(25, b"".join(members)))
    parts += _extensions(schema, 31)
    return b"".join(parts)


def _operation_message(operation: Json) -> bytes:
    parts = [_put(5, operation["operationId"])]
    for parameter in operation["parameters"]:
        # ParametersItem.parameter -> Parameter.non_body_parameter -> query_parameter_sub_schema
        query = _put(2, parameter["in"]) + _put(4, parameter["name"]) + _put(6, parameter["type"])
        parts.append(_put(8, _put(1, _put(2, _put(3, query)))))
    response = _put(1, _put(1, "OK"))
    parts.append(_put(9, _put(1, _named("200", response))))
    parts += _extensions(operation, 13)
    return b"".join(parts)


def as_protobuf(document: Json) -> bytes:
    """A version 2 document as gnostic's openapi.v2.Document."""
    info = _put(1, document["info"]["title"]) + _put(2, document["info"]["version"])
    methods = {"post": 4, "patch": 8}
    paths = b"".join(
        _put(
            2,
            _named(
                path,
                b"".join(_put(methods[m], _operation_message(op)) for m, op in item.items()),
            ),
        )
        for path, item in document["paths"].items()
    )
    definitions = b"".join(
        _put(1, _named(name, _schema_message(schema)))
        for name, schema in document["definitions"].items()
    )
    return _put(1, "2.0") + _put(2, info) + _put(8, paths) + _put(9, definitions)
