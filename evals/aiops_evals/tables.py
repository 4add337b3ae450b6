"""An evaluation as Markdown: one table a question, columns of fixed width."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aiops_evals.compare import is_ablation
from aiops_evals.healthy import POOLED
from aiops_evals.levels import LEVELS
from aiops_evals.rows import ALL, Row
from aiops_evals.stress import CLEAN, SHIFTS, VARIANTS

# Up to here a share is printed with its counts (notes: measures, "Accuracy").
SMALL_N = 60
CASES_NAMED = 3

LEGEND = (
    "AC@k: share of cases whose cause is among the first k. Avg@5: mean of AC@1..5. MRR: mean "
    "1/rank. 95 %: Wilson interval of AC@1. ms: median time to rank one case, loading apart. "
    "missed: faulty cases with another verdict than root_cause; their order still counts. "
    "A failed or abstaining method (no suspect at all) counts as wrong."
)


def markdown(head: Sequence[str], body: Iterable[Sequence[str]], *, names: int = 2) -> str:
    """A Markdown table; the first ``names`` columns to the left, the others to the right.

    A bar inside a cell is escaped, a line break becomes a blank.
    """
    lines = [[_cell(text) for text in line] for line in (head, *body)]
    widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(head))]
    rule = ["-" * width if i < names else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    padded = [
        [
            text.ljust(width) if i < names else text.rjust(width)
            for i, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in (lines[0], rule, *lines[1:])
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in padded)


def share(hits: int, n: int) -> str:
    """A share, with its counts where they are few: "0.967 (29/30)"."""
    return f"{hits / n:.3f} ({hits}/{n})" if n <= SMALL_N else f"{hits / n:.3f}"


def report(evaluation: Mapping[str, Any]) -> str:
    """The whole evaluation: what was run, every table that has a line, the legend."""
    sections = (
        section for make in _SECTIONS for section in make(evaluation["header"], evaluation["rows"])
    )
    return "\n\n".join(sections) + "\n"


def _run(header: Mapping[str, Any], _rows: Sequence[Row]) -> Iterator[str]:
    machine = header["machine"]
    yield "# Root-cause ranking" + (" (stopped early: partial)" if header["partial"] else "")
    yield (
        f"`{header['command']}`\n"
        f"seed {header['seed']} · commit {(header['commit'] or 'none')[:12]} · "
        f"code {header['code'][:12]} · {machine['cores']} cores, {machine['architecture']}, "
        f"Python {machine['python']}, {machine['date']} · {header['jobs']} jobs"
    )
    notes = [*header["notes"], *(_skip(line) for line in header["skipped"])]
    yield "\n".join(f"- {note}" for note in notes)


def _skip(line: Mapping[str, Any]) -> str:
    cases = "1 case" if line["n"] == 1 else f"{line['n']} cases"
    return f"{line['dataset']}: {cases} skipped: {line['reason']}"


def _levels(_header: Mapping[str, Any], rows: Sequence[Row]) -> Iterator[str]:
    for level in LEVELS:
        chosen = [
            row
            for row in _of(rows, level=level, fault_type=ALL, variant=CLEAN)
            if not is_ablation(row["method"])
        ]
        if chosen:
            yield f"## {level.capitalize()} level"
            yield markdown(
                _ACCURACY_HEAD,
                (_accuracy_line(row) for row in chosen),
            )


_ACCURACY_HEAD = (
    *("set", "method", "n", "AC@1", "95 %", "AC@3", "AC@5", "Avg@5", "MRR", "ms"),
    *("missed", "failed", "abstained"),
)


def _accuracy_line(row: Row) -> tuple[str, ...]:
    n = row["n"]
    return (
        row["dataset"],
        row["method"],
        str(n),
        share(row["hits1"], n),
        f"{row['ac1_low']:.2f}-{row['ac1_high']:.2f}",
        share(row["hits3"], n),
        share(row["hits5"], n),
        f"{row['avg5']:.3f}",
        f"{row['mrr']:.3f}",
        f"{row['ms_per_case']:.1f}",
        *(str(row[name]) for name in ("missed", "failed", "abstained")),
    )


def _fault_types(header: Mapping[str, Any], rows: Sequence[Row]) -> Iterator[str]:
    method = header["methods"][0]
    chosen = [
        row
        for row in _of(rows, level="service", method=method, variant=CLEAN)
        if row["fault_type"] != ALL
    ]
    if chosen:
        yield f"## By fault type: {method}, service level"
        yield markdown(
            ("set", "fault type", "n", "AC@1", "AC@3", "Avg@5", "MRR", "missed"),
            (
                (
                    row["dataset"],
                    row["fault_type"],
                    str(row["n"]),
                    share(row["hits1"], row["n"]),
                    share(row["hits3"], row["n"]),
                    f"{row['avg5']:.3f}",
                    f"{row['mrr']:.3f}",
                    str(row["missed"]),
                )
                for row in sorted(chosen, key=lambda row: (row["dataset"], row["fault_type"]))
            ),
        )


def _labels(header: Mapping[str, Any], _rows: Sequence[Row]) -> Iterator[str]:
    if header.get("labels"):
        yield f"## By the sets' own labels: {header['methods'][0]}"
        yield markdown(
            ("set", "label", "n", "AC@1", "AC@3", "missed"),
            (
                (
                    line["dataset"],
                    line["label"],
                    str(line["n"]),
                    share(line["hits1"], line["n"]),
                    share(line["hits3"], line["n"]),
                    str(line["missed"]),
                )
                for line in header["labels"]
            ),
        )


def _misses(header: Mapping[str, Any], _rows: Sequence[Row]) -> Iterator[str]:
    if header.get("misses"):
        yield f"## Misses: {header['methods'][0]}"
        yield markdown(
            ("set", "case", "label", "answer", "verdict", "rank", "named first"),
            (
                (
                    line["dataset"],
                    line["case"],
                    line["label"],
                    ", ".join(line["answer"]) or "nothing",
                    line["verdict"],
                    "-" if line["rank"] is None else str(line["rank"]),
                    ", ".join(line["named"]) or "nobody",
                )
                for line in header["misses"]
            ),
            names=5,
        )


def _ablation(header: Mapping[str, Any], rows: Sequence[Row]) -> Iterator[str]:
    left_out = [method for method in header["methods"] if is_ablation(method)]
    if not left_out:
        return
    parents = {method.partition("/")[0] for method in left_out}
    whole = [method for method in header["methods"] if method in parents]
    for level in LEVELS:
        chosen = _of(rows, level=level, fault_type=ALL, variant=CLEAN)
        sets = list(dict.fromkeys(row["dataset"] for row in chosen))
        cells = {(row["method"], row["dataset"]): f"{row['ac1']:.3f}" for row in chosen}
        if sets:
            yield f"## Without each part: AC@1 at {level} level"
            yield markdown(
                ("method", *sets),
                (
                    (method, *(cells.get((method, dataset), "-") for dataset in sets))
                    for method in (*whole, *left_out)
                ),
                names=1,
            )


def _stress(header: Mapping[str, Any], rows: Sequence[Row]) -> Iterator[str]:
    variants = (CLEAN, *VARIANTS)
    for dataset in dict.fromkeys(row["dataset"] for row in rows if row["variant"] in VARIANTS):
        for level in LEVELS:
            chosen = _of(rows, dataset=dataset, level=level, fault_type=ALL)
            if all(row["variant"] not in VARIANTS for row in chosen):
                continue
            cells = {
                (row["method"], row["variant"]): share(row["hits1"], row["n"]) for row in chosen
            }
            yield f"## Under stress: {dataset}, AC@1 at {level} level"
            yield markdown(
                ("method", *variants),
                (
                    (method, *(cells.get((method, variant), "-") for variant in variants))
                    for method in header["methods"]
                ),
                names=1,
            )


def _alert_moved(_header: Mapping[str, Any], rows: Sequence[Row]) -> Iterator[str]:
    """Sets in which no case leaves room for the shift have no line; nor have ablations."""
    for level in LEVELS:
        chosen = _of(rows, level=level, fault_type=ALL)
        by_place: dict[tuple[str, str], dict[str, Row]] = defaultdict(dict)
        for row in chosen:
            by_place[row["dataset"], row["method"]][row["variant"]] = row
        moved = {place: own for place, own in by_place.items() if not own.keys().isdisjoint(SHIFTS)}
        if moved:
            yield f"## Alert moved by a minute: AC@1 at {level} level"
            yield markdown(
                ("set", "method", CLEAN, *SHIFTS, "most lost"),
                ((*place, *_shift_cells(own)) for place, own in moved.items()),
            )


def _shift_cells(own: Mapping[str, Row]) -> Iterator[str]:
    for variant in (CLEAN, *SHIFTS):
        yield share(own[variant]["hits1"], own[variant]["n"]) if variant in own else "-"
    # Of the same cases only: some sets leave room for the shift in a part of theirs.
    lost = [
        own[CLEAN]["ac1"] - own[variant]["ac1"]
        for variant in SHIFTS
        if variant in own and own[variant]["n"] == own[CLEAN]["n"]
    ]
    yield f"{max(0.0, *lost):.3f}" if lost else "-"


def _healthy(header: Mapping[str, Any], _rows: Sequence[Row]) -> Iterator[str]:
    chosen = [
        line
        for line in header["healthy_windows"]
        if line["dataset"] == POOLED or not is_ablation(line["method"])
    ]
    if chosen:
        yield "## Healthy windows: share with verdict root_cause"
        yield markdown(
            ("set", "method", "windows", "false alarms", "95 %", "failed"),
            (
                (
                    line["dataset"],
                    line["method"],
                    str(line["n"]),
                    share(line["false_alarms"], line["n"]),
                    f"{line['low']:.2f}-{line['high']:.2f}",
                    str(line["failed"]),
                )
                for line in chosen
            ),
        )


def _calibration(header: Mapping[str, Any], _rows: Sequence[Row]) -> Iterator[str]:
    if header["calibration"]:
        yield "## Calibration of rank 1 (expected calibration error, 10 bins)"
        yield markdown(
            ("method", "n", "AC@1", "mean confidence", "error", "error, set left out"),
            (
                (
                    line["method"],
                    str(line["n"]),
                    f"{line['ac1']:.3f}",
                    f"{line['mean_confidence']:.3f}",
                    f"{line['ece']:.3f}",
                    "-" if line["ece_left_out"] is None else f"{line['ece_left_out']:.3f}",
                )
                for line in header["calibration"]
            ),
            names=1,
        )


def _systems_left_out(header: Mapping[str, Any], _rows: Sequence[Row]) -> Iterator[str]:
    if header.get("systems_left_out"):
        yield "## What is fitted, each system left out of the fit"
        yield (
            "Fitted to recorded faults are the curves from leading scores to the confidence of "
            "rank 1. Weights and floors are constants that people chose, looking at these cases: "
            "no fit can leave a system out of them; `aiops eval constants` says what hangs on each."
        )
        yield markdown(
            ("method", "system left out", "n", "AC@1", "mean confidence", "error", "left out"),
            (
                (
                    line["method"],
                    line["system"],
                    str(line["n"]),
                    f"{line['ac1']:.3f}",
                    f"{line['mean_confidence']:.3f}",
                    f"{line['ece']:.3f}",
                    f"{line['ece_left_out']:.3f}",
                )
                for line in header["systems_left_out"]
            ),
        )


def _mcnemar(header: Mapping[str, Any], _rows: Sequence[Row]) -> Iterator[str]:
    if header["mcnemar"]:
        yield "## Against the baselines: rank 1 on the same cases (McNemar, exact)"
        yield markdown(
            ("set", "level", "method", "baseline", "n", "only method", "only baseline", "p"),
            (
                (
                    line["dataset"],
                    line["level"],
                    line["method"],
                    line["baseline"],
                    str(line["n"]),
                    str(line["only_method"]),
                    str(line["only_baseline"]),
                    f"{line['p_value']:.2g}",
                )
                for line in header["mcnemar"]
            ),
            names=4,
        )


def _unanswered(header: Mapping[str, Any], _rows: Sequence[Row]) -> Iterator[str]:
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for line in header["unanswered"]:
        because = f": {line['reason']}" if line["reason"] else ""
        key = f"{line['dataset']} · {line['method']} · {line['variant']}", line["status"] + because
        alike[key].append(line["case"])
    if alike:
        yield "## Failed and abstained"
        yield "\n".join(
            f"- {where}: {len(cases)} {what} ({_some(cases)})"
            for (where, what), cases in alike.items()
        )


def _some(cases: Sequence[str]) -> str:
    return ", ".join([*cases[:CASES_NAMED], *(["..."] if len(cases) > CASES_NAMED else [])])


def _legend(_header: Mapping[str, Any], _rows: Sequence[Row]) -> Iterator[str]:
    yield LEGEND


_SECTIONS = (
    _run,
    _levels,
    _fault_types,
    _labels,
    _misses,
    _ablation,
    _stress,
    _alert_moved,
    _healthy,
    _calibration,
    _systems_left_out,
    _mcnemar,
    _unanswered,
    _legend,
)


def _of(rows: Sequence[Row], **wanted: str) -> list[Row]:
    return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
