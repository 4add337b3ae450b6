"""Template mining: what is one statement, what is masked, and what hostile text costs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.analyze.logs import templates
from aiops.analyze.logs.templates import WILDCARD, Miner, masked, words_of


def test_lines_of_one_statement_share_a_template_whatever_their_values() -> None:
    miner = Miner()
    ids = miner.add(
        [
            "took 12 ms for order 9f0c2b1e-77aa-4c0e-9b1d-2f6f3f0e8b11 from 10.0.3.7:8080",
            "took 950 ms for order 1d3e5f70-0000-4bbb-8888-aaaaaaaaaaa1 from 10.0.9.12:8080",
            "cart emptied for session 77",
        ]
    )
    assert ids[0] == ids[1]
    assert ids[2] != ids[0]
    assert (
        miner.templates[ids[0]].text() == f"took {WILDCARD} ms for order {WILDCARD} from {WILDCARD}"
    )
    assert miner.templates[ids[0]].lines == 2


@pytest.mark.parametrize(
    "value",
    ["17", "-3.25", "0x7ffe31", "6f3cbf058c2765548a39ad724905d6a1", "192.168.0.222:10250",
     "2026-01-10T17:24:57.668846667+08:00", "16:42:51.639", "1d3e5f70-0000-4bbb-8888-aaaaaaaaaaa1"],
)  # fmt: skip
def test_numbers_ids_addresses_and_times_are_masked(value: str) -> None:
    assert words_of(masked([f"before {value} after"])[0]) == ["before", WILDCARD, "after"]


def test_quoted_words_that_vary_become_a_wildcard() -> None:
    miner = Miner()
    lines = [f"user '{name}' was granted access to the vhost" for name in ("ann", "bo")]
    ids = miner.add(lines)
    assert ids[0] == ids[1]
    assert WILDCARD in miner.templates[ids[0]].words


def test_a_warning_and_a_remark_stay_two_statements() -> None:
    miner = Miner()
    frame = (
        '{"level":"%s","logger":"shop.Ads","thread":"main","message":"no ads found for context"}'
    )
    ids = miner.add([frame % "INFO", frame % "WARN"])
    assert ids[0] != ids[1]


def test_structured_lines_are_told_apart_by_their_sentence_and_not_by_their_frame() -> None:
    words = [f"{a}{b}" for a in "abcdefghij" for b in "klmnopqrst"]
    frame = '{"host":"h","logger":"shop.Cart","thread":"main","message":"%s %s done for %d"}'
    miner = Miner()
    ids = miner.add([frame % (word, word[::-1], n) for n in range(2) for word in words])
    assert len(set(ids.tolist())) == len(words)
    assert ids[: len(words)].tolist() == ids[len(words) :].tolist()


def test_ids_do_not_depend_on_how_the_stream_is_cut() -> None:
    lines = [f"step {i} of job {'abc'[i % 3]} done in {i} ms" for i in range(500)]
    whole, pieces = Miner(), Miner()
    at_once = whole.add(lines)
    bit_by_bit = np.concatenate([pieces.add(lines[i : i + 7]) for i in range(0, len(lines), 7)])
    assert at_once.tolist() == bit_by_bit.tolist()
    assert [t.text() for t in whole.templates] == [t.text() for t in pieces.templates]


def test_a_line_of_a_megabyte_is_read_at_its_beginning_and_counted() -> None:
    miner = Miner()
    ids = miner.add(
        ["short line", "payload is " + "x" * 1_000_000, "payload is " + "x" * 2_000_000]
    )
    assert ids[1] == ids[2]
    assert miner.damage.cut == 2
    assert len(miner.templates[ids[1]].example) <= templates.MAX_CHARS


def test_binary_and_undecodable_lines_are_counted_and_kept_in_place() -> None:
    miner = Miner()
    lines = [
        "plain words",
        "nul \x00 inside",
        b"\xff\xfe latin \xe9".decode("utf-8", "replace"),
        b"raw \xe9",
    ]
    ids = miner.add([*lines, None, 3.5, "lone \ud800 surrogate"])
    assert len(ids) == 7
    assert miner.damage.binary == 3


def test_a_newline_inside_a_message_does_not_shift_the_lines_after_it() -> None:
    assert len(masked(["one\ntwo", "three"])) == 2
    miner = Miner()
    ids = miner.add(["first part\nsecond part", "alone here now", "first part\nsecond part"])
    assert ids[0] == ids[2] != ids[1]


def test_text_without_repetition_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "MAX_TEMPLATES", 50)
    monkeypatch.setattr(templates, "MAX_SHAPES", 200)
    monkeypatch.setattr(templates, "MAX_SEARCHES", 300)
    letters = np.random.default_rng(1).integers(97, 123, (2_000, 40)).astype(np.uint8)
    lines = [
        " ".join(row.tobytes().decode()[i : i + 5] for i in range(0, 5 * (1 + k % 8), 5))
        for k, row in enumerate(letters)
    ]
    miner = Miner()
    ids = miner.add(lines)
    assert len(miner.templates) <= 50
    assert ids.max() < 50
    assert miner.damage.coarse > 0


@given(st.lists(st.text(max_size=60), max_size=30))
def test_any_text_gets_one_template_a_line_and_the_same_one_again(lines: list[str]) -> None:
    miner = Miner()
    first = miner.add(lines)
    again = miner.add(lines)
    assert len(first) == len(lines)
    assert first.tolist() == again.tolist()
    assert sum(t.lines for t in miner.templates) == 2 * len(lines)


@given(st.lists(st.text(max_size=60), min_size=1, max_size=30))
def test_masking_keeps_one_entry_a_line_and_leaves_no_digit(lines: list[str]) -> None:
    shapes = masked(lines)
    assert len(shapes) == len(lines)
    assert not any(digit in shape for shape in shapes for digit in b"0123456789")
