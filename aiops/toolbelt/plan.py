"""Several writes as one: looked at as a whole, approved by one hash, carried out in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from aiops.model.canonical import canonical, digest
from aiops.model.tool import RISKS, BlastRadius, Part, Preview, Risk, ToolSpec
from aiops.toolbelt.refusals import Refused

NAME: Final = "plan.carry_out"
MOST: Final = 50
_STEP: Final = {
    "type": "object",
    "properties": {"tool": {"type": "string"}, "arguments": {"type": "object"}},
    "required": ["tool", "arguments"],
    "additionalProperties": False,
}
_ENDED: Final = {
    "type": "object",
    "properties": {
        "tool": {"type": "string"},
        "status": {"type": "string"},
        "seen": {"type": "string"},
    },
    "required": ["tool", "status", "seen"],
}


_SPEC: Final = ToolSpec(
    name=NAME,
    description="Several changes, in order, under one approval: all are checked by dry run "
    "before the first; at the first that fails, those before it are taken back.",
    arguments=canonical(
        {
            "type": "object",
            "properties": {
                "steps": {"type": "array", "minItems": 1, "maxItems": MOST, "items": _STEP}
            },
            "required": ["steps"],
            "additionalProperties": False,
        }
    ),
    result=canonical(
        {
            "type": "object",
            "properties": {"steps": {"type": "array", "items": _ENDED}},
            "required": ["steps"],
        }
    ),
    effect="write",
    capability="executor",
    risk="medium",
    examples=("scale two workloads, then restart a third",),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """The tool that stands for the writes it is given; the gateway takes it apart."""

    spec: ToolSpec = field(default_factory=lambda: _SPEC)


def together(previews: Sequence[Preview]) -> Preview:
    """What they would do, as one.

    Raises:
        Refused: "plan": two of them change the same object, so that the second could not be
            looked at before the first is carried out.
    """
    if len(previews) == 1:
        return previews[0]
    targets = [target for preview in previews for target in preview.targets]
    twice = next((one for one in targets if targets.count(one) > 1), None)
    if twice is not None:
        raise Refused(
            "plan", f"two steps change {twice}: make it one step, or two plans after each other"
        )
    lasting = [number for number, one in enumerate(previews, start=1) if one.undo is None]
    last = (
        (f"what steps {', '.join(map(str, lasting))} do cannot be taken back",) if lasting else ()
    )
    return Preview(
        summary="\n".join(f"{number}. {one.summary}" for number, one in enumerate(previews, 1)),
        targets=tuple(targets),
        diff="\n".join(preview.diff for preview in previews),
        state=digest([preview.state for preview in previews]),
        radius=BlastRadius(
            objects=sum(preview.radius.objects for preview in previews),
            interrupted=sum(preview.radius.interrupted for preview in previews),
            serving=sum(preview.radius.serving for preview in previews),
        ),
        warnings=last + tuple(warning for preview in previews for warning in preview.warnings),
        parts=tuple(Part(preview.targets, preview.state) for preview in previews),
    )


def steps_of(arguments: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The tool and the arguments, canonical, of every step of a plan."""
    return tuple((step["tool"], canonical(step["arguments"])) for step in arguments["steps"])


def apart(whole: Preview) -> tuple[Preview, ...]:
    """What each step is verified by, of all that ``together`` made one."""
    parts = whole.parts or (Part(whole.targets, whole.state),)
    return tuple(
        replace(whole, targets=part.targets, state=part.state, undo=None, parts=())
        for part in parts
    )


def riskiest(risks: Sequence[Risk]) -> Risk:
    """The highest of ``risks``."""
    return max(risks, key=RISKS.index)
