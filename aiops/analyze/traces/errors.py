"""Errors that spans state, and where each came from: the deepest span of the chain that failed."""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.analyze.traces.contrasts import rising_shares
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


def failing_operations(forest: Forest, phase: npt.NDArray[np.int8]) -> tuple[Failing, ...]:
    """Operations in which errors begin, the largest rise first."""
    error = failed(forest)
    if not error.any():
        return ()
    operations = max(1, len(forest.spans.operations))
    kinds, kind = np.unique(forest.service * operations + forest.operation, return_inverse=True)
    rise = rising_shares(kind.astype(np.intp), origins(forest, error), phase, len(kinds))
    return tuple(
        Failing(
            service=int(kinds[i] // operations),
            operation=int(kinds[i] % operations),
            rise=float(rise.sure[i]),
            usual=float(rise.usual[i]),
            now=float(rise.now[i]),
            seen=int(rise.seen[i]),
        )
        for i in np.argsort(-rise.sure, kind="stable").tolist()
        if rise.sure[i] >= FLOOR
    )


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


def unanswered_calls(
    forest: Forest, calls: Calls, phase: npt.NDArray[np.int8]
) -> tuple[Unanswered, ...]:
    """Client operations whose callee stopped answering, the largest rise first.

    Only operations that call one service alone: of "GET" alone nobody knows whom it did not reach.
    """
    operations = max(1, len(forest.spans.operations))
    code = forest.service * operations + forest.operation
    callee: dict[int, set[int]] = {}
    for at, to in set(zip(code[calls.client].tolist(), calls.callee.tolist(), strict=True)):
        callee.setdefault(at, set()).add(to)
    single = np.array(sorted(at for at, to in callee.items() if len(to) == 1), dtype=np.intp)
    rows = np.flatnonzero(np.isin(code, single))
    if not len(rows):
        return ()
    answered = np.zeros(len(code), dtype=np.bool_)
    answered[calls.client] = True
    kind = np.searchsorted(single, code[rows])
    rise = rising_shares(kind, ~answered[rows], phase[rows], len(single))
    return tuple(
        Unanswered(
            caller=int(single[i] // operations),
            operation=int(single[i] % operations),
            callee=min(callee[int(single[i])]),
            rise=float(rise.sure[i]),
            usual=float(rise.usual[i]),
            now=float(rise.now[i]),
            seen=int(rise.seen[i]),
        )
        for i in np.argsort(-rise.sure, kind="stable").tolist()
        if rise.sure[i] >= FLOOR
    )
