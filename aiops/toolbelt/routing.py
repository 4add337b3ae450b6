"""Which of many tools answer a question: few tools shown are chosen from better than all.

BM25 (Robertson and Zaragoza 2009) over what a tool says of itself, the same over what its server
says with all its tools, and both joined as (s * t) * max(s, t), after LiveMCPBench
(arXiv 2508.01780): a good tool of a fitting server before a good tool of any. Words are stemmed,
a small thesaurus of operations brings people's words to those of the trade, and parts of words
help where nothing else is shared. Where too little fits, the best server's tools are shown; where
nothing does, all.
"""

import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal

from aiops.model.tool import ToolSpec

Reach = Literal["tools", "cluster", "all"]
K1, B = 1.2, 0.75
"""BM25's own defaults."""
KIN = 0.5
"""What a word of the thesaurus counts for, beside the word that was said."""
PIECE = 0.15
"""What a shared part of a word counts for, beside a whole one."""
NAME = 2
"""How often a tool's name counts, beside its description and examples."""
LITTLE = 0.2
"""Share of the question's weight that the best tool has to meet, to be shown without its kin."""

_WORD = re.compile(r"[a-z]+|[0-9]+[a-z0-9]*")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_STOP = frozenset(
    re.findall(
        r"\w+",
        """a about an and any are as at be been but by can did do does for from get give has
        have how i if in is it its let me my no not of on or our so that the their them there they
        this to us was we were what when where which who why will with would you""",
    )
)


@dataclass(frozen=True, slots=True)
class Routed:
    """The tools for a question.

    Attributes:
        tools: best first.
        reach: whether they fit by themselves, are the best fitting server's, or simply all.
    """

    tools: tuple[ToolSpec, ...]
    reach: Reach


@dataclass(frozen=True, slots=True)
class _Index:
    """Documents as bags of terms, with what BM25 needs of them."""

    bags: tuple[Counter[str], ...]
    weights: dict[str, float] = field(default_factory=dict)
    lengths: tuple[float, ...] = ()

    @classmethod
    def of(cls, texts: Iterable[Sequence[str]]) -> "_Index":
        bags = tuple(Counter(terms) for terms in texts)
        seen = Counter(term for bag in bags for term in bag)
        n = len(bags)
        weights = {t: math.log(1 + (n - df + 0.5) / (df + 0.5)) for t, df in seen.items()}
        lengths = [sum(bag.values()) for bag in bags]
        mean = sum(lengths) / n if n else 1.0
        return cls(bags, weights, tuple(1 - B + B * length / (mean or 1.0) for length in lengths))

    def scores(self, asked: dict[str, float]) -> list[float]:
        """BM25 of each document for weighted terms."""
        totals = []
        for bag, length in zip(self.bags, self.lengths, strict=True):
            total = 0.0
            for term, weight in asked.items():
                if count := bag.get(term, 0):
                    total += weight * self.weights[term] * count * (K1 + 1) / (count + K1 * length)
            totals.append(total)
        return totals


class Router:
    """Finds tools by what they say of themselves; built once for a list of tools.

    Args:
        tools: with unique names.
        thesaurus: whether words of the same meaning count; off to measure what they bring.
    """

    def __init__(self, tools: Sequence[ToolSpec], *, thesaurus: bool = True) -> None:
        self._tools = tuple(tools)
        self._kin = _kin() if thesaurus else {}
        servers = sorted({tool.toolset for tool in tools})
        said = [terms_of(_text(tool)) for tool in tools]
        self._server_of = [servers.index(tool.toolset) for tool in tools]
        of_server: list[list[str]] = [[] for _ in servers]
        for server, terms in zip(self._server_of, said, strict=True):
            of_server[server] += sorted(set(terms))
        self._words = _Index.of(said)
        self._servers = _Index.of(of_server)
        self._pieces = _Index.of([_pieces(terms) for terms in said])

    def find(self, question: str, *, limit: int = 5) -> Routed:
        """At most ``limit`` tools for the question where some fit; more where they only may.

        Of tools that fit equally well, the first by name comes first.
        """
        said = terms_of(question)
        asked = self._asked(said)
        words = self._words.scores(asked)
        pieces = self._pieces.scores(dict.fromkeys(_pieces(said), PIECE))
        of_tool = _scaled([w + p for w, p in zip(words, pieces, strict=True)])
        of_server = _scaled(self._servers.scores(asked))
        if not any(of_tool):
            return Routed(self._tools, "all")
        joined = []
        for i, t in enumerate(of_tool):
            s = 0.5 + 0.5 * of_server[self._server_of[i]]
            joined.append((-(s * t) * max(s, t), self._tools[i].name, i))
        order = [i for _, _, i in sorted(joined)]
        best = order[0]
        if words[best] < LITTLE * self._most(asked):
            kin = [i for i in order if self._server_of[i] == self._server_of[best]]
            rest = [i for i in order[:limit] if i not in kin]
            return Routed(tuple(self._tools[i] for i in [*kin, *rest]), "cluster")
        return Routed(tuple(self._tools[i] for i in order[:limit]), "tools")

    def ranked(self, question: str) -> tuple[str, ...]:
        """The names of all tools, best first."""
        found = self.find(question, limit=len(self._tools))
        return tuple(tool.name for tool in found.tools)

    def _asked(self, said: Sequence[str]) -> dict[str, float]:
        asked = dict.fromkeys(said, 1.0)
        for term in said:
            for other in self._kin.get(term, ()):
                asked[other] = max(asked.get(other, 0.0), KIN)
        return asked

    def _most(self, asked: dict[str, float]) -> float:
        """What a tool would score that said every word of the question once."""
        return sum(self._words.weights.get(t, 0.0) for t, weight in asked.items() if weight == 1.0)


def terms_of(text: str) -> list[str]:
    """The stems of its words, without those that say nothing."""
    words = _WORD.findall(_CAMEL.sub(" ", text).lower())
    return [stem(word) for word in words if word not in _STOP]


def stem(word: str) -> str:
    """A word without its commonest English endings."""
    if len(word) <= 3:
        return word
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: len(word) - len(ending)] + instead
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "sl":
        word = word[:-1]
    return word[:-1] if len(word) > 4 and word[-1] == "e" else word


_ENDINGS = (
    ("ications", "y"), ("ication", "y"), ("ations", ""), ("ation", ""), ("ities", ""),
    ("ments", ""), ("ment", ""), ("ings", ""), ("ions", ""),
    ("ness", ""), ("sses", "ss"), ("ies", "y"),
    ("ing", ""), ("ion", ""), ("ied", "y"), ("ers", ""), ("ity", ""), ("ed", ""), ("er", ""),
    ("es", ""), ("ss", "ss"), ("us", "us"), ("ly", ""), ("s", ""),
)  # fmt: skip


def _text(tool: ToolSpec) -> str:
    name = tool.name.replace("_", " ").replace(".", " ")
    return " ".join([*[name] * NAME, tool.description, *tool.examples])


def _pieces(terms: Sequence[str]) -> list[str]:
    return [term[i : i + 4] for term in set(terms) if len(term) > 4 for i in range(len(term) - 3)]


def _scaled(scores: list[float]) -> list[float]:
    most = max(scores, default=0.0)
    return [score / most for score in scores] if most > 0 else scores


@cache
def _kin() -> dict[str, frozenset[str]]:
    """For each stem, the stems of its groups in the thesaurus."""
    document = tomllib.loads(files("aiops.toolbelt").joinpath("thesaurus.toml").read_text("utf-8"))
    kin: dict[str, set[str]] = {}
    for group in document["groups"]:
        stems = {stem(word) for phrase in group for word in _WORD.findall(phrase.lower())} - _STOP
        for one in stems:
            kin.setdefault(one, set()).update(stems - {one})
    return {word: frozenset(others) for word, others in kin.items()}
