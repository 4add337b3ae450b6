"""The policy: a file of rules that say which calls are allowed, asked for, or denied."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic import model_validator as validated

from aiops.errors import InvalidInput
from aiops.model.tool import Effect, Risk, ToolSpec
from aiops.toolbelt.places import EVERY, Place, plain_kind
from aiops.toolbelt.refusals import Refused

Verdict = Literal["allow", "approve", "deny"]
_STRICTER: Final[tuple[Verdict, ...]] = ("allow", "approve", "deny")
_Pattern = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9*?_./:-]+$", min_length=1, max_length=253)
]
"""As of a shell: * and ?; case is not looked at."""
_Patterns = Annotated[tuple[_Pattern, ...], Field(min_length=1)]


class Rule(BaseModel):
    """One rule. What it does not name it takes any of.

    Attributes:
        says: what it is for, in the refusal and the audit log.
        tools, clusters, namespaces, kinds: patterns.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    says: str = Field(min_length=1, max_length=200)
    verdict: Verdict
    effect: Effect | None = None
    risks: tuple[Risk, ...] | None = Field(default=None, min_length=1)
    tools: _Patterns | None = None
    clusters: _Patterns | None = None
    namespaces: _Patterns | None = None
    kinds: _Patterns | None = None

    @validated(mode="after")
    def _writes_are_asked_for(self) -> Self:
        if self.verdict == "allow" and self.effect != "read":
            raise ValueError(
                'verdict "allow" is for reads only: say effect = "read", or verdict = "approve"'
            )
        return self

    def takes(self, spec: ToolSpec, place: Place) -> bool:
        """Whether it says something about a call there.

        What a call leaves open is every place: it is in one that is denied, and not known to be
        in one that is allowed.
        """
        wide = self.verdict == "deny"
        return (
            self.effect in (None, spec.effect)
            and (self.risks is None or spec.risk in self.risks)
            and _matches(self.tools, spec.name, wide)
            and _matches(self.clusters, place.cluster, wide)
            and _matches(self.namespaces, place.namespace, wide)
            and (self.kinds is None or _matches(_kinds(self.kinds), place.kind, wide))
        )


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[Rule, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules in order: the first that takes a call decides; one that none takes is denied."""

    rules: Sequence[Rule]
    source: str = field(default="the policy")

    def decide(self, spec: ToolSpec, places: Iterable[Place]) -> Verdict:
        """What holds in the strictest of ``places``.

        Raises:
            Refused: "policy": denied, by the rule named or by none.
        """
        verdicts = [self._at(spec, place) for place in places]
        if not verdicts:
            raise Refused("policy", f"{spec.name} says of no place where it goes; it is denied")
        return max(verdicts, key=_STRICTER.index)

    def _at(self, spec: ToolSpec, place: Place) -> Verdict:
        rule = next((one for one in self.rules if one.takes(spec, place)), None)
        where = f" at {place}" if str(place) else ""
        if rule is None:
            raise Refused("policy", f"{spec.name}{where}: no rule of {self.source} knows it")
        if rule.verdict == "deny":
            raise Refused("policy", f'{spec.name}{where} is denied by {self.source}: "{rule.says}"')
        return rule.verdict


def load_policy(path: Path | None) -> Policy:
    """The policy in the TOML file ``path``; the one that is shipped where there is none.

    Raises:
        InvalidInput: the file cannot be used; the first key that is wrong is named.
    """
    name = "the shipped policy" if path is None else str(path)
    shipped = files("aiops.toolbelt") / "policy.toml"
    try:
        text = (shipped if path is None else path).read_text(encoding="utf-8")
        return Policy(_File.model_validate(tomllib.loads(text)).rules, name)
    except OSError as error:
        raise InvalidInput(
            f"setting 'gateway.policy': {name} cannot be read: {error.strerror}"
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(
            f"{name}: {key}: {first['msg'].removeprefix('Value error, ')}"
        ) from error
    except ValueError as error:
        raise InvalidInput(f"{name}: no TOML in UTF-8: {error}") from error


def _matches(patterns: Sequence[str] | None, value: str | None, wide: bool) -> bool:
    if patterns is None:
        return True
    if value is None:
        return False
    if value == EVERY:
        return wide or EVERY in patterns
    return any(fnmatchcase(value.casefold(), pattern.casefold()) for pattern in patterns)


def _kinds(patterns: Sequence[str]) -> tuple[str, ...]:
    return tuple(plain_kind(pattern) for pattern in patterns)
