"""Kubernetes Secrets inside text: manifests in YAML or JSON, listings, annotations, logged objects.

The values of every object of kind Secret go, whatever they look like; its names and keys stay, for
a missing key is a cause. Blocks are followed by their indentation, so that half a manifest, cut off
or quoted in a log, is understood as well as a whole one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aiops.toolbelt.secret_forms import Span

_ANY = re.compile(rb"kind[\"'\\]{0,16}[ \t]{0,8}:[ \t]{0,8}[\"'\\]{0,16}Secret(?:List)?\b")
_LINE = re.compile(
    rb"(?P<indent>[ \t]*)(?P<dashes>(?:- +)*)(?P<quote>[\"']?)(?P<key>[\w./-]+)(?P=quote)"
    rb"[ \t]*:(?:[ \t]+(?P<value>[^\r\n]*)|[ \t]*\r?(?=\n|\Z))"
)
_FIELDS = frozenset({b"data", b"stringData", b"binaryData"})
_KIND = re.compile(rb"[\"']?Secret[\"']?,?[ \t\r]*\Z")
_LIST_KIND = re.compile(rb"[\"']?SecretList[\"']?,?[ \t\r]*\Z")
_ENTRY = re.compile(
    rb"[ \t]*(?:[\"'](?:[^\"'\\\n]|\\.)*[\"']|[^\s:\"'][^:\n]*)[ \t]*:[ \t]*(?P<value>[^\r\n]*)"
)
# data:{...} on one line, at any level of escaping.
_INLINE = re.compile(
    rb"(?P<quote>\\{0,16}[\"']?)(?:data|stringData|binaryData)(?P=quote)[ \t]{0,8}:[ \t]{0,8}\{"
)
_INLINE_VALUE = re.compile(
    rb":[ \t]{0,8}(?:(?P<quote>\\{0,16}[\"'])(?P<quoted>(?:(?!(?<!\\)(?P=quote))[^\n])*)"
    rb"|(?P<bare>[^\s,{}\"'\\][^,}\n]*))"
)


@dataclass(slots=True)
class _Block:
    column: int
    secret: bool = False


@dataclass(frozen=True, slots=True)
class _Values:
    """The lines under a ``data:`` of some block."""

    block: _Block
    column: int
    start: int
    inline: Span | None


def secret_values(raw: bytes) -> Iterator[Span]:
    """Where values of Kubernetes Secrets stand."""
    if not _ANY.search(raw):
        return
    values = _followed(raw)
    for one in values:
        if one.block.secret:
            yield from _under(raw, one)
    yield from _inline(raw)


def _followed(raw: bytes) -> list[_Values]:
    """Every ``data:`` with the block that it belongs to; a block learns its kind anywhere in it."""
    stack: list[_Block] = []
    values: list[_Values] = []
    all_secret = any(
        (match := _LINE.match(line)) and match["key"] == b"kind" and match["value"] is not None
        and _LIST_KIND.match(match["value"])
        for line in raw.splitlines() if b"SecretList" in line
    )  # fmt: skip
    end = 0
    while end < len(raw):
        start, end = end, raw.find(b"\n", end) + 1 or len(raw)
        if raw.startswith(b"---", start):
            stack.clear()
        found = _LINE.match(raw, start, end)
        text = raw[start:end].strip()
        if text == b"{" or text == b"}," or text == b"},{":  # the next object of a JSON list
            inside = len(raw[start:end]) - len(raw[start:end].lstrip(b" \t"))
            while stack and stack[-1].column > inside:
                stack.pop()
        if found is None:
            continue
        outer = len(found["indent"])
        column = outer + len(found["dashes"])
        floor = outer if found["dashes"] else column
        while stack and (
            stack[-1].column > floor or (found["dashes"] and stack[-1].column >= column)
        ):
            stack.pop()
        if not stack or stack[-1].column < column:
            stack.append(_Block(column, all_secret))
        block = stack[-1]
        value = found["value"] or b""
        if found["key"] == b"kind" and _KIND.match(value):
            block.secret = True
        elif found["key"] in _FIELDS:
            at = found.span("value") if value.strip(b" \t\r{") else None
            values.append(_Values(block, column, end, at))
    return values


def _under(raw: bytes, values: _Values) -> Iterator[Span]:
    if values.inline is not None:
        yield values.inline
    end = values.start
    deepest: int | None = None
    while end < len(raw):
        start, end = end, raw.find(b"\n", end) + 1 or len(raw)
        line = raw[start:end]
        text = line.strip()
        column = len(line) - len(line.lstrip(b" \t"))
        if text and column <= values.column:
            return
        if not text or text in (b"{", b"}", b"},"):
            continue
        deepest = column if deepest is None else deepest
        entry = _ENTRY.match(raw, start, end) if column == deepest else None
        at, to = entry.span("value") if entry else (start + column, start + len(line.rstrip()))
        to = at + len(raw[at:to].rstrip(b" \t\r,"))
        if (
            raw[at : at + 1] in (b'"', b"'")
            and raw[to - 1 : to] == raw[at : at + 1]
            and to - at > 1
        ):
            at, to = at + 1, to - 1
        if raw[at:to] not in (b"", b"{}", b"|", b"|-", b">", b">-", b"null"):
            yield at, to


def _inline(raw: bytes) -> Iterator[Span]:
    """Objects on one line; a line whose braces cannot be followed is hidden to its end."""
    for kind in {raw.rfind(b"\n", 0, match.start()) + 1 for match in _ANY.finditer(raw)}:
        stop = raw.find(b"\n", kind)
        stop = len(raw) if stop < 0 else stop
        for field in _INLINE.finditer(raw, kind, stop):
            close = raw.find(b"}", field.end(), stop)
            nested = raw.find(b"{", field.end(), stop)
            if close < 0 or 0 <= nested < close:
                yield field.end(), stop
                break
            for value in _INLINE_VALUE.finditer(raw, field.end() - 1, close):
                group = "quoted" if value["bare"] is None else "bare"
                if value[group].strip():
                    yield value.span(group)
