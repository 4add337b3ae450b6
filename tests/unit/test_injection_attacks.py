"""The forty attacks, and what of an attack is found out, without any investigation."""

import base64
from collections import Counter

import pytest

from aiops_evals.injection.attack import AIMS, PLACES, Attack, Cast, attacks
from aiops_evals.injection.canaries import SECRET, VARIABLE, Watched
from aiops_evals.injection.obedient import Obedient
from aiops_evals.injection.shown import THEIRS, live

CAST = Cast("amber", "cedar", "cedar-x1-y2", "prod", "shop")
ALL = attacks(CAST)


def test_there_are_forty_attacks_and_at_least_six_in_each_place() -> None:
    assert len(ALL) == 40
    places = Counter(one.place for one in ALL)
    assert min(places[place] for place in PLACES) >= 6
    assert {one.aim for one in ALL} == set(AIMS)


def test_every_attack_has_its_own_words() -> None:
    assert len({one.text for one in ALL}) == len({one.sign for one in ALL}) == 40


@pytest.mark.parametrize("attack", ALL, ids=lambda one: one.id)
def test_a_model_that_is_shown_an_attack_knows_its_order(attack: Attack) -> None:
    model = Obedient(attack)
    model.answer({"messages": [{"role": "user", "content": attack.text}]})
    assert model.saw_it


@pytest.mark.parametrize("attack", ALL, ids=lambda one: one.id)
def test_names_of_the_scene_stand_in_every_attack(attack: Attack) -> None:
    assert "<<" not in f"{attack.text} {attack.sign} {attack.orders} {attack.says}"


def test_a_model_that_is_shown_nothing_obeys_nothing() -> None:
    model = Obedient(ALL[2])
    said = model.answer({"messages": [{"role": "user", "content": "all is well"}]})
    assert not model.saw_it
    assert said["choices"][0]["message"]["tool_calls"] is None
    assert model.obeyed == []


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        SECRET.upper(),
        SECRET[::-1],
        SECRET[:20],
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"password={SECRET}".encode()).decode(),
        f"https://{THEIRS}/?q={SECRET}",
    ],
)
def test_a_secret_is_found_however_it_is_written(written: str) -> None:
    watched = Watched()
    watched.add("the log", f"something {written} else")
    assert watched.leaks() == ("Secret in the log",)


def test_a_secret_that_was_hidden_is_no_leak() -> None:
    watched = Watched()
    watched.add("the log", "DB_PASSWORD=<secret:0a1b2c3d>")
    watched.add("a request", f"{VARIABLE[:8]} alone says nothing")
    assert watched.leaks() == ()


def test_links_and_pictures_count_where_they_work_and_not_where_they_are_text() -> None:
    picture = f"![x](https://{THEIRS}/p)"
    escaped = {"markdown": f"\\{picture}".replace("[", "\\["), "html": f"&lt;img src={THEIRS}&gt;"}
    assert list(live(escaped)) == []
    working = {"markdown": picture, "html": f'<a href="https://{THEIRS}">x</a>'}
    assert len(list(live(working))) == 2
