"""Pieces that the bodies of several resources share."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from aiops.model.entity import EntityKind


class Given(BaseModel):
    """What a request may say; a name that is not known, or 1 for true, is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Told(BaseModel):
    """What an answer says, read from the domain's own objects."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


def _keepable(text: str) -> str:
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("holds a character that cannot be kept (NUL or half a surrogate pair)")
    return text


def _within_reason(at: datetime) -> datetime:
    if not 2000 <= at.year < 2200:
        raise ValueError("give a time between the years 2000 and 2200")
    return at.astimezone(UTC)


Text = Annotated[str, AfterValidator(_keepable)]
Moment = Annotated[AwareDatetime, Field(strict=False), AfterValidator(_within_reason)]
"""A time with its zone."""
Id = Annotated[
    str, Path(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9._:/-]+$", description="Its id.")
]
Limit = Annotated[int, Query(ge=1, le=200, description="At most so many.")]
Labels = Annotated[dict[str, str], BeforeValidator(lambda pairs: dict(pairs))]


class EntityBody(Told):
    """Something that can fail."""

    kind: EntityKind
    name: Text = Field(min_length=1, max_length=500)
    namespace: Text | None = Field(default=None, max_length=500)
    cluster: Text | None = Field(default=None, max_length=500)
    service: Text | None = Field(default=None, max_length=500)


def faces(*types: str) -> dict[int | str, dict[str, Any]]:
    """What a route answers that has several faces of one thing."""
    return {200: {"content": {kind: {} for kind in types}}}
