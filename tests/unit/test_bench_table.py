"""The table of speeds says what was asked, what was reached and what it was compared with."""

from aiops_evals.bench import report

MEASURED = {
    "datetime": "2026-01-02T03:04:05",
    "benchmarks": [
        {
            "name": "test_a",
            "group": "ranking",
            "params": {"columns": 5000, "rows": 600},
            "extra_info": {"asked": "500 ms", "columns": 5000, "times_faster": 8.1},
            "stats": {"median": 0.2441},
        },
        {
            "name": "test_b",
            "group": None,
            "params": None,
            "extra_info": {"reached": "7.0 s, peak 1,000 MB"},
            "stats": {"median": 20.0},
        },
    ],
}


def lines() -> list[list[str]]:
    table = [line for line in report(MEASURED).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def test_a_benchmark_is_one_line_with_its_median_and_ratios() -> None:
    assert lines()[0] == [
        "ranking, columns 5,000, rows 600",
        "500 ms",
        "244.1 ms",
        "times faster 8.1",
    ]


def test_what_a_benchmark_says_it_reached_stands_instead_of_its_median() -> None:
    assert lines()[1] == ["test_b", "-", "7.0 s, peak 1,000 MB", ""]


def test_the_day_of_the_run_is_named_and_not_that_of_the_table() -> None:
    assert "2026-01-02" in report(MEASURED)
