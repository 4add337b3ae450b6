"""Which model is asked: the large one only where it can change something."""

import pytest
from advised import NAME, Torn, investigated, verdict, wants
from scripted_model import Asked, Reply

AGREES = verdict(1, ("api restarted", ["E1"]))
OTHER = verdict(2, ("web lost its pods", ["E2"]))
CANNOT_TELL = verdict(0)
LARGE = "large"
TWICE = (LARGE, LARGE)
"""Whose word would change the order is asked again, of the numbers alone."""


def asked_for(small: Reply, large: Reply, lead: float = 0.02) -> tuple[list[str], str, str]:
    """Which models were asked, who stands first, and what the report says of their word."""

    def script(asked: Asked) -> Reply:
        return large if asked.body["model"] == LARGE else small

    report, asked, _ = investigated(script, analyzer=Torn(lead), large=LARGE)
    first = report.root_causes[0].entity.name
    return [each.body["model"] for each in asked], first, str(report.agreement.model)


@pytest.mark.parametrize(
    ("small", "large", "lead", "models", "first", "word_of"),
    [
        pytest.param(AGREES, OTHER, 0.02, [NAME], "api", NAME, id="agrees"),
        pytest.param(OTHER, OTHER, 0.3, [NAME], "api", NAME, id="cannot-change-anything"),
        pytest.param(OTHER, OTHER, 0.02, [NAME, *TWICE], "web", LARGE, id="both-differ"),
        pytest.param(OTHER, AGREES, 0.02, [NAME, LARGE], "api", LARGE, id="large-agrees"),
        pytest.param(CANNOT_TELL, OTHER, 0.02, [NAME, *TWICE], "web", LARGE, id="small-cannot"),
        pytest.param(OTHER, CANNOT_TELL, 0.02, [NAME, LARGE], "api", LARGE, id="large-cannot"),
    ],
)
def test_the_large_model_is_asked_where_the_small_one_leaves_it_open(
    small: Reply, large: Reply, lead: float, models: list[str], first: str, word_of: str
) -> None:
    asked, stands_first, words = asked_for(small, large, lead)
    assert (asked, stands_first) == (models, first)
    assert words.startswith(f"{word_of}: ")


def test_questions_to_tools_are_the_small_models_work() -> None:
    report, asked, _ = investigated(wants("web"), AGREES, large=LARGE)
    assert [each.body["model"] for each in asked] == [NAME, NAME]
    assert report.usage.llm_calls == 2
