"""What one method made of one case: the record every table is counted from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from aiops.model import Verdict
from aiops_evals.levels import Level

Status = Literal["ranked", "abstained", "failed"]
SCORES_KEPT = 5
_TUPLES = ("scores", "named")


@dataclass(frozen=True, slots=True)
class Facts:
    """What scoring needs to know of a case; small enough to travel between processes.

    Attributes:
        dataset: the set it is counted under; comparisons pair cases by (dataset, case).
        subsets: further names it is counted under, such as the cases that have traces.
        case: the opaque id.
        fault_type: in our vocabulary; "" for a healthy window.
        levels: at which its answers can be judged; () for a healthy window.
        healthy: True for a window without a fault.
        system: what was running; the set's name where nobody says.
        name: of the case in its set; may tell the answer, so that only people see it.
        label: the set's own name of the fault.
        answer: the names of what was at fault.
    """

    dataset: str
    case: str
    fault_type: str = ""
    levels: tuple[Level, ...] = ()
    subsets: tuple[str, ...] = ()
    healthy: bool = False
    system: str = ""
    name: str = ""
    label: str = ""
    answer: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One method on one case in one variant.

    Attributes:
        status: "abstained" means that no suspect was named at all. A verdict of "inconclusive" or
            "healthy" with suspects is ranked, and on a faulty case counted as a missed alarm.
        ranks: level -> rank of the answer, from 1; None where it was not named.
        verdict: None where the method failed.
        confidence: of the first suspect, 0 to 1.
        scores: of the first services, strongest first; what a confidence is calibrated on.
        ms: wall time of the ranking alone, in milliseconds; loading is not in it.
        reason: why it failed; "" otherwise.
        named: the services that ``scores`` are of.
    """

    facts: Facts
    variant: str
    method: str
    status: Status
    ranks: Mapping[Level, int | None]
    verdict: Verdict | None = None
    confidence: float = 0.0
    scores: tuple[float, ...] = ()
    ms: float = 0.0
    reason: str = ""
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseReport:
    """Everything learnt from one case.

    Attributes:
        facts: None where the case could not be read.
        skipped: why it was not ranked, "" where it was.
        load_s: seconds spent loading it.
    """

    facts: Facts | None
    outcomes: tuple[Outcome, ...] = ()
    skipped: str = ""
    load_s: float = 0.0


def lost(facts: Facts, variant: str, method: str, reason: str) -> Outcome:
    """The outcome of a method that did not answer: last at every level, and listed."""
    return Outcome(facts, variant, method, "failed", dict.fromkeys(facts.levels), reason=reason)


def to_json(report: CaseReport) -> dict[str, Any]:
    """``report`` as plain JSON; the facts stand once, not in every outcome."""
    outcomes = []
    for outcome in report.outcomes:
        fields = asdict(outcome)
        # A variant may be judged at fewer levels than the case; its own levels are in its ranks.
        fields["levels"] = list(fields.pop("facts")["levels"])
        outcomes.append(fields)
    return {
        "facts": None if report.facts is None else asdict(report.facts),
        "skipped": report.skipped,
        "load_s": report.load_s,
        "outcomes": outcomes,
    }


def from_json(data: Mapping[str, Any]) -> CaseReport:
    """The report ``to_json`` wrote; KeyError or TypeError where it did not write this."""
    if data["facts"] is None:
        return CaseReport(None, (), data["skipped"], data["load_s"])
    facts = _facts(data["facts"])
    outcomes = []
    for fields in data["outcomes"]:
        own = _facts({**data["facts"], "levels": fields["levels"]})
        rest = {name: value for name, value in fields.items() if name != "levels"}
        outcomes.append(Outcome(own, **{**rest, **{name: tuple(rest[name]) for name in _TUPLES}}))
    return CaseReport(facts, tuple(outcomes), data["skipped"], data["load_s"])


def _facts(fields: Mapping[str, Any]) -> Facts:
    return Facts(
        **{**fields, **{name: tuple(fields[name]) for name in ("levels", "subsets", "answer")}}
    )
