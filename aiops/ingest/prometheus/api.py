"""The part of Prometheus' HTTP API that we use, typed (Prometheus documentation, "HTTP API")."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aiops.errors import SourceUnavailable
from aiops.ingest.http import Backend, Budget, Params, Refused, TooLarge
from aiops.model.telemetry import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """One series of an answer: (n,) unix seconds and values, in the order they came."""

    labels: Mapping[str, str]
    times: FloatArray
    values: FloatArray


@dataclass(frozen=True, slots=True)
class Answer:
    """The series of one query, and what the server warns of."""

    series: tuple[Samples, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a target says of a metric; ``unit`` is "" where it does not say."""

    type: str
    unit: str


class Api:
    """Asks one server. Every method raises SourceUnavailable."""

    def __init__(self, backend: Backend, extra: Params) -> None:
        self._backend, self._extra = backend, extra

    def label_values(
        self, label: str, start: float, end: float, budget: Budget, matchers: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """The values of a label in the window, of series that match any of ``matchers``."""
        path = f"/api/v1/label/{label}/values"
        params: dict[str, str | Sequence[str]] = {"start": _time(start), "end": _time(end)}
        if matchers:
            params["match[]"] = list(matchers)
        found = self._result(path, params, budget, post=False)
        return tuple(str(value) for value in self._list(path, found))

    def series(
        self, matchers: Sequence[str], start: float, end: float, limit: int, budget: Budget
    ) -> tuple[Mapping[str, str], ...]:
        """The label sets that match any of ``matchers``; servers may ignore the limit."""
        path = "/api/v1/series"
        params: dict[str, str | Sequence[str]] = {
            "match[]": list(matchers),
            "start": _time(start),
            "end": _time(end),
            "limit": str(limit),
        }
        found = self._list(path, self._result(path, params, budget))
        if not all(isinstance(one, dict) and _are_texts(one.values()) for one in found):
            raise self._backend.broken(f"answered {path} with something else than label sets")
        return tuple(found)

    def metadata(self, budget: Budget) -> dict[str, Metadata]:
        """By name of metric; where targets disagree, what the first of them says."""
        path = "/api/v1/metadata"
        found = self._result(path, {"limit_per_metric": "1"}, budget, post=False)
        if not isinstance(found, dict):
            raise self._backend.broken(f"answered {path} with something else than metadata")
        return {
            str(name): Metadata(str(said[0].get("type", "")), str(said[0].get("unit", "")))
            for name, said in found.items()
            if isinstance(said, list) and said and isinstance(said[0], dict)
        }

    def now(self, query: str, at: float, budget: Budget) -> tuple[float, ...]:
        """The values of an instant query."""
        path = "/api/v1/query"
        found = self._result(path, {"query": query, "time": _time(at)}, budget)
        rows = self._list(path, found.get("result") if isinstance(found, dict) else None)
        try:
            return tuple(float(row["value"][1]) for row in rows)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise self._backend.broken(f"answered {path} with no samples") from error

    def between(self, query: str, start: float, end: float, step: float, budget: Budget) -> Answer:
        """A range query, both bounds included."""
        path = "/api/v1/query_range"
        params = {
            "query": query,
            "start": _time(start),
            "end": _time(end),
            "step": _time(step),
            # Prometheus stops working on it when we have stopped waiting for it.
            "timeout": f"{max(1, int(self._backend.patience(budget)))}s",
        }
        whole = self._whole(path, params, budget)
        data = whole.get("data")
        rows = data.get("result") if isinstance(data, dict) else None
        kept = [row for row in self._list(path, rows) if isinstance(row, Samples)]
        said = (whole.get("warnings"), whole.get("infos"))
        every = [str(one) for each in said if isinstance(each, list) for one in each]
        return Answer(tuple(kept), tuple(every))

    def _result(self, path: str, params: Params, budget: Budget, *, post: bool = True) -> Any:
        whole = self._whole(path, params, budget, post=post)
        return whole.get("data")

    def _whole(
        self, path: str, params: Params, budget: Budget, *, post: bool = True
    ) -> dict[str, Any]:
        whole = self._backend.json(
            path, {**params, **self._extra}, budget, hook=_compact, post=post
        )
        if not isinstance(whole, dict) or "status" not in whole:
            raise self._backend.broken(f"answered {path} with JSON that Prometheus does not send")
        if whole["status"] != "success":
            said = str(whole.get("error", ""))[:200]
            raise Refused(self._backend.name, f"refused {path}: {said}", 200, said)
        return whole

    def _list(self, path: str, found: object) -> list[Any]:
        if not isinstance(found, list):
            raise self._backend.broken(f"answered {path} without a list of results")
        return found


def _compact(one: dict[str, Any]) -> Any:
    """A series as arrays as soon as it is read: as lists its samples take ten times the room.

    Native histograms ("histograms" instead of "values") have no numbers to keep here.
    """
    values = one.get("values")
    labels = one.get("metric")
    if not isinstance(values, list) or not isinstance(labels, dict):
        return one
    if not _are_texts(labels.values()):
        raise ValueError("labels are texts")
    times = np.fromiter((pair[0] for pair in values), np.float64, len(values))
    numbers = np.fromiter((float(pair[1]) for pair in values), np.float64, len(values))
    return Samples(labels, times, numbers)


def _are_texts(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"


def splits_further(failure: SourceUnavailable) -> bool:
    """Whether a shorter question may be answered: the server has a limit that this one passed."""
    if not isinstance(failure, Refused):
        return isinstance(failure, TooLarge)
    said = failure.said.lower()
    words = ("too many samples", "exceeded maximum", "limit", "too long", "too large", "length")
    return failure.status in (200, 400, 413, 422) and any(word in said for word in words)
