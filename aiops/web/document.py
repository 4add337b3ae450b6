"""The OpenAPI document, without what an address cannot say."""

from typing import Any

from fastapi import FastAPI


def documented(app: FastAPI) -> None:
    """Let ``app`` describe its parameters as what they are: left out, but never null."""
    written = app.openapi

    def openapi() -> dict[str, Any]:
        document = written()
        for operations in document["paths"].values():
            for operation in operations.values():
                for parameter in operation.get("parameters", ()):
                    parameter["schema"] = _never_null(parameter["schema"])
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    others = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(others) != 1:
        return schema
    plain = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    return {**others[0], **plain}
