"""Arguments of actions: typed, and of the cluster that is served."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from aiops.errors import ToolFailed
from aiops.model.tool import ToolSpec
from aiops_tools.kubernetes.actions.asked import OnObject
from aiops_tools.kubernetes.writer import Writer

_Asked = TypeVar("_Asked", bound=OnObject)


def read(
    spec: ToolSpec, asks: type[_Asked], arguments: Mapping[str, Any], writer: Writer
) -> _Asked:
    """The arguments of ``spec``.

    Raises:
        ToolFailed: "invalid", the argument named but not its value; "not_found" for a cluster
            that this toolset does not serve.
    """
    try:
        asked = asks.model_validate(dict(arguments))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise ToolFailed("invalid", f"argument {place!r}: {reason}") from None
    if asked.cluster != writer.cluster:
        raise ToolFailed(
            "not_found",
            f"{spec.name} changes cluster {writer.cluster!r}, not {asked.cluster!r}; use the "
            "toolset of that cluster",
        )
    return asked
