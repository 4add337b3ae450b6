"""What there is to say about a running lab."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiops_lab.load.record import Seen


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service now.

    Attributes:
        requests_s, p99_ms, errors_s: served by its pods over the last seconds, by their metrics.
        cores, resident: of all its pods' processes; bytes.
    """

    name: str
    ready: int
    pods: int
    restarts: int
    waiting: str
    requests_s: float
    p99_ms: float
    errors_s: float
    cores: float
    resident: int


@dataclass(frozen=True, slots=True)
class ProgramStatus:
    """A program beside the lab, such as its Prometheus: where it is, and whether it answers."""

    name: str
    url: str
    up: bool
    restarts: int


@dataclass(frozen=True, slots=True)
class LabStatus:
    """A lab now.

    Attributes:
        kubernetes: the administrator's kubeconfig, where there is an API.
        rate: of users' requests a second, as wanted; seen: what they got of late.
        requests, errors: of users, since they came.
        own_cores, own_resident: of the lab, its zygote, network and load.
        programs: what watches it; not counted as its own.
        at: when this was so, empty where it stays so.
        unwritten: why its folder takes nothing, such as a full disk.
    """

    topology: str
    pid: int
    folder: str
    started: str
    front_end: str
    kubernetes: str | None
    targets: str
    rate: float
    services: tuple[ServiceStatus, ...]
    seen: tuple[Seen, ...]
    requests: int
    errors: int
    own_cores: float
    own_resident: int
    programs: tuple[ProgramStatus, ...] = ()
    at: str = ""
    unwritten: str = ""

    @property
    def ready(self) -> bool:
        """Whether every pod of every service is ready."""
        return all(0 < one.pods == one.ready for one in self.services)

    @property
    def cores(self) -> float:
        """CPU of everything, load included."""
        return self.own_cores + sum(one.cores for one in self.services)

    @property
    def resident(self) -> int:
        """Resident bytes of everything; pages that processes share are counted in each."""
        return self.own_resident + sum(one.resident for one in self.services)


def to_json(status: LabStatus) -> dict[str, Any]:
    """As ``aiops lab status --json`` prints it."""
    return {"schema": "aiops.lab/1", "ready": status.ready, **asdict(status)}


def from_json(document: dict[str, Any]) -> LabStatus:
    """Back again."""
    fields = {k: v for k, v in document.items() if k not in {"schema", "ready"}}
    fields["services"] = tuple(ServiceStatus(**one) for one in fields["services"])
    fields["seen"] = tuple(Seen(**one) for one in fields["seen"])
    fields["programs"] = tuple(ProgramStatus(**one) for one in fields["programs"])
    return LabStatus(**fields)


def proportional_bytes(pids: list[int]) -> int:
    """Memory of processes with shared pages divided between those who share them (PSS)."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        except OSError:
            continue  # it has ended meanwhile
        total += next((int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")), 0)
    return total
