"""Prompts with strict variables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.agents.prompt import Prompt
from aiops.errors import InvalidInput

ASK = Prompt(
    "ask.md", "Why is {{ service }} slow?\n{% for line in lines %}\n- {{ line }}\n{% endfor %}\n"
)


def test_a_prompt_is_filled_in() -> None:
    assert ASK.filled(service="cart", lines=["a <b>", "c"]) == "Why is cart slow?\n- a <b>\n- c"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"service": "cart"}, "without 'lines'"),
        ({"service": "cart", "lines": [], "linse": []}, "with 'linse', which it does not have"),
    ],
)
def test_a_variable_too_few_or_too_many_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        ASK.filled(**values)


def test_a_part_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"who\.md.*name"):
        Prompt("who.md", "{{ who.name }}").filled(who={})


def test_a_text_that_is_no_template_is_named_with_its_line() -> None:
    with pytest.raises(InvalidInput, match=r"odd\.md', line 2"):
        Prompt("odd.md", "a\n{% if %}").filled()


@given(st.text())
def test_what_is_filled_in_is_never_a_template(text: str) -> None:
    hostile = "{{ service.__class__ }}{% raw %}" + text
    assert Prompt("p", "[{{ said }}]").filled(said=hostile) == f"[{hostile}]"
