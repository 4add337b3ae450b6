"""What a machine does is what runs on it: its own use accuses it only beyond theirs."""

import numpy as np
import numpy.typing as npt

from aiops.analyze.metric_kinds import MetricKind
from aiops.analyze.shifts import Shifts
from aiops.analyze.units import trusted_units
from aiops.model import Series
from aiops.model.telemetry import FloatArray

_USED = (MetricKind.CPU, MetricKind.MEMORY)


def own_share(series: tuple[Series, ...], shifts: Shifts) -> FloatArray:
    """(m,) share of each machine's rise that the services' rises do not add up to; 1 for the rest.

    Compared in a trusted unit; of each service its largest rise counts. Where services run is not
    asked: metrics seldom say, and what rose at once in both is rarely chance.
    """
    share = np.ones(len(series))
    units = trusted_units(series)
    nodes = np.array([one.entity.kind == "node" for one in series])
    for kind in _USED:
        for dimension in ("cores", "bytes"):
            mine: npt.NDArray[np.bool_] = np.array(
                [
                    unit is not None and unit.dimension == dimension and of is kind
                    for unit, of in zip(units, shifts.kinds, strict=True)
                ]
            )
            if not (mine & nodes).any() or not (mine & ~nodes).any():
                continue
            rises: dict[str, float] = {}
            for i in np.flatnonzero(mine & ~nodes):
                unit = units[i]
                size = shifts.moved[i] * (unit.factor if unit is not None else 1.0)
                name = series[i].entity.service_name
                rises[name] = max(rises.get(name, 0.0), size)
            theirs = sum(rises.values())
            for i in np.flatnonzero(mine & nodes):
                unit = units[i]
                rise = shifts.moved[i] * (unit.factor if unit is not None else 1.0)
                if rise > 0:
                    share[i] = max(0.0, 1 - theirs / rise)
    return share
