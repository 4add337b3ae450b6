"""How much hangs on each constant, as JSON and as Markdown."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aiops_evals import provenance
from aiops_evals.constants import PACKAGE, Constant
from aiops_evals.sensitivity import HANGS, Measured, Plan, Trial
from aiops_evals.tables import markdown, share

LEGEND = (
    f"hangs: a set loses more than {HANGS:.2f} of its AC@1. Counts are halved towards zero. A "
    "number that changes nothing here bounds a size or a sentence, or decides confidence and "
    "verdict, which AC@1 does not see, or something no case of the sample turns on."
)


def result(
    plan: Plan, measured: Iterable[Measured], *, identity: Mapping[str, Any], partial: bool = False
) -> dict[str, Any]:
    """The table as JSON: header and one row a constant.

    Each row has, for "halved" and "doubled", the value and the right cases of every set; None
    where there is no such value, or the run was stopped before it.

    Args:
        identity: ``plan.identity()`` as it was when the run began.
        partial: the run was stopped before its end.
    """
    by_key = {one.key: one for one in measured}
    clean = by_key.get(Trial(plan.sample, plan.seed).key)
    n = Counter(location.dataset for location in plan.sample)
    hits = {} if clean is None else _hits(plan, clean)
    rows = [] if clean is None else [_row(plan, one, by_key, hits, n) for one in plan.constants]
    return {
        "header": {
            "schema": "aiops.constants/1",
            "partial": partial,
            **identity,
            "jobs": plan.jobs,
            "versions": provenance.versions(),
            "machine": provenance.machine(),
            "command": provenance.command_line(),
            "cases": dict(n),
            "clean": hits,
            "without_reason": [_place(one) for one in plan.constants if not one.reason],
        },
        "rows": rows,
    }


def _row(
    plan: Plan,
    constant: Constant,
    by_key: Mapping[str, Measured],
    clean: Mapping[str, int],
    n: Mapping[str, int],
) -> dict[str, Any]:
    changes = {
        change: _change(plan, constant, value, by_key)
        for change, value in (("halved", constant.halved), ("doubled", constant.doubled))
    }
    hangs = [
        {"dataset": dataset, "change": change, "loss": (clean[dataset] - hits) / n[dataset]}
        for change, tried in changes.items()
        if tried is not None
        for dataset, hits in tried["hits"].items()
        if (clean[dataset] - hits) / n[dataset] > HANGS
    ]
    return {
        "module": constant.module,
        "name": constant.name,
        "value": constant.value,
        "reason": constant.reason,
        **changes,
        "hangs": hangs,
    }


def _change(
    plan: Plan, constant: Constant, value: float | None, by_key: Mapping[str, Measured]
) -> dict[str, Any] | None:
    tried = by_key.get(Trial(plan.sample, plan.seed, constant, value).key)
    if value is None or tried is None:
        return None
    return {"value": value, "hits": _hits(plan, tried), "failed": tried.failed}


def _hits(plan: Plan, measured: Measured) -> dict[str, int]:
    """Set -> cases whose rank 1 was right."""
    hits = dict.fromkeys(plan.datasets, 0)
    for location, right in zip(plan.sample, measured.right, strict=True):
        hits[location.dataset] += right
    return hits


def report(evaluation: Mapping[str, Any]) -> str:
    """The whole table: what was run, what hangs, what changes, what does not, the legend."""
    header, rows = evaluation["header"], evaluation["rows"]
    changing = sorted((row for row in rows if _moved(header, row)), key=lambda r: not r["hangs"])
    still = [row for row in rows if not _moved(header, row)]
    return "\n\n".join([*_head(header, rows, changing), *_still(still), LEGEND]) + "\n"


def _head(
    header: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], changing: Sequence[Any]
) -> Iterator[str]:
    machine, n = header["machine"], header["cases"]
    yield "# AC@1 with each constant halved and doubled" + (
        " (stopped early: partial)" if header["partial"] else ""
    )
    yield (
        f"`{header['command']}`\n"
        f"seed {header['seed']} · commit {(header['commit'] or 'none')[:12]} · "
        f"code {header['code'][:12]} · {machine['cores']} cores, {machine['architecture']}, "
        f"Python {machine['python']}, {machine['date']} · {header['jobs']} jobs"
    )
    yield (
        f"The default method on a sample of {sum(n.values())} cases, every fault type of a set in "
        "turn: AC@1 at service level, at object and fault where a set's answers are objects. Of "
        f"{len(rows)} constants, {len(changing)} change some AC@1, "
        f"{sum(bool(row['hangs']) for row in rows)} of them so much that it hangs on them."
    )
    if missing := header["without_reason"]:
        yield f"Without a reason beside it: {', '.join(missing)}."
    yield markdown(
        ("set", "AC@1 as it is"),
        ((dataset, share(header["clean"][dataset], n[dataset])) for dataset in header["clean"]),
        names=1,
    )
    yield "## What changes"
    yield markdown(
        ("module", "constant", "value", "set", "as it is", "halved", "doubled", "failed", ""),
        (line for row in changing for line in _lines(header, row)),
    )


def _lines(header: Mapping[str, Any], row: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """One line for each set that the constant changes."""
    hanging = {one["dataset"] for one in row["hangs"]}
    failed = sum(row[change]["failed"] for change in ("halved", "doubled") if row[change])
    for dataset in _moved(header, row):
        n = header["cases"][dataset]
        yield (
            row["module"].removeprefix(f"{PACKAGE}."),
            row["name"],
            _number(row["value"]),
            dataset,
            f"{header['clean'][dataset] / n:.3f}",
            *(
                "-" if row[change] is None else f"{row[change]['hits'][dataset] / n:.3f}"
                for change in ("halved", "doubled")
            ),
            str(failed or ""),
            "hangs" if dataset in hanging else "",
        )


def _still(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not rows:
        return
    by_module: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        module = row["module"].removeprefix(f"{PACKAGE}.")
        by_module[module].append(f"{row['name']} = {_number(row['value'])}")
    yield "## What changes nothing"
    yield "\n".join(f"- {module}: {', '.join(names)}" for module, names in by_module.items())


def _moved(header: Mapping[str, Any], row: Mapping[str, Any]) -> list[str]:
    """The sets whose AC@1 the constant changes, those that lose most first."""
    clean = header["clean"]
    tried = [row[change]["hits"] for change in ("halved", "doubled") if row[change] is not None]
    moved = [d for d in clean if any(hits[d] != clean[d] for hits in tried)]
    return sorted(moved, key=lambda d: min(hits[d] - clean[d] for hits in tried))


def _place(constant: Constant) -> str:
    return f"{constant.module.removeprefix(f'{PACKAGE}.')}.{constant.name}"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
