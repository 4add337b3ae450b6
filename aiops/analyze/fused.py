"""The default analyzer: every reader's hypotheses about one episode, weighed in one place.

Metrics, logs, traces, Kubernetes state, changes and alerts each raise typed hypotheses; what was
not recorded is named and costs nothing else. With metrics alone the order is that of the metric
ranker.
"""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from aiops.analyze import confidence
from aiops.analyze.episode import episode_of
from aiops.analyze.fusion import Weighed, fault_types, weigh
from aiops.analyze.metric_reader import MetricReader
from aiops.analyze.metric_scores import PARTS, Scored
from aiops.errors import AnalysisFailed, UnknownName
from aiops.model import CaseData, Episode, Evidence, Hypothesis, Ranking, Suspect
from aiops.ports.reader import Reader

SPELLED_OUT = 8
"""Suspects whose evidence is in the ranking."""
MOST_EVIDENCE = 6
"""Pieces of evidence a suspect."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What all readers made of a case."""

    raised: tuple[tuple[str, Hypothesis], ...]
    notes: tuple[str, ...]
    read: tuple[str, ...]
    caps: dict[str, float]


class FusedRanker:
    """Ranks entities of every kind by the hypotheses that all readers raise.

    Args:
        readers: in any order; each is one row of the ablation.
    """

    name = "aiops"

    def __init__(self, readers: Sequence[Reader]) -> None:
        self._readers = tuple(sorted(readers, key=lambda reader: reader.name))

    def without(self, part: str) -> "FusedRanker":
        """This ranker without one reader, or one rule of the metric reader; raises UnknownName."""
        kept: tuple[Reader, ...] = tuple(r for r in self._readers if r.name != part)
        if len(kept) == len(self._readers):
            if part not in PARTS:
                known = (*(reader.name for reader in self._readers), *PARTS)
                raise UnknownName("part", part, known)
            kept = tuple(
                r.without(part) if isinstance(r, MetricReader) else r for r in self._readers
            )
        ranker = FusedRanker(kept)
        ranker.name = f"{self.name}/no-{part}"
        return ranker

    def rank(self, case: CaseData, *, seed: int = 0) -> Ranking:
        """The suspects of ``case``; see Analyzer.rank.

        Raises:
            AnalysisFailed: nothing was recorded that any reader can read.
        """
        episode, weighed, found = self._weighed(case, seed)
        return _ranking(weighed, episode, found, seed)

    def argue(self, case: CaseData, *, seed: int = 0) -> tuple[Weighed, ...]:
        """Every hypothesis about ``case`` with its weight, strongest first; raises as ``rank``."""
        return self._weighed(case, seed)[1]

    def _weighed(self, case: CaseData, seed: int) -> tuple[Episode, tuple[Weighed, ...], _Read]:
        episode, scored = episode_of(case)
        found = self._read(case, episode, scored, seed)
        if not found.read:
            why = "; ".join(note.rstrip(".") for note in found.notes)
            nothing = "no metrics, logs, traces, alerts or cluster state"
            raise AnalysisFailed(f"nothing that was recorded can be read: {why or nothing}")
        return episode, weigh(found.raised, case.window.graph), found

    def _read(self, case: CaseData, episode: Episode, scored: Scored | None, seed: int) -> _Read:
        raised: list[tuple[str, Hypothesis]] = []
        notes: list[str] = []
        read: list[str] = []
        caps: dict[str, float] = {}
        for reader in self._readers:
            if isinstance(reader, MetricReader):
                reading = reader.read(case, episode, seed=seed, scored=scored)
            else:
                reading = reader.read(case, episode, seed=seed)
            notes.extend(reading.notes)
            if not reading.missing:
                read.append(reader.name)
                caps[reader.modality] = min(caps.get(reader.modality, 1.0), reading.most_confidence)
                raised.extend((reader.modality, one) for one in reading.hypotheses)
        return _Read(tuple(raised), tuple(notes), tuple(read), caps)


def _ranking(weighed: tuple[Weighed, ...], episode: Episode, found: _Read, seed: int) -> Ranking:
    by_key: dict[tuple[str, ...], list[Weighed]] = {}
    for one in sorted(weighed, key=lambda w: (-w.score, _lot(w, seed))):
        by_key.setdefault(one.key, []).append(one)
    # By each entity's strongest; the rest of its hypotheses keep their own places.
    book = _Book()
    cited = {key: book.cite(own) for key, own in list(by_key.items())[:SPELLED_OUT]}
    leading = np.array([own[0].score for own in by_key.values()])
    cap = found.caps.get(next(iter(by_key.values()))[0].modality, 1.0) if by_key else 1.0
    sure = dict(zip(by_key, np.minimum(confidence.FUSED.of(leading), cap), strict=True))
    suspects: list[Suspect] = []
    for one in sorted(weighed, key=lambda w: (-w.score, _lot(w, seed))):
        first = by_key[one.key][0] is one
        suspects.append(
            Suspect(
                one.hypothesis.entity,
                one.hypothesis.indicator,
                score=one.score,
                confidence=float(sure[one.key]) if first else 0.0,
                fault_types=fault_types(by_key[one.key])[:3] if first and one.key in cited else (),
                evidence=cited[one.key] if first and one.key in cited else (),
                kind=one.hypothesis.kind,
            )
        )
    verdict = confidence.verdict(max(map(_presence, by_key.values()), default=0.0))
    return Ranking(
        verdict,
        tuple(suspects),
        onset=episode.onset if verdict == "root_cause" or episode.found else None,
        evidence=book.evidence,
        notes=found.notes,
    )


def _presence(own: Sequence[Weighed]) -> float:
    """How plainly one entity shows that anything is wrong: nats.

    The strongest sign of each modality, added in quadrature: independent witnesses of one thing
    tell more than the plainest of them, and many readings of one modality do not.
    """
    strongest: dict[str, float] = {}
    for one in own:
        strength = one.hypothesis.strength
        strongest[one.modality] = max(strongest.get(one.modality, 0.0), strength)
    return math.hypot(*strongest.values())


class _Book:
    """Numbers evidence in the order it is cited, each piece once."""

    def __init__(self) -> None:
        self._items: dict[tuple[str, str, str], Evidence] = {}

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(self._items.values())

    def cite(self, hypotheses: Sequence[Weighed]) -> tuple[str, ...]:
        """The ids of what supports the strongest of ``hypotheses``."""
        ids: list[str] = []
        for one in hypotheses:
            for item in one.hypothesis.support:
                if len(ids) >= MOST_EVIDENCE:
                    return tuple(ids)
                place = (item.source, item.ref, item.claim)
                if place not in self._items:
                    self._items[place] = replace(item, id=f"E{len(self._items) + 1}")
                if self._items[place].id not in ids:
                    ids.append(self._items[place].id)
        return tuple(ids)


def _lot(one: Weighed, seed: int) -> int:
    """Ties are drawn by a seeded hash of what is accused, never by alphabet or position."""
    indicator = one.hypothesis.indicator.name if one.hypothesis.indicator is not None else ""
    return zlib.crc32(f"{seed}:{one.key}:{one.hypothesis.kind}:{indicator}".encode())
