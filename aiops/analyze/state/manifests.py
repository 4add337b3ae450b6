"""Manifests: YAML as people write it, read without what they wrote beside it.

Comments are cut off before anything is read: a note such as "wrong on purpose" is an answer, not
a state. Secrets are reduced to their names before they leave this module.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

MAX_CHARACTERS = 1_000_000
"""Characters of one manifest that are read; real ones have a few thousand."""
MAX_DOCUMENTS = 2000
"""Objects of one manifest that are read."""
MAX_ALIASES = 50
"""YAML aliases of one document; people use a few, and nested ones grow without bound."""
MAX_NESTED = 3
"""Lists within lists of objects that are taken apart."""
_STRUCTURED = re.compile(r"\s*(?:\{|\[\s*[{\]]|apiVersion:|kind:|items:|- apiVersion:)")
_ITEMS = re.compile(r'"items"\s*:\s*\[\s*')
_COMMA = re.compile(r"\s*,\s*")
_ALIAS = re.compile(r"(?:^|[\s\[,:-])\*[A-Za-z0-9_]")


def without_comments(text: str) -> str:
    """``text`` with every comment cut off; "#" inside quotes or words stays.

    Comments in block scalars (settings inside a config map) go too.
    """
    return "\n".join(_cut(line) for line in text.split("\n"))


def documents(text: str) -> tuple[list[dict[str, Any]], int]:
    """The objects of a manifest ("List"s taken apart), and how many parts could not be read."""
    found: list[dict[str, Any]] = []
    unread = int(len(text) > MAX_CHARACTERS)
    for part in _parts(without_comments(text[:MAX_CHARACTERS])):
        loaded, readable = _loaded(part)
        unread += not readable
        found += [_public(one) for one in _flat(loaded)]
        if len(found) >= MAX_DOCUMENTS:
            return found[:MAX_DOCUMENTS], unread + 1
    return found, unread


def is_structured(text: str) -> bool:
    """Whether an answer is JSON or YAML and no table or description."""
    return _STRUCTURED.match(text) is not None


def read_objects(text: str) -> tuple[list[dict[str, Any]], int]:
    """The objects of ``kubectl get -o json`` or ``-o yaml``, and how many parts are unreadable.

    Of JSON that is cut off, the items before the cut are read.
    """
    if not text.lstrip().startswith(("{", "[")):
        return documents(text)
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        found = [_public(one) for item in _whole_items(text) for one in _flat(item)]
        return found[:MAX_DOCUMENTS], 1
    items = loaded if isinstance(loaded, list) else [loaded]
    found = [_public(one) for item in items for one in _flat(item)]
    return found[:MAX_DOCUMENTS], int(len(found) > MAX_DOCUMENTS)


def _whole_items(text: str) -> Iterator[Any]:
    """The items of a list before its JSON breaks off."""
    start = _ITEMS.search(text)
    at = start.end() if start else len(text)
    decoder = json.JSONDecoder()
    while at < len(text):
        try:
            item, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        yield item
        comma = _COMMA.match(text, at)
        if comma is None:
            return
        at = comma.end()


def settings(text: str) -> Any:
    """A setting's value as data where it is YAML or JSON; None where it is not."""
    return _loaded(without_comments(text[:MAX_CHARACTERS]))[0]


def _loaded(text: str) -> tuple[Any, bool]:
    """The data in one YAML document, and whether it could be read."""
    import yaml

    if len(_ALIAS.findall(text)) > MAX_ALIASES:
        return None, False
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, Loader=loader), True  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError):
        return None, False


def _cut(line: str) -> str:
    if "#" not in line:
        return line
    quote = ""
    for i, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'" and (i == 0 or line[i - 1] in " [{,:("):
            quote = letter
        elif letter == "#" and (i == 0 or line[i - 1] in " \t"):
            return line[:i].rstrip()
    return line


def _parts(text: str) -> Iterator[str]:
    """One document at a time, so that a broken one does not hide the others."""
    lines: list[str] = []
    for line in text.split("\n"):
        if line.startswith("---"):
            yield "\n".join(lines)
            lines = []
        else:
            lines.append(line)
    yield "\n".join(lines)


def _flat(loaded: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    if not isinstance(loaded, dict) or depth > MAX_NESTED:
        return
    if isinstance(loaded.get("items"), list) and str(loaded.get("kind", "")).endswith("List"):
        for item in loaded["items"]:
            yield from _flat(item, depth + 1)
    elif isinstance(loaded.get("metadata"), dict) and loaded.get("kind"):
        yield loaded


def _public(one: dict[str, Any]) -> dict[str, Any]:
    if str(one.get("kind", "")).lower() != "secret":
        return one
    return {
        "kind": "Secret",
        "metadata": {k: one["metadata"].get(k) for k in ("name", "namespace")},
    }
