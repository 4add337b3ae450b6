"""How much hangs on each constant: AC@1 with every one halved and doubled.

The default method ranks the same sampled cases once as it is and once per change. What a reader
that does not depend on the constant said about a case is remembered; the others read again, in
modules in which the constant has its other value.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from aiops.errors import InvalidInput, UnknownName
from aiops.model import CaseData, Episode, Reading
from aiops.ports.analyzer import Analyzer
from aiops.ports.cases import CaseLocation
from aiops.ports.reader import Reader
from aiops_datasets.case import Case
from aiops_evals import provenance
from aiops_evals.blind import generator, shuffled
from aiops_evals.breaking import Broke, outcome_of
from aiops_evals.constants import (
    PACKAGE,
    Constant,
    constants_of,
    imported_anew,
    reached_from,
    source_of,
)
from aiops_evals.journal import Records
from aiops_evals.judge import facts_of
from aiops_evals.levels import Level, rank_at
from aiops_evals.sweep import sweep

HANGS = 0.05
"""A loss of AC@1 on any set from which a result hangs on the constant (issue 1)."""
SAMPLE = 24
"""Cases a set by default: one of them is .042, so that one alone is not yet a result that hangs."""
_CORE = "aiops.analyze.fused"


@dataclass(frozen=True, slots=True)
class Plan:
    """One table, fully named.

    Attributes:
        sample: the cases, with the set each is counted under.
        constants: the numbers to change.
        seed: of the sample, of the order of candidates and of ties.
    """

    root: Path
    datasets: tuple[str, ...]
    sample: tuple[CaseLocation, ...]
    constants: tuple[Constant, ...]
    seed: int
    jobs: int

    def identity(self) -> dict[str, Any]:
        """What must be equal for two runs' results to belong together."""
        return {
            "seed": self.seed,
            "commit": provenance.commit(),
            "code": provenance.code_checksum(),
            "datasets": {
                name: provenance.dataset_checksum(self.root, name) for name in self.datasets
            },
            "cases": [location.id for location in self.sample],
        }


def make_plan(
    root: Path, *, datasets: Sequence[str] = (), size: int = SAMPLE, seed: int = 0, jobs: int = 1
) -> Plan:
    """A plan over the sets named, or all in ``root``.

    Raises:
        InvalidData: ``root`` is no folder.
        InvalidInput: ``root`` holds no data set.
        UnknownName: a data set does not exist.
    """
    from aiops_datasets.catalog import datasets as catalogued

    present = catalogued(root)
    if not present:
        raise InvalidInput(f"{root} holds no data set; see `aiops datasets list`")
    for name in datasets:
        if name not in present:
            raise UnknownName("dataset", name, present)
    chosen = tuple(dict.fromkeys(datasets)) or present
    sample = tuple(sample_of(root, chosen, size, seed))
    return Plan(root, chosen, sample, default_constants(), seed, jobs)


@dataclass(frozen=True, slots=True)
class Trial:
    """The sample ranked with one constant changed; with none, as it is."""

    sample: tuple[CaseLocation, ...]
    seed: int
    constant: Constant | None = None
    value: int | float | None = None

    @property
    def key(self) -> str:
        """Names the trial in a journal."""
        if self.constant is None:
            return "clean"
        return f"{self.constant.module}:{self.constant.name}={self.value!r}"


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a trial.

    Attributes:
        key: of the trial.
        right: by case, in the order of the sample, whether rank 1 was right.
        failed: cases the method failed on; they count as wrong.
    """

    key: str
    right: tuple[bool, ...]
    failed: int


def default_constants() -> tuple[Constant, ...]:
    """Every constant the default method can reach, by module and line."""
    modules = reached_from(_CORE).union(*map(reached_from, _readers()))
    ours = sorted(module for module in modules if module.startswith(f"{PACKAGE}."))
    return tuple(one for module in ours for one in constants_of(module, source_of(module)))


def sample_of(root: Path, datasets: Sequence[str], size: int, seed: int) -> list[CaseLocation]:
    """At most ``size`` cases of each set: every fault type in turn, drawn by ``seed``."""
    from aiops_datasets.catalog import answers_of, locations

    chosen = []
    for dataset in datasets:
        found = list(locations(root, dataset))
        by_type: dict[str, list[CaseLocation]] = defaultdict(list)
        for i in generator(seed, dataset, "sample").permutation(len(found)).tolist():
            by_type[answers_of(found[i]).fault_label].append(found[i])
        turns = sorted((i, label) for label, own in by_type.items() for i in range(len(own)))
        chosen += [by_type[label][i] for i, label in turns[:size]]
    return chosen


def trials(plan: Plan) -> list[Trial]:
    """The clean one, then two for each constant that can be halved and doubled."""
    changed = [
        Trial(plan.sample, plan.seed, constant, value)
        for constant in plan.constants
        for value in (constant.halved, constant.doubled)
        if value is not None
    ]
    return [Trial(plan.sample, plan.seed), *changed]


class Finished(Records[Measured]):
    """The finished trials of one run."""

    encode = staticmethod(asdict)

    @staticmethod
    def decode(fields: Mapping[str, Any], /) -> Measured:
        return Measured(fields["key"], tuple(fields["right"]), fields["failed"])


def execute(plan: Plan, journal: Finished | None = None) -> Iterator[Measured]:
    """Every trial's result: those of the journal first, then the others as they finish.

    Where a worker died, the trial has ranked nothing right.
    """
    waiting, n = [], len(plan.sample)
    for trial in trials(plan):
        if journal is not None and trial.key in journal.finished:
            yield journal.finished[trial.key]
        else:
            waiting.append(trial)
    for done in sweep(waiting, measure, jobs=plan.jobs, split=lambda trial: (trial,)):
        measured = done.results[0] if done.results else Measured(done.task.key, (False,) * n, n)
        if journal is not None:
            journal.append(measured.key, measured)
        yield measured


def measure(trial: Trial) -> Measured:
    """Ranks the sample with the trial's constant changed, in this process."""
    known = _known(trial.sample, trial.seed)
    if trial.constant is None:
        answered = [(one.right, one.failed) for one in known.cases]
    else:
        module = trial.constant.module
        affected = tuple(name for name in known.memory if module in reached_from(name))
        core = module in reached_from(_CORE)
        memory = {name: {} if name in affected else own for name, own in known.memory.items()}
        with imported_anew(trial.constant, trial.value):
            method = outcome_of(lambda: _method(memory, trial.seed))
            if isinstance(method, Broke):
                n = len(known.cases)
                return Measured(trial.key, (False,) * n, n)
            asked = () if core else affected
            answered = [_again(one, method, asked, known.memory) for one in known.cases]
    right, failed = zip(*answered, strict=True)
    return Measured(trial.key, right, sum(failed))


Memory = dict[str, dict[tuple[str, Episode], Reading]]
"""Module of a reader -> (case, episode) -> what it said."""


class _Remembering:
    """A reader that reads each episode of a case once."""

    def __init__(self, reader: Reader, memory: dict[tuple[str, Episode], Reading]) -> None:
        self.name, self.modality = reader.name, reader.modality
        self._reader, self._memory = reader, memory

    def read(self, case: CaseData, episode: Episode, *, seed: int = 0) -> Reading:
        """The reading; see Reader.read."""
        place = case.id, episode
        if place not in self._memory:
            self._memory[place] = self._reader.read(case, episode, seed=seed)
        return self._memory[place]


@dataclass(frozen=True, slots=True)
class _Method:
    """The default method of the modules imported when it was made; readers by module."""

    readers: Mapping[str, Reader]
    ranker: Analyzer
    seed: int

    def answer(self, case: Case, data: CaseData, level: Level) -> tuple[bool, bool]:
        """Whether rank 1 is right, and whether the method failed."""
        ranking = outcome_of(lambda: self.ranker.rank(data, seed=self.seed))
        if isinstance(ranking, Broke):
            return False, True
        metrics = case.data.window.metrics
        return rank_at(level, ranking, case.answers, metrics, case.labels) == 1, False


@dataclass(frozen=True, slots=True)
class _KnownCase:
    """A case of the sample with what the unchanged method makes of it."""

    case: Case
    data: CaseData
    level: Level
    episode: Episode
    right: bool
    failed: bool


@dataclass(frozen=True, slots=True)
class _Known:
    cases: tuple[_KnownCase, ...]
    memory: Memory


@cache
def _known(sample: tuple[CaseLocation, ...], seed: int) -> _Known:
    """The sample, loaded and ranked as it is; once a process."""
    from aiops_datasets.catalog import load_case

    memory: Memory = {module: {} for module in _readers()}
    known = []
    with imported_anew(None, None):
        method = _method(memory, seed)
        episode_of = import_module("aiops.analyze.episode").episode_of
        for location in sample:
            case = load_case(location)
            data = shuffled(case.data, seed)
            level: Level = level_of(facts_of(case).levels)
            episode, _ = episode_of(data)
            answer = method.answer(case, data, level)
            known.append(_KnownCase(case, data, level, episode, *answer))
    return _Known(tuple(known), memory)


def level_of(levels: Sequence[Level]) -> Level:
    """The level a case is judged at here: object and fault where its set has objects."""
    return "object+fault" if "object+fault" in levels else "service"


def _again(
    one: _KnownCase, method: _Method, asked: Sequence[str], memory: Memory
) -> tuple[bool, bool]:
    """What ``method`` answers now.

    Args:
        asked: modules of readers; where they say what they said, the old answer stands. () to
            rank in any case.
    """
    place = one.data.id, one.episode

    def says_the_same() -> bool:
        return bool(asked) and all(
            method.readers[module].read(one.data, one.episode, seed=method.seed)
            == memory[module].get(place)
            for module in asked
        )

    same = outcome_of(says_the_same)
    if isinstance(same, Broke):
        return False, True
    if same:
        return one.right, one.failed
    return method.answer(one.case, one.data, one.level)


def _method(memory: Memory, seed: int) -> _Method:
    metrics = import_module("aiops.analyze.metric_reader").MetricReader
    readers: dict[str, Reader] = {}
    for module, name in _readers().items():
        reader = getattr(import_module(module), name)()
        # The ranker hands its metric reader what finding the episode has computed already.
        own = isinstance(reader, metrics)
        readers[module] = reader if own else _Remembering(reader, memory[module])
    return _Method(readers, import_module(_CORE).FusedRanker(tuple(readers.values())), seed)


@cache
def _readers() -> Mapping[str, str]:
    """Module -> class of every registered reader."""
    return {entry.module: entry.attr for entry in entry_points(group="aiops.readers")}
