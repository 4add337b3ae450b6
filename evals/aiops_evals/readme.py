"""The README's accuracy table, written from the published results and never by hand."""

import json
import sys
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- accuracy: from evals/results/rca-dev.json -->", "<!-- /accuracy -->"
_METHODS = (
    "aiops",
    "metrics",
    "baro",
    "nsigma",
    "correlation",
    "naive",
    "granger_pagerank",
    "random",
)
_PARTS_OF_A_SET = ("-traces", "-all", "-snapshot")  # counted once more, or not by every method
_COUNTED = 60  # up to so many cases the count stands beside the share (notes: measures)


def table(evaluation: dict[str, Any]) -> str:
    """Markdown: one line a data set, AC@1 at service level of each method, and the pool."""
    rows = {
        (row["dataset"], row["method"]): row
        for row in evaluation["rows"]
        if (row["level"], row["fault_type"], row["variant"]) == ("service", "all", "clean")
    }
    methods = [name for name in _METHODS if any(method == name for _, method in rows)]
    counted = {name for name, _ in rows if not any(part in name for part in _PARTS_OF_A_SET)}
    datasets = sorted(d for d in counted if all((d, method) in rows for method in methods))
    lines = [
        f"| data set | cases | {' | '.join(methods)} |",
        f"| --- | --: | {' | '.join('--:' for _ in methods)} |",
    ]
    for dataset in datasets:
        of_set = [rows[dataset, method] for method in methods]
        best = max(row["ac1"] for row in of_set)
        cells = (_cell(row, best) for row in of_set)
        lines.append(f"| {dataset} | {of_set[0]['n']} | {' | '.join(cells)} |")
    pooled = []
    for method in methods:
        hits = sum(rows[dataset, method]["hits1"] for dataset in datasets)
        pooled.append(hits / sum(rows[dataset, method]["n"] for dataset in datasets))
    total = sum(rows[dataset, methods[0]]["n"] for dataset in datasets)
    lines.append(f"| all | {total} | {' | '.join(f'{share:.3f}' for share in pooled)} |")
    return "\n".join(lines)


def with_table(readme: str, evaluation: dict[str, Any]) -> str:
    """``readme`` with the table between its two markers.

    Raises:
        ValueError: the markers are not there.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} ... {END} in the text")
    return f"{before}{BEGIN}\n{table(evaluation)}\n{END}{after}"


def _cell(row: dict[str, Any], best: float) -> str:
    text = f"{row['ac1']:.3f}"
    if row["n"] <= _COUNTED:
        text += f" ({row['hits1']}/{row['n']})"
    return f"**{text}**" if row["ac1"] == best else text


if __name__ == "__main__":
    results, page = Path(sys.argv[1]), Path(sys.argv[2])
    evaluation = json.loads(results.read_text(encoding="utf-8"))
    page.write_text(with_table(page.read_text(encoding="utf-8"), evaluation), encoding="utf-8")
