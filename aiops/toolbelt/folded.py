"""Text as a reader takes it in, whatever characters it is made of; and what it only encodes.

Letters that look alike are one letter (Unicode TR 39, confusables), wide and mathematical forms are
plain ones (NFKC), what is not shown is not there, letters set apart are a word.
"""

import re
import string
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from html import unescape
from typing import Final
from urllib.parse import unquote

from aiops.toolbelt.secret_forms import decoded

UNSEEN: Final = re.compile(
    "[\u200b-\u200d\u2060-\u2064\u202a-\u202e\u2066-\u2069\u206a-\u206f\ufeff\u00ad\u180e"
    "\ufe00-\ufe0f\U000e0000-\U000e007f]"
)
_ALIKE: Final = {
    "a": "аɑα", "b": "Ьƅ", "c": "сϲⅽ", "d": "ԁⅾ", "e": "еҽ", "g": "ɡց", "h": "һհ", "i": "іıɩι",
    "j": "јϳ", "k": "κк", "l": "ӏⅼ", "m": "ⅿ", "n": "ոռ", "o": "оοօ", "p": "рρ", "q": "ԛգ",
    "r": "гᴦ", "s": "ѕꜱ", "t": "т", "u": "υսᴜ", "v": "νѵⅴ", "w": "ԝѡ", "x": "хⅹ", "y": "уγү",
    "z": "ᴢ",
    "A": "АΑ", "B": "ВΒ", "C": "СϹ", "E": "ЕΕ", "H": "НΗ", "I": "ІΙ", "J": "Ј", "K": "КΚ",
    "M": "МΜ", "N": "Ν", "O": "ОΟ", "P": "РΡ", "S": "Ѕ", "T": "ТΤ", "X": "ХΧ", "Y": "УΥ", "Z": "Ζ",
}  # fmt: skip
_PLAIN_FORMS: Final = ((0x1D400, 0x1D800), (0xFF01, 0xFF5F), (0x2100, 0x2150), (0x24B6, 0x24EA))
_APART: Final = re.compile(r"(?<![^\W\d_])(?:[^\W\d_][ .*_·-]){5,}[^\W\d_](?![^\W\d_])")
"""Six letters or more, each set apart from the next by one sign."""
_SET_APART: Final = re.compile(r"(?<=[^\W\d_])[ .*_·-](?=[^\W\d_](?:[ .*_·-]|$|(?![^\W\d_])))")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as it reads.

    Attributes:
        at: where a character of ``text`` stands in the text that it was made of.
    """

    text: str
    at: Callable[[int], int]


def folded(text: str) -> Folded | None:
    """How it reads; None where that is how it is written."""
    if not text.isascii():
        seen = _without(UNSEEN, text.translate(_letters()))
        if seen.text != text:
            return _closed(seen) or seen
    return _closed(Folded(text, lambda index: index))


def encodings(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and content of what is only encoded: base64, hex, percent signs, entities."""
    for sign, pattern, read in _ENCODED:
        for match in pattern.finditer(text) if sign in text else ():
            content = read(match[0])
            if len(content) >= _LONG and content.isprintable() and " " in content.strip():
                yield match.start(), match.end(), content


@cache
def _letters() -> dict[int, str]:
    found = {ord(one): letter for letter, alike in _ALIKE.items() for one in alike}
    for first, beyond in _PLAIN_FORMS:
        for code in range(first, beyond):
            plain = unicodedata.normalize("NFKC", chr(code))
            if len(plain) == 1 and plain in string.printable:
                found[code] = plain
    return found


def _without(pattern: re.Pattern[str], text: str) -> Folded:
    """The text less what matches."""
    gone = [match.span() for match in pattern.finditer(text)]
    if not gone:
        return Folded(text, lambda index: index)
    # Where each removed run stood in what is left, and how much was removed up to its end.
    places, removed, so_far = [], [], 0
    for start, end in gone:
        places.append(start - so_far)
        so_far += end - start
        removed.append(so_far)

    def at(index: int) -> int:
        before = bisect_right(places, index)
        return index + (removed[before - 1] if before else 0)

    return Folded(pattern.sub("", text), at)


def _closed(read: Folded) -> Folded | None:
    """With letters that are set apart put together; None where there are none."""
    spans = [match.span() for match in _APART.finditer(read.text)]
    if not spans:
        return None
    kept = list(read.text)
    positions = list(range(len(kept)))
    for start, end in spans:
        signs = read.text[start + 1 : end : 2]
        apart = max(set(signs), key=signs.count)
        for index in range(start + 1, end, 2):
            if kept[index] == apart and (apart != " " or read.text[index + 1] != " "):
                kept[index] = ""
    left = [index for index in positions if kept[index]]
    return Folded("".join(kept), lambda index: read.at(left[min(index, len(left) - 1)]))


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return ""


_LONG: Final = 12
# What has to be there, what it looks like, and how it is read.
_ENCODED: Final = (
    ("", re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}"), lambda run: _utf8(decoded(run.encode()))),
    ("", re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{2}){16,}(?![0-9A-Za-z])"),
     lambda run: _utf8(bytes.fromhex(run))),
    ("%", re.compile(r"(?:[\w.-]{0,3}%[0-9a-fA-F]{2}){8,}[\w.-]{0,40}"), unquote),
    ("&#", re.compile(r"(?:\w{0,3}&#x?[0-9a-fA-F]{1,6};){4,}[^\n&]{0,80}"), unescape),
)  # fmt: skip
