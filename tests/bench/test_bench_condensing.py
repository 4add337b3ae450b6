"""Tokens saved on the logs of real services, and what became of facts planted in them.

Promised are 70 % fewer tokens with every planted fact kept. A log is that of one service in one
recorded case, of at least 2,000 tokens; a token is four bytes.
"""

import csv
import gzip
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiops import settings
from aiops.agents.context.condensing import condensed

PATTERNS = ("nezha-*/*/logs.csv.gz", "cloudopsbench/*/logs.csv.gz")
MOST_CASES = 5
LEAST_CHARS = 8_000
PLANTED = 6


def logs() -> Iterator[list[str]]:
    root = settings.load().datasets
    for pattern in PATTERNS:
        for path in sorted(root.glob(pattern))[: MOST_CASES * 3 : 3]:
            yield from by_service(path)


def by_service(path: Path) -> Iterator[list[str]]:
    csv.field_size_limit(sys.maxsize)
    found: dict[str, list[str]] = {}
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as rows:
        for row in csv.DictReader(rows):
            found.setdefault(row["service"], []).append(row.get("message") or row.get("line") or "")
    for lines in found.values():
        if sum(map(len, lines)) >= LEAST_CHARS:
            yield lines


def planted(lines: list[str], rng: random.Random) -> list[str]:
    """Lines in no form of the log's own, a few of each statement, anywhere."""
    facts = []
    for number in range(PLANTED):
        some = [
            f"E-{rng.randint(1000, 9999)}",
            f"{rng.randint(100, 99999)} ms",
            f"{rng.randint(10, 99)}.{rng.randint(1, 9)}%",
            f"{rng.getrandbits(128):032x}",
            f"threshold {rng.randint(100, 9999)}ms",
            f"2026-11-20T{rng.randint(10, 23)}:10:07.{rng.randint(100, 999)}Z",
        ]
        said = ("the pool gave", "upstream said", "took")[number % 3]
        lines.insert(rng.randrange(len(lines)), f"{said} {' '.join(some)}")
        facts += some
    return facts


def test_real_logs_cost_a_third_at_most_and_lose_no_planted_fact() -> None:
    rng = random.Random(0)  # noqa: S311
    was = told = kept = facts = count = 0
    for lines in logs():
        hidden = planted(lines, rng)
        short = condensed("\n".join(lines))
        count, was, told = count + 1, was + short.was, told + short.told
        facts, kept = facts + len(hidden), kept + sum(fact in short.text for fact in hidden)
    if not count:
        pytest.skip("no recorded logs on this machine: set the folder of data sets")
    print(  # noqa: T201
        f"\n{count} logs of real services: {was:,} tokens told in {told:,} "
        f"({1 - told / was:.1%} saved), {kept:,} of {facts:,} planted facts kept"
    )
    assert told <= 0.3 * was
    assert kept == facts
