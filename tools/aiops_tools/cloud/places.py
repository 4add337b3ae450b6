"""Where questions and actions go: the place is always said, and only the one that is served."""

from typing import Annotated

from pydantic import Field, StringConstraints

from aiops.errors import ToolFailed
from aiops_tools.spec import Arguments

_NAME = StringConstraints(pattern=r"^[!-~]([ -~]{0,253}[!-~])?$")

PlaceName = Annotated[
    str,
    StringConstraints(pattern=r"^(aws|gcp):[A-Za-z0-9._:-]+/[a-z0-9-]+$", max_length=253),
    Field(
        description='provider, account or project, and region: "aws:123456789012/eu-west-1"',
        json_schema_extra={"format": "cluster"},
    ),
]
InstanceName = Annotated[
    str,
    _NAME,
    Field(description="a machine, by id or name", json_schema_extra={"format": "instance"}),
]
GroupName = Annotated[
    str,
    _NAME,
    Field(description="a scaling group, as it is listed", json_schema_extra={"format": "workload"}),
]


class InPlace(Arguments):
    """What every question and action takes."""

    cluster: PlaceName


def must_be(place: str, asked: InPlace) -> None:
    """Raises ToolFailed, "not_found", where another place is meant than ``place``."""
    if asked.cluster != place:
        raise ToolFailed(
            "not_found",
            f"this toolset serves {place!r}, not {asked.cluster!r}; use the toolset of that place",
        )
