"""Which of the names we know a question means; one that nothing has is asked about, not guessed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from aiops.app.chat.vocabulary import COMMON, CUES
from aiops.app.chat.wording import Sentence

NEAR: Final = 0.6
"""How alike a name is to what was typed that is offered as perhaps meant; difflib's own cutoff."""
SURELY: Final = 0.75
"""How alike it is where the word can hardly be anything but that name, mistyped."""
OFFERED: Final = 3
_BEFORE_A_NAME: Final = frozenset(
    (
        *("of", "for", "in", "on", "at", "with", "from", "about", "named", "called", "and"),
        *("service", "pod", "app", "show", "compare", "restart", "scale", "rollback"),
    )
)
_ASKING: Final = frozenset(("is", "are", "was", "were", "does", "did", "has", "why"))
"""Before a name where they begin a question, or follow one of the words below."""
_QUESTION: Final = frozenset(("why", "when", "how", "what", "since", "and", "long", "where"))
_INCIDENT: Final = re.compile(r"inc-[\w-]+")
_SQUASHED: Final = re.compile(r"[-_./: ]")


@dataclass(frozen=True, slots=True)
class Named:
    """The names in a question.

    Attributes:
        services: known ones, as they are written, in the order of the question.
        incidents: ids, in lower case; whether they are kept is not known yet.
        unknown: the first word that must be a name and is none we know; "" where all are.
        near: known names that may have been meant by it, the likest first.
        ignored: words that say nothing to us.
        places: of the words that are names of services, and of those that were taken.
    """

    services: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    unknown: str = ""
    near: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    places: frozenset[int] = frozenset()


def named(sentence: Sentence, names: Sequence[str], taken: frozenset[int] = frozenset()) -> Named:
    """What of ``names`` a question is about.

    Args:
        taken: places of words that are known to say something else, such as a time.
    """
    known = {_squashed(name): name for name in sorted(names, reverse=True)}
    found, incidents, ignored = list[str](), list[str](), list[str]()
    unknown, near = "", tuple[str, ...]()
    place, places = 0, set(taken)
    while place < len(sentence.said):
        name, length = ("", 1) if place in taken else _known_at(sentence, place, known)
        word = sentence.said[place]
        if name:
            found.append(name)
            places.update(range(place, place + length))
        elif _INCIDENT.fullmatch(word):
            incidents.append(word)
        elif place not in taken and _left_over(sentence, place) and not unknown:
            alike = _near(word, names)
            if (alike and alike[0][0] >= SURELY) or _must_be_a_name(sentence, place):
                unknown, near = word, tuple(name for _, name in alike[:OFFERED])
            else:
                ignored.append(word)
        place += length
    return Named(
        services=tuple(dict.fromkeys(found)),
        incidents=tuple(dict.fromkeys(incidents)),
        unknown=unknown,
        near=near,
        ignored=tuple(ignored),
        places=frozenset(places),
    )


def nearest(word: str, names: Sequence[str]) -> tuple[str, ...]:
    """The known names most like ``word``, likest first."""
    return tuple(name for _, name in _near(word.casefold(), names)[:OFFERED])


def _known_at(sentence: Sentence, place: int, known: Mapping[str, str]) -> tuple[str, int]:
    """The known name that begins there, and of how many words it is; "" where none does."""
    for length in (3, 2, 1):
        words = sentence.said[place : place + length]
        name = known.get(_squashed(" ".join(words))) if len(words) == length else None
        if name is None:
            continue
        if length > 1 or not _plain(words[0]) or _must_be_a_name(sentence, place, spoken=True):
            return name, length
    return "", 1


def _plain(word: str) -> bool:
    return word in COMMON or word in CUES


def _left_over(sentence: Sentence, place: int) -> bool:
    """Whether a word is neither common, nor a cue, nor a number."""
    word, meant = sentence.said[place], sentence.meant[place]
    letters = sum(letter.isalpha() for letter in word)
    return not _plain(word) and (meant == word or place in sentence.quoted) and letters >= 2


def _must_be_a_name(sentence: Sentence, place: int, *, spoken: bool = False) -> bool:
    """Whether only a name can stand there.

    Args:
        spoken: the word is an everyday one, so that only quotes and "of" tell that it is a name.
    """
    if place in sentence.quoted:
        return True
    before = sentence.meant[place - 1] if place and place not in sentence.first else ""
    if spoken:
        return before in ("of", "service", "pod", "named", "called")
    if before in _ASKING:
        begins = place == 1 or place - 1 in sentence.first
        return begins or sentence.meant[place - 2] in _QUESTION
    return before in _BEFORE_A_NAME or any(mark in sentence.said[place] for mark in "-_./")


def _near(word: str, names: Sequence[str]) -> list[tuple[float, str]]:
    """Names like ``word`` with their likeness; one that holds the other is surely like it."""
    squashed, found = _squashed(word), list[tuple[float, str]]()
    for name in names:
        other = _squashed(name)
        ratio = SequenceMatcher(None, squashed, other).ratio()
        if len(squashed) >= 3 and len(other) >= 3 and (squashed in other or other in squashed):
            ratio = max(ratio, SURELY)
        if ratio >= NEAR:
            found.append((ratio, name))
    return sorted(found, key=lambda one: (-one[0], one[1]))


def _squashed(name: str) -> str:
    return _SQUASHED.sub("", name.casefold())
