"""Errors that spans state, and where each came from: the deepest span of the chain that failed."""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.analyze.traces.contrasts import Outcomes, Rise, rising_shares
from aiops.analyze.traces.edges import Calls
from aiops.analyze.traces.forest import Forest, Mask

FLOOR = 0.05
"""Rise of the share of failing spans of an operation that matters: one request in twenty."""
_ERROR = re.compile(
    r"^(?:status_code_)?error$|^2$|^[45]\d\d$|^true$|exception|fail|unavailable|deadline|internal"
    r"|cancel|abort|unknown|denied|unauth|exhausted|not_?found|timeout",
    re.IGNORECASE,
)
_GRPC_OK = re.compile(r"^(?:0|ok|unset|status_code_(?:ok|unset)|[123]\d\d|false|)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Failing:
    """One operation in which errors begin more often than they used to.

    Attributes:
        service, operation: whose spans fail first.
        rise: of the share of its spans that fail by themselves, with 95 % confidence.
        usual, now: that share in the reference and during the episode.
        seen: spans of it during the episode.
    """

    service: int
    operation: int
    rise: float
    usual: float
    now: float
    seen: int


def is_error(status: str) -> bool:
    """Whether a span's status says that it failed.

    Reads the status words and codes of OpenTelemetry (ERROR, 2), HTTP (4xx, 5xx) and gRPC (names
    of codes). Anything else is taken for success: a status we cannot read accuses nobody.
    """
    text = status.strip()
    return _GRPC_OK.match(text) is None and _ERROR.search(text) is not None


def failed(forest: Forest) -> Mask:
    """(n,) whether each span states an error; none do where statuses were not recorded."""
    statuses = forest.spans.statuses
    if statuses is None:
        return np.zeros(len(forest.parent), dtype=np.bool_)
    known: dict[str, bool] = {}
    texts = [str(status) for status in statuses.tolist()]
    for text in set(texts):
        known[text] = is_error(text)
    return np.fromiter((known[text] for text in texts), dtype=np.bool_, count=len(texts))


def origins(forest: Forest, error: Mask) -> Mask:
    """(n,) whether a span failed without a failing child: errors travel up the calls."""
    passed_on = np.zeros(len(error), dtype=np.bool_)
    child = np.flatnonzero(error & (forest.parent >= 0))
    passed_on[forest.parent[child]] = True
    return error & ~passed_on


def own_errors(forest: Forest) -> Outcomes:
    """For each span whether an error began in it; none at all where no span states any.

    The kinds are (service, operation).
    """
    error = failed(forest)
    if not error.any():
        return _nothing(2)
    operations = max(1, len(forest.spans.operations))
    codes, kind = np.unique(forest.service * operations + forest.operation, return_inverse=True)
    kinds = np.column_stack([codes // operations, codes % operations])
    return Outcomes(np.arange(len(error)), kind.astype(np.intp), origins(forest, error), kinds)


def failing_operations(outcomes: Outcomes, phase: npt.NDArray[np.int8]) -> tuple[Failing, ...]:
    """Operations in which errors begin, the largest rise first.

    Args:
        outcomes: the errors of the spans.
        phase: (n,) of each span.
    """
    rise = rising_shares(outcomes, phase)
    found = []
    for i in _risen(rise):
        service, operation = outcomes.kinds[i].tolist()
        found.append(Failing(service, operation, *_shares(rise, i)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Calls to one service that it recorded nothing of, more often than before."""

    caller: int
    operation: int
    callee: int
    rise: float
    usual: float
    now: float
    seen: int


def silences(forest: Forest, calls: Calls) -> Outcomes:
    """For each span that waits for another service whether that one recorded nothing.

    Only operations that call one service alone: of "GET" alone nobody knows whom it did not reach.
    The kinds are (caller, operation, callee).
    """
    operations = max(1, len(forest.spans.operations))
    services = max(1, len(forest.spans.services))
    code = forest.service * operations + forest.operation
    pairs = np.unique(code[calls.client] * services + calls.callee)
    clients, callees = np.unique(pairs // services, return_counts=True)
    single = clients[callees == 1]
    rows = np.flatnonzero(np.isin(code, single))
    if not len(rows):
        return _nothing(3)
    answered = np.zeros(len(code), dtype=np.bool_)
    answered[calls.client] = True
    callee = pairs[np.isin(pairs // services, single)] % services
    kinds = np.column_stack([single // operations, single % operations, callee])
    return Outcomes(
        rows, np.searchsorted(single, code[rows]), ~answered[rows], kinds.astype(np.intp)
    )


def unanswered_calls(outcomes: Outcomes, phase: npt.NDArray[np.int8]) -> tuple[Unanswered, ...]:
    """Client operations whose callee stopped answering, the largest rise first.

    Args:
        outcomes: the silences of the calls.
        phase: (n,) of each span.
    """
    rise = rising_shares(outcomes, phase)
    found = []
    for i in _risen(rise):
        caller, operation, callee = outcomes.kinds[i].tolist()
        found.append(Unanswered(caller, operation, callee, *_shares(rise, i)))
    return tuple(found)


def _risen(rise: Rise) -> list[int]:
    order = np.argsort(-rise.sure, kind="stable")
    return [int(i) for i in order if rise.sure[i] >= FLOOR]


def _shares(rise: Rise, i: int) -> tuple[float, float, float, int]:
    return float(rise.sure[i]), float(rise.usual[i]), float(rise.now[i]), int(rise.seen[i])


def _nothing(indices: int) -> Outcomes:
    none = np.zeros(0, dtype=np.intp)
    return Outcomes(none, none, none.astype(np.bool_), np.zeros((0, indices), dtype=np.intp))
