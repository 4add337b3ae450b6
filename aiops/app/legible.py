"""A model's answer for a person who reads along: JSON without its punctuation, as it comes."""

from typing import Final

_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_HEX: Final = 4
_SURROGATES: Final = range(0xD800, 0xE000)


class Legible:
    """Reads one answer letter by letter, however it is cut.

    Text stays as it is. An object that begins a line becomes its values: braces, brackets and
    quotes are left out, escapes are undone. What is no JSON after all is shown in the same way.

    Args:
        keys: whether the names of the values are shown, too.
    """

    def __init__(self, *, keys: bool = True) -> None:
        self._keys = keys
        self._inside: list[str] = []
        self._fresh = True  # nothing but blanks on this line
        self._quoted = self._names = False
        self._escape: str | None = None
        self._half = ""

    def read(self, piece: str) -> str:
        """What is to be shown of the next piece."""
        return "".join(map(self._letter, piece))

    def _letter(self, letter: str) -> str:
        if self._quoted:
            text = self._in_quotes(letter)
            return text if self._keys or not self._names else ""
        return self._in_json(letter) if self._inside else self._in_text(letter)

    def _in_text(self, letter: str) -> str:
        if letter == "{" and self._fresh:
            self._inside.append(letter)
            self._names = True
            return ""
        self._fresh = letter in "\n>" or (self._fresh and letter.isspace())
        return letter

    def _in_json(self, letter: str) -> str:
        match letter:
            case "{" | "[":
                self._inside.append(letter)
                self._names = letter == "{"
            case "}" | "]":
                self._inside.pop()
                self._names = False
            case '"':
                self._quoted = True
            case ",":
                self._names = self._inside[-1] == "{"
                return ", "
            case ":":
                self._names = False
                return ": " if self._keys else ""
            case _:
                return "" if letter.isspace() else letter
        return ""

    def _in_quotes(self, letter: str) -> str:
        if self._escape is not None:
            return self._escaped(self._escape + letter)
        if letter == "\\":
            self._escape = ""
            return ""
        if letter == '"':
            self._quoted, half, self._half = False, self._half, ""
            return half and "\ufffd"
        return self._whole(letter)

    def _escaped(self, escape: str) -> str:
        if escape[0] != "u":
            self._escape = None
            return self._whole(_ESCAPED.get(escape, escape))
        if len(escape) <= _HEX:
            self._escape = escape
            return ""
        self._escape = None
        try:
            code = int(escape[1:], 16)
        except ValueError:
            return self._whole("\ufffd")
        if code not in _SURROGATES:
            return self._whole(chr(code))
        return self._surrogate(chr(code))

    def _surrogate(self, half: str) -> str:
        """Half of a character: a whole one with the half before it."""
        if not self._half:
            self._half = half
            return ""
        pair, self._half = self._half + half, ""
        return pair.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _whole(self, letter: str) -> str:
        """A letter, after which no half can be made whole."""
        lost, self._half = "\ufffd" * bool(self._half), ""
        return lost + letter
