"""What would change, as a unified diff of what objects ask for."""

import difflib
from collections.abc import Iterator
from typing import Any

import yaml

from aiops.model.tool import Target
from aiops_tools.kubernetes.actions.secrecy import masked
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.kubernetes.state_hash import normalised


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML has no types
    """Texts of several lines as blocks, so that a diff shows the line that changes."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def unified(target: Target, before: Api, after: Api) -> str:
    """From the object before to the object after; what looks like a secret is hidden."""
    lines = difflib.unified_diff(
        _lines(masked(normalised(before))),
        _lines(masked(normalised(after))),
        f"{target} (now)",
        f"{target} (then)",
        lineterm="",
    )
    return "\n".join(lines)


def hides_a_change(before: Api, after: Api) -> bool:
    """Whether something changes that the diff does not show."""
    return _hidden(normalised(before)) != _hidden(normalised(after))


def _hidden(asked: Api) -> list[str]:
    return sorted(_differing(asked, masked(asked)))


def _differing(plain: Any, shown: Any) -> Iterator[str]:
    if isinstance(plain, dict):
        for one, other in zip(plain.values(), shown.values(), strict=True):
            yield from _differing(one, other)
    elif isinstance(plain, list):
        for one, other in zip(plain, shown, strict=True):
            yield from _differing(one, other)
    elif plain != shown:
        yield str(plain)


def _lines(asked: Api) -> list[str]:
    text: str = yaml.dump(asked, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=1000)
    return text.splitlines()
