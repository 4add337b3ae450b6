"""The right tool is among the first five of three hundred, though the question names it nowhere."""

import re
import sys
from pathlib import Path

import pytest

from aiops.model.tool import ToolSpec
from aiops.toolbelt.routing import Router, stem, terms_of

GOLDEN = Path(__file__).parents[2] / "golden" / "routing"


def rows(name: str) -> list[list[str]]:
    lines = (GOLDEN / name).read_text().splitlines()
    return [[part.strip() for part in line.split("|")] for line in lines if line[0] != "#"]


def tool(name: str, description: str, example: str = "") -> ToolSpec:
    return ToolSpec(name, description, "{}", "{}", "read", "probe", examples=(example,))


CATALOGUE = [tool(*row) for row in rows("catalogue.txt")]
TUNING, HELD_OUT = rows("intents_tuning.txt"), rows("intents_held_out.txt")


def recall(router: Router, intents: list[list[str]], k: int = 5) -> float:
    found = [name in router.ranked(question)[:k] for question, name in intents]
    return sum(found) / len(found)


def test_no_question_shares_a_content_word_with_its_tools_name() -> None:
    assert len(CATALOGUE) == 300
    assert len(TUNING) + len(HELD_OUT) == 100
    shared = [
        (question, name)
        for question, name in TUNING + HELD_OUT
        if set(terms_of(question)) & set(terms_of(re.sub(r"[._]", " ", name)))
    ]
    assert not shared


def test_recall_at_five_is_eighty_five_percent_without_a_model() -> None:
    full, bare = Router(CATALOGUE), Router(CATALOGUE, thesaurus=False)
    both = TUNING + HELD_OUT
    for label, router in (("with thesaurus", full), ("without", bare)):
        sys.stdout.write(
            f"recall@5 {label}: {recall(router, both):.2f} of 100"
            f" (tuning {recall(router, TUNING):.2f}, held out {recall(router, HELD_OUT):.2f});"
            f" recall@1 {recall(router, both, 1):.2f}\n"
        )
    assert recall(full, both) >= 0.85
    assert recall(full, HELD_OUT) >= 0.80


def test_a_question_without_any_known_word_gets_all_tools() -> None:
    found = Router(CATALOGUE).find("xyzzy")
    assert found.reach == "all"
    assert len(found.tools) == 300


def test_a_question_that_hardly_fits_gets_the_whole_toolset_of_the_best() -> None:
    router = Router([tool("mail.send", "Sends mail."), tool("mail.list", "Lists letters."),
                     tool("disk.usage", "Bytes used.")])  # fmt: skip
    found = router.find("mail about purple elephants dancing on the disk of the moon", limit=1)
    assert {one.name for one in found.tools} >= {"disk.usage"}


def test_the_same_question_always_finds_the_same_tools_in_the_same_order() -> None:
    question = "which session blocks the others"
    assert Router(CATALOGUE).ranked(question) == Router(CATALOGUE[::-1]).ranked(question)


@pytest.mark.parametrize(
    ("one", "other"),
    [("deploys", "deploy"), ("queries", "query"), ("blocking", "block"), ("stopped", "stop"),
     ("certificates", "certificate"), ("replications", "replication")],
)  # fmt: skip
def test_forms_of_a_word_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)
