"""How a planted world behaves: what is asked for, who calls whom, and what every metric does.

Services stand in a DAG; load flows from callers to callees, latency and errors flow back, each edge
with its own lag. Metrics: cpu in % of a core, memory in bytes, request rate per second, latency
p50 and p95 in seconds, error ratio 0 to 1, disk traffic in bytes per second.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from aiops.errors import InvalidInput, UnknownName
from aiops.model.telemetry import FloatArray

Fault = Literal["cpu", "memory", "latency", "network_delay", "error", "traffic", "disk", "healthy"]
Confounder = Literal["load", "node"]

FAULTS: tuple[Fault, ...] = get_args(Fault)
_WORDS = (
    *("amber", "basalt", "cedar", "cobalt", "copper", "coral", "flint", "garnet"),
    *("granite", "hazel", "iris", "jasper", "laurel", "linden", "maple", "marble"),
    *("onyx", "opal", "quartz", "slate", "topaz", "umber", "willow", "zircon"),
)
_DAY_S = 86_400.0
_MIB = 2.0**20


@dataclass(frozen=True, slots=True)
class World:
    """What to plant.

    Attributes:
        seed: chooses everything that is not given; >= 0.
        services: 4 to 20.
        minutes: length of the window; at least 60 rows must fit.
        interval_s: seconds between rows.
        fault: the fault, "healthy" for a control without one, None to let the seed choose a fault.
        latent: confounders that have no column: "load" is a wave in the traffic of all users,
            "node" is contention between services on one machine.
        intensity: factor on the size of the fault; 1 is plain to see.
        onset: where in the window the fault begins, as a share of it.
        alert_delay_s: how long after the onset the alert fires, seconds.
        counters: give requests as a growing total (a Prometheus counter) in place of a rate.

    Raises:
        InvalidInput: a value out of range.
    """

    seed: int
    services: int = 8
    minutes: float = 10.0
    interval_s: float = 1.0
    fault: Fault | None = None
    latent: tuple[Confounder, ...] = ("load", "node")
    intensity: float = 1.0
    onset: float = 0.5
    alert_delay_s: float = 0.0
    counters: bool = False

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise InvalidInput(f"a world's seed is 0 or more, not {self.seed}")
        if not 4 <= self.services <= 20:
            raise InvalidInput(f"a world has 4 to 20 services, not {self.services}")
        if self.interval_s <= 0 or self.rows < 60:
            raise InvalidInput(
                f"{self.minutes:g} minutes at {self.interval_s:g} s is under 60 rows; "
                "give more minutes or a shorter interval"
            )
        if self.fault is not None and self.fault not in FAULTS:
            raise UnknownName("fault", self.fault, FAULTS)
        if not 0.1 <= self.onset <= 0.9:
            raise InvalidInput(f"onset is a share of the window, .1 to .9, not {self.onset:g}")

    @property
    def rows(self) -> int:
        """Rows in the window."""
        return int(self.minutes * 60 / self.interval_s)


class Edge(NamedTuple):
    """Indices of caller and callee, calls per request of the caller, and the lag in rows."""

    caller: int
    callee: int
    calls: float
    lag: int


class Topology(NamedTuple):
    """A DAG: every service but the first, which users reach, has callers with smaller indices."""

    names: tuple[str, ...]
    edges: tuple[Edge, ...]
    node_of: npt.NDArray[np.int64]

    @classmethod
    def drawn(cls, spec: World, rng: np.random.Generator) -> "Topology":
        """A graph of ``spec.services`` services, three or so to a machine."""
        edges = []
        for callee in range(1, spec.services):
            callers = 1 + (callee > 2 and rng.random() < 0.3)
            for caller in rng.choice(callee, size=callers, replace=False):
                lag = max(1, round(rng.uniform(1.0, 4.0) / spec.interval_s))
                edges.append(Edge(int(caller), callee, float(rng.uniform(0.4, 1.2)), lag))
        names = rng.permutation(_WORDS)[: spec.services]
        nodes = max(2, spec.services // 3)
        return cls(tuple(map(str, names)), tuple(edges), rng.integers(nodes, size=spec.services))


@dataclass(frozen=True, slots=True)
class PlantedFault:
    """A fault at the service with index ``service`` from row ``row`` on."""

    kind: Fault
    service: int
    row: int


def simulate(
    spec: World,
    topology: Topology,
    fault: PlantedFault,
    noise: np.random.Generator,
    sizes: np.random.Generator,
) -> dict[str, FloatArray]:
    """Every metric of the world: name -> (rows, services).

    ``noise`` is drawn from in the same order whatever the fault, so rows before the onset are those
    of the healthy world; ``sizes`` says how large the fault is.
    """
    rate = _request_rate(spec, topology, fault, noise, sizes)
    own = _own_behaviour(spec, topology, rate / np.median(rate[: fault.row], axis=0), noise)
    _plant(spec, fault, own, sizes)
    _propagate(topology, own["latency_p50"], own["error_ratio"])
    shape = (spec.rows, spec.services)
    tail = noise.uniform(1.8, 3.0, spec.services) * np.exp(np.abs(0.08 * _ar1(noise, shape, 0.5)))
    return {
        **own,
        "request_rate": rate,
        "latency_p95": own["latency_p50"] * tail,
        "error_ratio": np.minimum(own["error_ratio"], 1.0),
    }


def _request_rate(
    spec: World,
    topology: Topology,
    fault: PlantedFault,
    noise: np.random.Generator,
    sizes: np.random.Generator,
) -> FloatArray:
    """Users' load at the first service and what each service passes on."""
    users = noise.uniform(60, 200)
    wave = _wave(spec, noise)
    load = 1 + 0.2 * np.sin(_day(spec, noise)) + 0.03 * _ar1(noise, (spec.rows, 1), 0.95)[:, 0]
    if "load" in spec.latent:
        load = load + 0.15 * wave
    rate = 0.02 * users * _ar1(noise, (spec.rows, spec.services), 0.6)
    rate[:, 0] += users * load
    if fault.kind == "traffic":
        surge = spec.intensity * users * sizes.uniform(2.0, 4.0)
        rate[:, fault.service] += surge * _ramp(spec, fault.row, 3)
    for edge in topology.edges:  # by callee: a service's rate is whole before it is passed on
        rate[:, edge.callee] += edge.calls * _lagged(rate[:, edge.caller], edge.lag)
    return np.maximum(rate, 0.1)


def _own_behaviour(
    spec: World, topology: Topology, busy: FloatArray, noise: np.random.Generator
) -> dict[str, FloatArray]:
    """What each service does by itself; ``busy`` is its request rate over its usual one."""
    shape, m = (spec.rows, spec.services), spec.services
    contention = _ar1(noise, (spec.rows, int(topology.node_of.max()) + 1), 0.97)
    shared = contention[:, topology.node_of] if "node" in spec.latent else np.zeros(shape)
    breathing = 4 * np.sin(_day(spec, noise))[:, None]  # MiB, over the day
    return {
        "cpu": np.maximum(
            2 + noise.uniform(4, 18, m) * busy + 1.5 * _ar1(noise, shape, 0.7) + 3 * shared, 0.1
        ),
        "memory": _MIB * (noise.uniform(80, 600, m) + 1.5 * _ar1(noise, shape, 0.98) + breathing),
        "disk_io": _MIB
        * noise.uniform(0.05, 1.0, m)
        * busy
        * np.exp(0.15 * _ar1(noise, shape, 0.5)),
        "latency_p50": noise.uniform(0.004, 0.03, m)
        * np.exp(0.06 * _ar1(noise, shape, 0.8) + 0.04 * shared + 0.25 * (busy - 1)),
        "error_ratio": 0.004 * np.exp(0.5 * _ar1(noise, shape, 0.5)),
    }


def _plant(
    spec: World, fault: PlantedFault, own: dict[str, FloatArray], sizes: np.random.Generator
) -> None:
    """Adds the fault to its service's own behaviour, in place."""
    cpu, memory, disk, latency, errors = (
        own[metric][:, fault.service]
        for metric in ("cpu", "memory", "disk_io", "latency_p50", "error_ratio")
    )
    sudden = spec.intensity * _ramp(spec, fault.row, 3)
    gradual = spec.intensity * _ramp(spec, fault.row, 20)
    if fault.kind == "cpu":
        cpu += sudden * sizes.uniform(55, 90)
        latency *= 1 + sudden * sizes.uniform(0.5, 1.5)
    elif fault.kind == "memory":
        memory += gradual * sizes.uniform(150, 400) * _MIB
        cpu += gradual * sizes.uniform(3, 8)  # the collector works harder
        latency *= 1 + gradual * sizes.uniform(0.2, 0.6)
    elif fault.kind == "latency":
        latency *= 1 + sudden * sizes.uniform(4, 10)
    elif fault.kind == "network_delay":
        latency += sudden * sizes.uniform(0.1, 0.4)
    elif fault.kind == "error":
        errors += sudden * sizes.uniform(0.2, 0.5)
        latency *= 1 - 0.2 * _ramp(spec, fault.row, 3)  # failing is fast
    elif fault.kind == "disk":
        disk += sudden * sizes.uniform(20, 60) * _MIB
        latency *= 1 + sudden * sizes.uniform(0.8, 2.0)


def _propagate(topology: Topology, latency: FloatArray, errors: FloatArray) -> None:
    """Adds to every caller, in place, what it waits for and what fails it."""
    for edge in reversed(topology.edges):  # a callee is whole before its callers wait for it
        share = min(1.0, edge.calls)
        latency[:, edge.caller] += 0.7 * share * _lagged(latency[:, edge.callee], edge.lag)
        errors[:, edge.caller] += 0.5 * share * _lagged(errors[:, edge.callee], edge.lag)


def _ar1(rng: np.random.Generator, shape: tuple[int, int], phi: float) -> FloatArray:
    """(rows, columns) of stationary AR(1) noise: unit variance, lag-1 autocorrelation ``phi``."""
    values = rng.standard_normal(shape)
    values[1:] *= np.sqrt(1 - phi**2)
    for t in range(1, shape[0]):
        values[t] += phi * values[t - 1]
    return values


def _day(spec: World, rng: np.random.Generator) -> FloatArray:
    """The phase of the day at each row, radians, starting anywhere."""
    return (
        2
        * np.pi
        * (np.arange(spec.rows, dtype=np.float64) * spec.interval_s / _DAY_S + rng.random())
    )


def _wave(spec: World, rng: np.random.Generator) -> FloatArray:
    """A slow swell, one to four minutes long, never quite regular."""
    period_s, phase = rng.uniform(60, 240), rng.uniform(0, 2 * np.pi)
    wander = 0.02 * np.cumsum(rng.standard_normal(spec.rows))
    swell = np.sin(
        2 * np.pi * np.arange(spec.rows, dtype=np.float64) * spec.interval_s / period_s
        + phase
        + wander
    )
    return np.asarray(swell, dtype=np.float64)


def _ramp(spec: World, row: int, seconds: float) -> FloatArray:
    """0 before ``row``, rising to 1 within ``seconds``."""
    length = max(1, round(seconds / spec.interval_s))
    return np.clip((np.arange(spec.rows, dtype=np.float64) - row + 1) / length, 0.0, 1.0)


def _lagged(column: FloatArray, lag: int) -> FloatArray:
    """The column ``lag`` rows late; its first value fills the gap."""
    return np.concatenate([np.full(lag, column[0]), column[:-lag]])
