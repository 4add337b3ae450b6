"""Big results: kept whole by their digest, told in short, read on page by page.

What is handed in is redacted already. The first line of a blob says whose it is, so that after a
restart, and in every process, it is opened for the run that it was kept for and for no other.
"""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiops.analyze.telling.shapes import shaped, tokens
from aiops.errors import NotKept, ToolFailed
from aiops.model.canonical import canonical
from aiops.model.canonical import digest as digest_of
from aiops.model.tool import ToolResult, ToolSpec
from aiops.ports.repositories import BlobStore
from aiops.ports.tools import Reading, ToolContext

TOOLSET: Final = "results"
"""Every server of ours offers it beside its own: what one kept, each can read on."""
LIMIT_TOKENS = 2_000
MAX_LINES = 200
_LINE_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class Told:
    """A result as a caller gets it.

    Attributes:
        text: at most as many tokens as allowed.
        blob: digest of the whole where ``text`` is a summary; None where it is the whole.
        tokens: of the whole.
    """

    text: str
    blob: str | None
    tokens: int


@dataclass(frozen=True, slots=True)
class Results:
    """Keeps what is too big to be told, and knows for which run.

    Args:
        limit_tokens: what a result may cost whoever reads it; a token is four bytes.
    """

    blobs: BlobStore
    limit_tokens: int = LIMIT_TOKENS

    def told(self, run: str, text: str) -> Told:
        """``text``, redacted, as it may be told to ``run``."""
        cost = tokens(text)
        if cost <= self.limit_tokens:
            return Told(text, None, cost)
        digest = self.blobs.put(_owned(run) + text.encode("utf-8", "surrogatepass"))
        return Told(shaped(text, self.limit_tokens), digest, cost)

    def whole(self, run: str, digest: str) -> str:
        """A result that was kept for this run.

        Raises:
            ToolFailed: it was not, whether or not there is such a blob.
        """
        kept = b""
        with contextlib.suppress(NotKept):
            kept = self.blobs.get(digest)
        if not kept.startswith(_owned(run)):
            raise ToolFailed(
                "not_found",
                f"no result {digest[:80]!r} of this run is kept; use a digest it was given",
            )
        return kept.removeprefix(_owned(run)).decode("utf-8", "surrogatepass")

    def tools(self) -> Sequence[Reading]:
        """The tools that read on in what was kept."""
        return (Page(self), Grep(self))


def _owned(run: str) -> bytes:
    """How a blob of ``run`` begins."""
    return f"aiops.result/1 {digest_of(run)}\n".encode()


_DIGEST = {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "of a result of this run"}
_LINES = {
    "type": "object",
    "additionalProperties": False,
    "required": ["lines", "total", "next"],
    "properties": {
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["number", "text"],
                "properties": {"number": {"type": "integer"}, "text": {"type": "string"}},
            },
        },
        "total": {"type": "integer", "description": "lines there are, or that match"},
        "next": {"type": ["integer", "null"], "description": "line to go on from"},
    },
}


def _spec(
    name: str, description: str, example: str, more: Mapping[str, object], *needs: str
) -> ToolSpec:
    arguments = {
        "type": "object",
        "additionalProperties": False,
        "required": ["digest", *needs],
        "properties": {
            "digest": _DIGEST,
            "start": {"type": "integer", "minimum": 1, "default": 1, "description": "first line"},
            "limit": {"type": "integer", "minimum": 1, "maximum": MAX_LINES, "default": 50},
            **more,
        },
    }
    return ToolSpec(
        name,
        description,
        canonical(arguments),
        canonical(_LINES),
        "read",
        "observer",
        examples=(example,),
    )


class Page:
    """Some lines of a kept result."""

    spec = _spec(
        f"{TOOLSET}.page",
        "Lines of a big result that was kept whole, from a given line on.",
        "Show the next lines of that result",
        {},
    )

    def __init__(self, results: Results) -> None:
        self._results = results

    async def read(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        lines = lines_of(self._results.whole(context.caller.run, arguments["digest"]))
        numbered = list(enumerate(lines, start=1))
        start = arguments.get("start", 1)
        return _answer(numbered[start - 1 :], arguments, len(lines), self._results.limit_tokens)


class Grep:
    """The lines of a kept result that hold a text."""

    spec = _spec(
        f"{TOOLSET}.grep",
        "Lines of a big result that was kept whole which hold a given text, with their numbers.",
        "Where in that result is the timeout?",
        {
            "text": {
                "type": "string",
                "minLength": 1,
                "maxLength": 500,
                "description": "looked for as it is, no pattern; case does not count",
            }
        },
        "text",
    )

    def __init__(self, results: Results) -> None:
        self._results = results

    async def read(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        lines = lines_of(self._results.whole(context.caller.run, arguments["digest"]))
        wanted = arguments["text"].casefold()
        matching = [(n, line) for n, line in enumerate(lines, start=1) if wanted in line.casefold()]
        start = arguments.get("start", 1)
        later = [one for one in matching if one[0] >= start]
        return _answer(later, arguments, len(matching), self._results.limit_tokens)


def lines_of(text: str) -> list[str]:
    """The lines of a result as they are numbered: JSON on one line is laid out, and what is still
    longer than a line may be goes on in the next.
    """
    if text[:1] in ("{", "[") and "\n" not in text.strip():
        with contextlib.suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    return [
        line[at : at + _LINE_CHARS]
        for line in text.split("\n")
        for at in range(0, max(len(line), 1), _LINE_CHARS)
    ]


def _answer(
    lines: list[tuple[int, str]], arguments: Mapping[str, Any], total: int, limit_tokens: int
) -> ToolResult:
    """As many lines as were asked for and fit: what is read on is not kept anew."""
    told: list[dict[str, object]] = []
    room = limit_tokens - tokens(canonical({"lines": [], "total": total, "next": total}))
    for number, text in lines[: arguments.get("limit", 50)]:
        line: dict[str, object] = {"number": number, "text": text}
        room -= tokens(canonical(line)) + 1
        if told and room < 0:
            break
        told.append(line)
    following = lines[len(told)][0] if len(lines) > len(told) else None
    summary = "\n".join(f"{one['number']}: {one['text']}" for one in told) or "no such line"
    content = {"lines": told, "total": total, "next": following}
    return ToolResult(canonical(content), summary, refs=(arguments["digest"],))
