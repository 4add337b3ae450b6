"""A process's numbers in Prometheus' text format (exposition 0.0.4)."""

from __future__ import annotations

import os
import resource
import time
from bisect import bisect_left
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_PAGE = resource.getpagesize()
Labels = tuple[tuple[str, str], ...]


class Meter:
    """Counters, gauges read when scraped, and latency histograms."""

    def __init__(self, constant: Labels) -> None:
        self._constant = constant
        self._counters: dict[str, dict[Labels, float]] = {}
        self._gauges: dict[str, list[tuple[Labels, Callable[[], float]]]] = {}
        self._histograms: dict[str, dict[Labels, _Histogram]] = {}

    def count(self, name: str, labels: Labels = (), by: float = 1.0) -> None:
        """Add to a counter."""
        series = self._counters.setdefault(name, {})
        series[labels] = series.get(labels, 0.0) + by

    def gauge(self, name: str, read: Callable[[], float], labels: Labels = ()) -> None:
        """A number that is asked for at every scrape; a name on "_total" is a counter."""
        self._gauges.setdefault(name, []).append((labels, read))

    def observe(self, name: str, seconds: float, labels: Labels) -> None:
        """Add one duration to a histogram."""
        series = self._histograms.setdefault(name, {})
        if labels not in series:
            series[labels] = _Histogram()
        series[labels].add(seconds)

    def text(self) -> str:
        """Everything, as a scrape reads it."""
        lines: list[str] = []
        for name, series in self._counters.items():
            lines.append(f"# TYPE {name} counter")
            lines += [f"{name}{self._braces(labels)} {v:.10g}" for labels, v in series.items()]
        for name, reads in self._gauges.items():
            kind = "counter" if name.endswith("_total") else "gauge"
            lines.append(f"# TYPE {name} {kind}")
            lines += [f"{name}{self._braces(labels)} {read():.10g}" for labels, read in reads]
        for name, histograms in self._histograms.items():
            lines.append(f"# TYPE {name} histogram")
            for labels, histogram in histograms.items():
                lines += histogram.lines(name, labels, self._braces)
        return "\n".join(lines) + "\n"

    def _braces(self, labels: Labels) -> str:
        inner = ",".join(f'{key}="{_escaped(value)}"' for key, value in self._constant + labels)
        return f"{{{inner}}}" if inner else ""


class _Histogram:
    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS_S) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(BUCKETS_S, seconds)] += 1
        self._sum += seconds

    def lines(self, name: str, labels: Labels, braces: Callable[[Labels], str]) -> list[str]:
        total, lines = 0, []
        for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), self._counts, strict=True):
            total += count
            lines.append(f"{name}_bucket{braces((*labels, ('le', bound)))} {total}")
        return [
            *lines,
            f"{name}_sum{braces(labels)} {self._sum:.10g}",
            f"{name}_count{braces(labels)} {total}",
        ]


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def add_process(meter: Meter) -> None:
    """The process's own CPU seconds, resident bytes, open files and start."""
    started = time.time()
    statm = Path("/proc/self/statm")
    meter.gauge("process_cpu_seconds_total", time.process_time)
    meter.gauge("process_resident_memory_bytes", lambda: int(statm.read_bytes().split()[1]) * _PAGE)
    meter.gauge("process_open_fds", lambda: len(os.listdir("/proc/self/fd")))  # noqa: PTH208 - plain and cheap
    meter.gauge("process_start_time_seconds", lambda: started)
