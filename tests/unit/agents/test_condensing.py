"""What a long result becomes in a context: far shorter, with the facts that matter in it."""

import json
import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from aiops.agents.context.condensing import condensed

FACTS = (
    "E-{0:04d}",
    "{0} ms",
    "threshold {0}ms",
    "2026-11-20T10:11:{1:02d}.{0:03d}Z",
    "{2:032x}",
    "exit code {1}",
)


def routine(count: int) -> list[str]:
    return [
        f"2026-11-20T09:{n // 60 % 60:02d}:{n % 60:02d}Z INFO order {n:08x}{n * 7919:024x} taken "
        f"from basket {n * 31} in {n % 90} ms"
        for n in range(count)
    ]


def facts_of(rng: random.Random) -> list[str]:
    numbers = rng.randint(100, 999), rng.randint(10, 59), rng.getrandbits(128)
    return [form.format(*numbers) for form in FACTS]


def planted(lines: list[str], seed: int, count: int) -> tuple[str, list[str]]:
    rng = random.Random(seed)  # noqa: S311
    facts = []
    for _ in range(count):
        one = facts_of(rng)
        facts += one
        words = rng.choice(("the till gave", "WARN stock answered", "upstream reset:"))
        lines.insert(rng.randrange(len(lines)), f"{words} {' '.join(one)}")
    return "\n".join(lines), facts


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_every_planted_fact_of_a_log_is_told_at_a_fraction_of_its_length(
    seed: int, count: int
) -> None:
    text, facts = planted(routine(400), seed, count)
    short = condensed(text)
    assert [fact for fact in facts if fact not in short.text] == []
    assert short.saved >= 0.7


def test_a_table_of_messages_is_told_like_a_log() -> None:
    text, facts = planted(routine(400), 3, 5)
    rows = [{"service": "orders", "message": line} for line in text.splitlines()]
    short = condensed(json.dumps({"lines": rows, "total": len(rows)}))
    assert [fact for fact in facts if fact not in short.text] == []
    assert short.saved >= 0.7


def test_a_short_result_is_told_whole() -> None:
    assert condensed("replicas: 3\nready: 1").text == "replicas: 3\nready: 1"


def test_a_complaint_is_told_in_full_among_thousands_of_remarks() -> None:
    complaint = "ERROR connection pool of db-7 exhausted: 50 of 50 in use, waited 30000 ms"
    short = condensed("\n".join([*routine(3_000), complaint]))
    assert complaint in short.text


def test_what_is_not_told_is_counted() -> None:
    short = condensed("\n".join(routine(3_000)), limit_tokens=500)
    assert "values of these statements not told" in short.text


@given(
    st.lists(st.text(max_size=80), min_size=1, max_size=60),
    st.integers(200, 3_000),
    st.integers(1, 30),
)
def test_no_text_breaks_it_costs_more_than_allowed_or_comes_out_twice_different(
    lines: Sequence[str], limit: int, times: int
) -> None:
    text = "\n".join(lines * times)
    short = condensed(text, limit_tokens=limit)
    assert short == condensed(text, limit_tokens=limit)
    assert short.told <= limit or short.text == text
