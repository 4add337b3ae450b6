"""From what somebody typed to words that compare: one case, one kind of quotes, no typos."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final

from aiops.app.chat.vocabulary import COMMON, CUES

MOST_READ: Final = 2000
"""Characters that are read of a message: a question is at its beginning, or not a question."""
LIKE: Final = 0.8
"""How alike a mistyped word is to the one that was meant (difflib's ratio): one letter in five."""
_QUOTES: Final = str.maketrans(
    dict.fromkeys("“”„‟«»「」『』〝〞＂`´", '"') | dict.fromkeys("’‘‚‛＇‹›", "'")
)
_QUOTED: Final = re.compile(r'"([^"\n]{1,200})"|(?<!\w)\'([^\'\n]{1,200})\'(?!\w)')
_SUFFIX: Final = re.compile(r"'(?:s|re|ve|ll|d|m|t)\b")
_CLAUSE: Final = re.compile(r"[?!.;,\n]")
_WORD: Final = re.compile(r"\w(?:[\w./:@-]*\w)?")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A message, ready to be looked through.

    Attributes:
        said: its words as typed, in lower case.
        meant: the same with typing errors in common words mended; as many as ``said``.
        quoted: places of words that stood in quotes, or owned something ("cart's logs").
        first: places of words that begin a clause: what stands before them says nothing of them.
    """

    said: tuple[str, ...]
    meant: tuple[str, ...]
    quoted: frozenset[int] = frozenset()
    first: frozenset[int] = frozenset()

    @property
    def text(self) -> str:
        """The words meant, a space between two."""
        return " ".join(self.meant)

    def without(self, places: Collection[int]) -> "Sentence":
        """The same with other words in these places: a service may be called as a cue is."""
        meant = ["name" if at in places else word for at, word in enumerate(self.meant)]
        return replace(self, meant=tuple(meant))


def sentence(message: str, names: Collection[str] = ()) -> Sentence:
    """The beginning of a message as words.

    Args:
        names: that are known; whoever types one means it, however like a common word it is.
    """
    text = unicodedata.normalize("NFKC", message[:MOST_READ]).translate(_QUOTES).casefold()
    marked = {at for found in _QUOTED.finditer(text) for at in range(*found.span())}
    marked |= {found.start() - 1 for found in _SUFFIX.finditer(text)}
    text = _SUFFIX.sub(lambda found: " " * len(found[0]), text)
    found = list(_WORD.finditer(text))
    said = tuple(word[0] for word in found)
    quoted = frozenset(place for place, word in enumerate(found) if word.end() - 1 in marked)
    known = {name.casefold() for name in names}
    ends = [0, *(word.end() for word in found)]
    first = frozenset(
        place for place, word in enumerate(found) if _CLAUSE.search(text, ends[place], word.start())
    )
    return Sentence(said, tuple(mended(word, known) for word in said), quoted, first)


def mended(word: str, names: Collection[str] = ()) -> str:
    """The common word that ``word`` is a typing error of; itself where it is none.

    What is like a name that is known may be that name, and is left as it is.
    """
    if word in COMMON or word in CUES or word in names or len(word) < 3 or not word.isalpha():
        return word
    swapped = [cue for cue in sorted(CUES) if sorted(cue) == sorted(word)]
    if swapped:
        return swapped[0]
    if len(word) < 4:
        return word
    if get_close_matches(word, names, n=1, cutoff=LIKE):
        return word
    return next(iter(get_close_matches(word, sorted(CUES), n=1, cutoff=LIKE)), word)
