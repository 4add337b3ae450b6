"""Service level objectives from a YAML file.

::

    slos:
      - name: billing-errors           # 99.9 % of requests succeed
        service: billing
        sli: {kind: availability, total: http_requests_total, bad: http_errors_total}
        objective: 99.9
        window: 30d
      - name: billing-latency          # the 95th percentile is below 300 ms for 99 % of the time
        service: billing
        sli: {kind: latency, metric: latency_p95, at_most: 0.3}
        objective: 99
        window: 28d

Metrics are named as the telemetry of the service names them. ``good`` may stand in for ``bad``; a
latency may also be counted (``total`` and ``good``), as histograms allow.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from aiops.analyze.slo import alert_of
from aiops.app.incidents.silences import Silencing
from aiops.errors import InvalidData
from aiops.model.alert import Silence
from aiops.model.ranking import Window
from aiops.model.slo import EventRatio, Limit, SliKind, Slo

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Sli(_Entry):
    kind: SliKind
    total: _Name | None = None
    good: _Name | None = None
    bad: _Name | None = None
    metric: _Name | None = None
    at_most: Annotated[float, Field(allow_inf_nan=False, strict=False)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "_Sli":
        counted = self.total is not None and (self.good is None) != (self.bad is None)
        limited = self.metric is not None and self.at_most is not None
        rest = (self.metric, self.at_most) if counted else (self.total, self.good, self.bad)
        if counted == limited or any(each is not None for each in rest):
            raise ValueError(
                "give either 'total' and one of 'good' and 'bad', or 'metric' and 'at_most'"
            )
        return self

    def read(self) -> EventRatio | Limit:
        if self.total is not None:
            return EventRatio(self.total, self.good or self.bad or "", self.good is not None)
        return Limit(self.metric or "", self.at_most or 0.0)


class _Slo(_Entry):
    name: _Name
    service: _Name
    sli: _Sli
    objective: Annotated[float, Field(gt=0, lt=100, strict=False)]
    window: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}[mhdw]$")]

    @field_validator("objective")
    @classmethod
    def _in_percent(cls, value: float) -> float:
        if value < 1:
            raise ValueError(f"write it in percent: {100 * value:g}, not {value:g}")
        return value

    def read(self) -> Slo:
        period = float(self.window[:-1]) * _UNITS[self.window[-1]]
        # Rounded: 99.9 / 100 is 0.9990000000000001.
        share = round(self.objective / 100, 12)
        return Slo(self.name, self.service, self.sli.kind, self.sli.read(), share, period)


class _File(_Entry):
    slos: list[_Slo]


def load_slos(path: Path) -> tuple[Slo, ...]:
    """The objectives of a file, in its order.

    Raises:
        InvalidData: the file cannot be read or understood; the first thing that is wrong, by its
            key ("slos[2].sli.total") or its line.
    """
    import yaml

    try:
        document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidData(path, f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InvalidData(path, "is not text in UTF-8") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidData(path, f"is no YAML: {_on_one_line(error)}") from error
    if not isinstance(document, dict):
        raise InvalidData(path, "must have the key 'slos' at its top, with a list")
    try:
        slos = tuple(each.read() for each in _File.model_validate(document).slos)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        raise InvalidData(path, f"{_key(first['loc'])}: {message}") from error
    twice = [name for name, times in Counter(slo.name for slo in slos).items() if times > 1]
    if twice:
        raise InvalidData(path, f"two objectives are called {twice[0]!r}; each needs its own name")
    return slos


def with_planned_work(slos: Sequence[Slo], silences: Sequence[Silence]) -> tuple[Slo, ...]:
    """The objectives, with the times of maintenance that would keep their alerts quiet."""
    planned = [each for each in silences if each.maintenance]
    return tuple(
        replace(
            slo,
            planned=tuple(
                Window(each.starts_at, each.ends_at)
                for each in planned
                if Silencing([each]).of(alert_of(slo, each.starts_at), each.starts_at)
            ),
        )
        for slo in slos
    )


def _key(place: tuple[int | str, ...]) -> str:
    """ "slos[2].sli.total"."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).removeprefix(".")


def _on_one_line(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error))
