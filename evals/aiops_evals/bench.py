"""The published speeds, written from what ``make bench`` measured and never by hand.

``python -m aiops_evals.bench MEASURED.json OUT.md``, the first as pytest-benchmark writes it. A
benchmark's extra info may say what was "asked", and what was "reached" where its own median does
not; everything else in it is a ratio or a size of the same run.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiops_evals import provenance
from aiops_evals.rca import write_atomically
from aiops_evals.tables import markdown

_OWN_COLUMN = frozenset({"asked", "reached"})


def report(measured: Mapping[str, Any]) -> str:
    """Markdown: the machine, and one line a benchmark."""
    machine = provenance.machine()
    where = (
        f"`make bench` on {machine['cores']} cores, {machine['architecture']}, "
        f"Python {machine['python']}, {measured['datetime'][:10]}. Medians of one run; the "
        "tests assert ratios of the same run, memory and answers, never times."
    )
    head = ("what", "asked", "reached", "in the same run")
    table = markdown(head, map(_line, measured["benchmarks"]), names=1)
    return f"# Speed\n\n{where}\n\n{table}\n"


def _line(benchmark: Mapping[str, Any]) -> tuple[str, ...]:
    extra = benchmark["extra_info"]
    params = benchmark["params"] or {}
    what = [benchmark["group"] or benchmark["name"], *(f"{k} {_amount(params[k])}" for k in params)]
    rest = {name: extra[name] for name in extra if name not in _OWN_COLUMN and name not in params}
    return (
        ", ".join(what),
        extra.get("asked", "-"),
        extra.get("reached", _duration(benchmark["stats"]["median"])),
        ", ".join(f"{name.replace('_', ' ')} {_amount(rest[name])}" for name in rest),
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.1f} ms"


def _amount(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    write_atomically(target, report(json.loads(source.read_text(encoding="utf-8"))))
