"""From typed arguments and results to the ``ToolSpec`` that everybody else sees."""

from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from aiops.model.canonical import canonical
from aiops.model.tool import Capability, Effect, Risk, ToolResult, ToolSpec, Unread


class Arguments(BaseModel):
    """What a tool takes; a field that it does not know is an error, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Result(BaseModel):
    """What a tool answers."""

    model_config = ConfigDict(frozen=True)


def reading(
    name: str,
    description: str,
    arguments: type[Arguments],
    result: type[Result],
    *,
    capability: Capability = "probe",
    timeout_s: float = 30.0,
    examples: tuple[str, ...] = (),
) -> ToolSpec:
    """The spec of a tool that reads."""
    return _spec(
        name,
        description,
        arguments,
        result,
        "read",
        capability,
        timeout_s=timeout_s,
        examples=examples,
    )


def writing(
    name: str,
    description: str,
    arguments: type[Arguments],
    result: type[Result],
    *,
    risk: Risk,
    idempotent: bool = True,
    reversible: bool = True,
    timeout_s: float = 60.0,
    examples: tuple[str, ...] = (),
) -> ToolSpec:
    """The spec of a tool that changes something; only executors may call it."""
    return _spec(
        name,
        description,
        arguments,
        result,
        "write",
        "executor",
        risk=risk,
        idempotent=idempotent,
        reversible=reversible,
        timeout_s=timeout_s,
        examples=examples,
    )


def answered(
    result: Result,
    summary: str,
    *,
    unread: tuple[Unread, ...] = (),
    refs: tuple[str, ...] = (),
) -> ToolResult:
    """The answer of a tool."""
    return ToolResult(canonical(result.model_dump(mode="json")), summary, unread, refs)


def _spec(
    name: str,
    description: str,
    arguments: type[Arguments],
    result: type[Result],
    effect: Effect,
    capability: Capability,
    **more: Any,
) -> ToolSpec:
    return ToolSpec(
        name=name,
        description=description,
        arguments=_schema(arguments, "validation"),
        result=_schema(result, "serialization"),
        effect=effect,
        capability=capability,
        **more,
    )


@cache  # of classes of ours; a belt, made for each answer of a chat, asks for all of them
def _schema(shape: type[BaseModel], mode: Literal["validation", "serialization"]) -> str:
    return canonical(shape.model_json_schema(mode=mode))
