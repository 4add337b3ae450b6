"""What is wrong with a tool that another's server offers, before anybody accepts it.

Descriptions and schemas are read by models: orders in them, words that cannot be seen and names
that pass for other tools' are how tools are poisoned (arXiv 2506.13538).
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiops.model.canonical import canonical, parsed
from aiops.toolbelt.marks import marks
from aiops.toolbelt.mcp_pins import Pin

DESCRIPTION_MOST: Final = 2_000
SCHEMA_MOST: Final = 64_000
DEPTH_MOST: Final = 24
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SEEN: Final = ("\n", "\t")
_NESTED: Final = re.compile(r"[+*}][^()|]*\)[+*{]")
"""A repetition of a repetition: matching it may take for ever."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        place: a path into the definition: "description", "inputSchema/properties/x".
        fatal: nobody can accept it.
    """

    tool: str
    place: str
    what: str
    fatal: bool = False

    def __str__(self) -> str:
        return f"{self.tool}, {self.place}: {self.what}"


def linted(pins: Sequence[Pin], others: Sequence[str]) -> tuple[Finding, ...]:
    """All that is wrong with one server's tools.

    Args:
        others: full names of every other tool there is, whose place none may take.
    """
    found: list[Finding] = []
    faces = {_face(name): name for name in others}
    for pin in pins:
        definition = parsed(pin.definition)
        found += _name(pin.name, faces)
        faces[_face(pin.name)] = pin.name
        found += _shape(pin.name, definition)
        found += _schemas(pin.name, definition)
        for place, text in _texts(definition):
            found += [Finding(pin.name, place, each) for each in _text(text, others)]
    return tuple(found)


def _name(name: str, faces: Mapping[str, str]) -> Iterator[Finding]:
    if not _NAME.fullmatch(name):
        yield Finding(
            ascii(name), "name", "only letters, digits, '_', '-' and '.' of ASCII name a tool", True
        )
    if (other := faces.get(_face(name))) is not None:
        yield Finding(ascii(name), "name", f"passes for the tool {other!r}", True)


def _face(name: str) -> str:
    """What a name looks like at a glance: case, dashes and look-alikes aside."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return re.sub(r"[\W_]", "", plain.translate(_LOOK_ALIKES))


_LOOK_ALIKES: Final = str.maketrans("аеорсухіѕјԁɡһ0135|", "aeopcyxisjdgholesl")
"""Cyrillic and digits that are taken for Latin letters; the rest fails as a name already."""


def _shape(name: str, definition: Mapping[str, Any]) -> Iterator[Finding]:
    if len(str(definition.get("description", ""))) > DESCRIPTION_MOST:
        yield Finding(name, "description", f"longer than {DESCRIPTION_MOST} characters")
    for part in ("inputSchema", "outputSchema"):
        schema = definition.get(part)
        if schema is None:
            continue
        if _depth(schema) > DEPTH_MOST:
            yield Finding(name, part, f"deeper than {DEPTH_MOST} levels", True)
        elif len(canonical(schema)) > SCHEMA_MOST:
            yield Finding(name, part, f"larger than {SCHEMA_MOST} characters", True)


def _schemas(name: str, definition: Mapping[str, Any]) -> Iterator[Finding]:
    from jsonschema import Draft202012Validator

    for part in ("inputSchema", "outputSchema"):
        schema = definition.get(part)
        if schema is None or _depth(schema) > DEPTH_MOST:
            continue
        if not isinstance(schema, dict) or schema.get("type") != "object":
            yield Finding(name, part, "is not the schema of an object", True)
            continue
        # best_match sorts every error; the first will do, and its text may hold what was sent.
        wrong = next(
            Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema), None
        )
        if wrong is not None:
            place = "/".join(str(each) for each in wrong.absolute_path)
            yield Finding(name, f"{part}/{place}", "is no JSON schema", True)
        for place, key, value in _keywords(schema, part):
            if key in ("$ref", "$dynamicRef") and not str(value).startswith("#"):
                yield Finding(name, place, "refers to somewhere outside of the schema", True)
            elif key == "pattern" and not _matches_in_time(str(value)):
                yield Finding(name, place, "a pattern that may take for ever to match", True)


def _matches_in_time(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return len(pattern) <= 300 and not _NESTED.search(pattern)


def _text(text: str, others: Sequence[str]) -> Iterator[str]:
    hidden = sorted({f"U+{ord(each):04X}" for each in text if each not in _SEEN and _unseen(each)})
    if hidden:
        yield f"holds characters that cannot be seen: {', '.join(hidden[:5])}"
    for mark in marks(text):
        if mark.kind != "hidden":
            yield f"reads like an order ({mark.kind}): {ascii(mark.excerpt)[1:-1]}"
    for other in others:
        if re.search(rf"(?<![\w.]){re.escape(other)}(?![\w.])", text):
            yield f"speaks of another tool, {other!r}"


def _unseen(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")


def _texts(value: Any, place: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Every text that a model would read, keys included, with its place."""
    if isinstance(value, str):
        yield place, value
    elif depth > DEPTH_MOST:
        return
    elif isinstance(value, Mapping):
        for key, each in value.items():
            if not _NAME.fullmatch(key.lstrip("$_")):
                yield f"{place}/(a key)".lstrip("/"), key
            yield from _texts(each, f"{place}/{key}".lstrip("/"), depth + 1)
    elif isinstance(value, Sequence):
        for number, each in enumerate(value):
            yield from _texts(each, f"{place}/{number}", depth + 1)


def _keywords(value: Any, place: str) -> Iterator[tuple[str, str, Any]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield f"{place}/{key}", key, each
            yield from _keywords(each, f"{place}/{key}")
            if key == "patternProperties" and isinstance(each, Mapping):
                yield from ((f"{place}/{key}", "pattern", one) for one in each)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _keywords(each, f"{place}/{number}")


def _depth(value: Any) -> int:
    """How deep lists and objects lie in each other; stops counting once it is too deep."""
    levels, here = 0, [value]
    while here and levels <= DEPTH_MOST:
        levels += 1
        here = [
            inner
            for each in here
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
    return levels
