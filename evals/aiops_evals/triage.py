"""``aiops eval triage``: which instance, which fault, and out of one pass over the metrics.

Two kinds of data sets: alert lists, on which a ranker and triager is learned from past incidents,
and metric sets with a fault-free part, on which one pass detects, triages and localises.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aiops.errors import InvalidInput, UnknownName
from aiops_evals import alert_lists, one_pass, provenance
from aiops_evals.rca import write_atomically
from aiops_evals.sweep import sweep
from aiops_evals.tables import markdown

Task = alert_lists.Task | one_pass.Task
Found = list[alert_lists.Line] | one_pass.Result


@dataclass(frozen=True, slots=True)
class Plan:
    """One evaluation, fully named.

    Attributes:
        seeds: shuffled folds are drawn so many times, with seeds 0, 1, ...
        limit: at most so many cases of each set; None for all.
    """

    root: Path
    datasets: tuple[str, ...]
    seeds: int = 5
    jobs: int = 1
    limit: int | None = None


def make_plan(
    root: Path,
    *,
    datasets: Sequence[str] = (),
    seeds: int = 5,
    jobs: int | None = None,
    limit: int | None = None,
) -> Plan:
    """A plan whose sets all exist.

    Raises:
        InvalidInput: ``root`` is no folder or holds no data set.
        UnknownName: there is no such data set.
    """
    from aiops_datasets.catalog import datasets as catalogued

    if not root.is_dir():
        raise InvalidInput(f"{root} is no folder; give the folder of the data sets with --data")
    present = catalogued(root)
    if not present:
        raise InvalidInput(f"{root} holds no data set; see `aiops datasets list`")
    for name in datasets:
        if name not in present:
            raise UnknownName("dataset", name, present)
    chosen = tuple(dict.fromkeys(datasets)) or present
    return Plan(root, chosen, seeds, jobs or os.cpu_count() or 1, limit)


def tasks(plan: Plan) -> list[Task]:
    """One task for each alert list and seed, and one for each other set."""
    from aiops_datasets.catalog import locations

    found: list[Task] = []
    for dataset in plan.datasets:
        first = next(locations(plan.root, dataset))
        if first.path.is_file():  # a line of an alert list
            seeds = (*range(plan.seeds), None)
            found += [alert_lists.Task(plan.root, dataset, seed, plan.limit) for seed in seeds]
        else:
            found.append(one_pass.Task(plan.root, dataset, plan.seeds, plan.limit))
    return found


def execute(plan: Plan) -> Iterator[Found]:
    """What each task found, as they finish."""
    todo = tasks(plan)
    for done in sweep(todo, _run, jobs=min(plan.jobs, len(todo)), split=_parts):
        yield from done.results


def _run(task: Task) -> Found:
    return alert_lists.run(task) if isinstance(task, alert_lists.Task) else one_pass.run(task)


def _parts(task: Task) -> tuple[Task, ...]:
    return task.parts()


def result(plan: Plan, found: Sequence[Found]) -> dict[str, Any]:
    """The evaluation as JSON: header and rows; each row names its task."""
    lines = [line for one in found if not isinstance(one, one_pass.Result) for line in one]
    passes = [one for one in found if isinstance(one, one_pass.Result)]
    passes.sort(key=lambda one: plan.datasets.index(one.dataset))
    rows: list[dict[str, Any]] = [*_alert_rows(plan, lines)]
    for one in passes:
        rows += [{"task": "detection", **asdict(line)} for line in one.detection]
        rows += [{"task": "localisation", **asdict(line)} for line in one.location]
        rows += [{"task": "triage", **asdict(line)} for line in one.triage]
    header = {
        "schema": "aiops.eval.triage/1",
        "seeds": plan.seeds,
        "commit": provenance.commit(),
        "code": provenance.code_checksum(),
        "datasets": {name: provenance.dataset_checksum(plan.root, name) for name in plan.datasets},
        "limit": plan.limit,
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "command": provenance.command_line(),
        "passes": [
            {
                "dataset": one.dataset,
                "detected": one.detected,
                "delay_s": one.delay_s,
                "false_incidents": one.false_incidents,
                "healthy_hours": one.healthy_hours,
            }
            for one in passes
            if not one.skipped
        ],
        "skipped": [
            {"dataset": one.dataset, "reason": one.skipped} for one in passes if one.skipped
        ],
    }
    return {"header": header, "rows": rows}


_MEASURES = ("hr1", "hr3", "macro_f1", "weighted_f1", "unknown")
_METHODS = ("learned", alert_lists.ONE_SERVICE_OUT, "label-free", "alert count", "majority class")


def _alert_rows(plan: Plan, lines: Sequence[alert_lists.Line]) -> Iterator[dict[str, Any]]:
    """Per set and method the mean over seeds of each measure, and its standard deviation."""
    for dataset in plan.datasets:
        for method in _METHODS:
            own = [line for line in lines if (line.dataset, line.method) == (dataset, method)]
            if not own:
                continue
            row: dict[str, Any] = {"task": "alert list", "dataset": dataset, "method": method}
            row |= {"n": own[0].n, "runs": len(own)}
            for name in _MEASURES:
                values = [getattr(line, name) for line in own]
                known = [value for value in values if value is not None]
                row[name] = float(np.mean(known)) if known else None
                row[f"{name}_sd"] = float(np.std(known)) if known else None
            yield row


def as_json(evaluation: Mapping[str, Any]) -> str:
    """``evaluation`` as text."""
    return json.dumps(evaluation, indent=1, allow_nan=False) + "\n"


def write(path: Path, evaluation: Mapping[str, Any]) -> None:
    """Writes ``path`` whole or not at all."""
    write_atomically(path, as_json(evaluation))


LEGEND = (
    "HR@k: share of incidents whose culprit instance is among the first k. F1: macro over the "
    "fault types (w: weighted by their frequency), of the nearest label even where the incident "
    "is called unknown. ±: standard deviation over seeds of 5 shuffled folds, stratified by "
    "service and fault type. service unseen: learned without any fault of the culprit's service. "
    "Detection windows are a minute or a sample long; one is alarmed while an incident is open. "
    "An incident that was not detected counts as wrong in triage and localisation."
)


def report(evaluation: Mapping[str, Any]) -> str:
    """The whole evaluation as Markdown: every table that has a line, and the legend."""
    header, rows = evaluation["header"], evaluation["rows"]
    sections = ["# Triage", _run_line(header), "\n".join(f"- {note}" for note in NOTES)]
    sections += [f"- {line['dataset']}: skipped: {line['reason']}" for line in header["skipped"]]
    for title, task, columns in _TABLES:
        own = [row for row in rows if row["task"] == task]
        if own:
            names = ("set", "method", *(head for head, _ in columns))
            body = [
                (row["dataset"], row["method"], *(_cell(row, name) for _, name in columns))
                for row in own
            ]
            sections += [f"## {title}", markdown(names, body)]
    if header["passes"]:
        sections += [_passes(header["passes"])]
    short = list(_shortfalls(rows))
    if short:
        sections += ["## Where one pass falls short\n\n" + "\n".join(f"- {line}" for line in short)]
    return "\n\n".join([*sections, LEGEND]) + "\n"


NOTES = (
    (
        "Methods and their constants were tuned with these cases in view: independent ones will "
        "score lower. Names are compared exactly; candidates are shuffled by the seed."
    ),
    (
        "learned: from past incidents of the same system, in the set's own fault labels. "
        "label-free: no past and no labels; its fault types are in our vocabulary, to which the "
        "truth is mapped."
    ),
)


def _run_line(header: Mapping[str, Any]) -> str:
    machine = header["machine"]
    data = ", ".join(f"{name} {checksum[:12]}" for name, checksum in header["datasets"].items())
    return (
        f"`{header['command']}`\n"
        f"seeds 0-{header['seeds'] - 1} · commit {(header['commit'] or 'none')[:12]} · "
        f"code {header['code'][:12]} · {machine['cores']} cores, {machine['architecture']}, "
        f"Python {machine['python']}, {machine['date']}\n"
        f"data (sha256): {data}"
    )


_TABLES: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Alert lists: culprit instance and fault type",
        "alert list",
        (
            ("n", "n"),
            ("HR@1", "hr1"),
            ("HR@3", "hr3"),
            ("F1", "macro_f1"),
            ("w F1", "weighted_f1"),
            ("unknown", "unknown"),
        ),
    ),
    (
        "One pass: detection, by windows",
        "detection",
        (
            ("windows", "windows"),
            ("faulty", "faulty"),
            ("precision", "precision"),
            ("recall", "recall"),
            ("F1", "f1"),
        ),
    ),
    (
        "One pass: localisation, service level",
        "localisation",
        (("n", "n"), ("AC@1", "ac1"), ("AC@3", "ac3"), ("AC@5", "ac5")),
    ),
    (
        "One pass: triage",
        "triage",
        (("n", "n"), ("classes", "classes"), ("F1", "macro_f1"), ("unknown", "unknown")),
    ),
)


_COMPARED = (
    ("detection", "one pass", "f1", "F1"),
    ("localisation", "one pass", "ac1", "AC@1"),
    ("triage", "nearest past incidents", "macro_f1", "F1"),
)


def _shortfalls(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Each set on which a baseline beats what the pass found, in words."""
    for task, method, measure, name in _COMPARED:
        of_task = [row for row in rows if row["task"] == task]
        for own in (row for row in of_task if row["method"] == method):
            rivals = [row for row in of_task if row["dataset"] == own["dataset"]]
            best = max(rivals, key=lambda row: row[measure])
            if best[measure] > own[measure]:
                yield (
                    f"{own['dataset']}, {task}: {name} {own[measure]:.3f}, "
                    f"{best['method']} {best[measure]:.3f}"
                )


def _cell(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if value is None:
        return "-"
    if isinstance(value, int):
        return str(value)
    spread = row.get(f"{name}_sd", row.get("spread") if name == "macro_f1" else None)
    runs = row.get("runs", 2)
    return f"{value:.3f}" + (f" ± {spread:.3f}" if spread is not None and runs > 1 else "")


def _passes(passes: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for one in passes:
        delay = "-" if one["delay_s"] is None else f"{one['delay_s']:.0f} s"
        lines.append(
            (
                one["dataset"],
                str(one["detected"]),
                delay,
                str(one["false_incidents"]),
                f"{one['healthy_hours']:.1f}",
            )
        )
    head = ("set", "detected", "median delay", "false incidents", "healthy hours")
    return "## One pass: incidents\n\n" + markdown(head, lines, names=1)
