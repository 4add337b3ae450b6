"""Answers as clients want them: whole objects, their metadata, or tables."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from starlette.responses import Response

from aiops_lab.kubernetes.conversion import to_version
from aiops_lab.kubernetes.kinds import Kind
from aiops_lab.kubernetes.printing import cells, table_columns
from aiops_lab.kubernetes.reading import Choice, Page
from aiops_lab.kubernetes.store import Object

Form = Literal["object", "table", "metadata"]


@dataclass(frozen=True, slots=True)
class Answer:
    """How a client wants to be answered: its Accept header and query, and the present time."""

    accept: str
    query: Mapping[str, str]
    now: datetime

    @property
    def form(self) -> Form:
        """The first form it accepts that is served."""
        for part in self.accept.replace(" ", "").split(","):
            if "as=Table" in part:
                return "table"
            if "as=PartialObjectMetadata" in part:
                return "metadata"
            if part.startswith("application/json") or part == "*/*":
                return "object"
        return "object"

    @property
    def table_version(self) -> str:
        """meta.k8s.io/v1, or v1beta1 where that is asked for first."""
        first = self.accept.partition("as=Table")[2]
        return "v1" if "v=v1;" in f"{first.split(',')[0]};" or not first else "v1beta1"


def table(kind: Kind, objects: Iterable[Object], how: Answer, metadata: Object) -> Object:
    """Kept objects as a Table; each row carries what `includeObject` asks for."""
    include = how.query.get("includeObject", "Metadata")
    rows = []
    for obj in objects:
        row: Object = {"cells": cells(kind, obj, how.now)}
        if include == "Metadata":
            row["object"] = partial(obj)
        elif include == "Object":
            row["object"] = to_version(obj, kind)
        rows.append(row)
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{how.table_version}",
        "metadata": metadata,
        "columnDefinitions": table_columns(kind),
        "rows": rows,
    }


def partial(obj: Object) -> Object:
    """An object's metadata alone."""
    named = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
    return {**named, "metadata": obj["metadata"]}


def shaped(kind: Kind, obj: Object, how: Answer) -> Object:
    """A kept object in the form asked for, and in its version."""
    match how.form:
        case "table":
            revision = obj["metadata"].get("resourceVersion", "")
            return table(kind, [obj], how, {"resourceVersion": revision})
        case "metadata":
            return partial(obj)
        case "object":
            return to_version(obj, kind)


def answer_object(
    kind: Kind, obj: Object, how: Answer, code: int = 200, warnings: tuple[str, ...] = ()
) -> Response:
    """One object."""
    body = json.dumps(shaped(kind, obj, how)).encode()
    response = Response(body, code, media_type="application/json")
    for warning in warnings:
        response.headers.append("Warning", f"299 - {json.dumps(warning)}")
    return response


def answer_list(chosen: Choice, page: Page, how: Answer) -> Response:
    """A list; objects that were encoded before are not encoded again."""
    metadata: dict[str, Any] = {"resourceVersion": str(page.revision)}
    if page.next:
        metadata |= {"continue": page.next, "remainingItemCount": page.remaining}
    kind = chosen.kind
    if how.form == "table":
        kept = (kept.object for kept in page.items)
        body = json.dumps(table(kind, kept, how, metadata)).encode()
    elif how.form == "metadata":
        named = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
        items = [partial(kept.object) for kept in page.items]
        body = json.dumps({**named, "metadata": metadata, "items": items}).encode()
    else:
        head = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata}
        start = json.dumps(head, separators=(",", ":")).encode()[:-1]
        body = start + b',"items":[' + b",".join(map(chosen.encode, page.items)) + b"]}"
    return Response(body, media_type="application/json")
