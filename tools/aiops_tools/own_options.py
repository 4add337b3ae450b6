"""Options of toolsets over what the service has itself."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aiops.errors import InvalidInput, UnknownName
from aiops.model.tool import Capability
from aiops.ports.ingestor import Ingestor

if TYPE_CHECKING:  # the service brings everything, which options have no use for
    from aiops.bootstrap.service import Service


class OwnOptions(BaseModel):
    """What ``[tools.<name>]`` takes for every toolset of this sort: nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SourceOptions(OwnOptions):
    """Which sources are asked."""

    sources: tuple[str, ...] | None = Field(
        default=None, description="by name; none given: all; []: only what is kept here is read"
    )


Options = TypeVar("Options", bound=OwnOptions)


def read(model: type[Options], name: str, given: Mapping[str, object]) -> Options:
    """The options of ``[tools.<name>]``.

    Raises:
        UnknownName: an option that does not exist.
        InvalidInput: the first option that is wrong, by its key.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(["tools", name, *(str(part) for part in first["loc"])])
        if first["type"] == "extra_forbidden":
            raise UnknownName("setting", key, tuple(model.model_fields)) from None
        raise InvalidInput(f"setting {key!r}: {first['msg']}") from None


def sources_of(
    chosen: SourceOptions, name: str, service: "Service"
) -> Sequence[tuple[str, Ingestor]]:
    """The sources that a toolset asks; raises UnknownName for one that is not configured."""
    there = dict(service.sources)
    if chosen.sources is None:
        return tuple(service.sources)
    for one in chosen.sources:
        if one not in there:
            raise UnknownName(f"source in tools.{name}.sources", one, tuple(there))
    return tuple((one, there[one]) for one in chosen.sources)


def needed_to_ask(sources: Sequence[object]) -> Capability:
    """What it takes to call a tool that asks these, beside what is kept here."""
    return "probe" if sources else "observer"
