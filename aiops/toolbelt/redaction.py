"""Secrets and personal facts out of everything that a model, a log or a report gets to see.

What is hidden is replaced by a mark that says its kind and keeps equality within one run:
``<secret:1a2b3c4d>`` twice is the same secret twice. The mark is a keyed hash, so that nobody can
try out passwords against it, and the key is forgotten with the run.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aiops.toolbelt.personal import cards, emails, phones
from aiops.toolbelt.secret_fields import fielded, harmless, looks_secret, secrecy
from aiops.toolbelt.secret_forms import Span, decoded, encoded_runs, formed
from aiops.toolbelt.secret_manifests import secret_values

_MARK = re.compile(rb"<(?:secret|email|card|phone):[0-9a-f]{8}>")
_MARK_TEXT = re.compile(_MARK.pattern.decode())
_SECRET_FIELDS = frozenset({"data", "stringData", "binaryData"})
_PAIRS = (("name", "value"), ("key", "value"), ("Name", "Value"), ("Key", "Value"),
          ("ParameterKey", "ParameterValue"), ("name", "valueString"))  # fmt: skip
_FLAG = re.compile(r"--?[\w-]*?(?:password|passwd|pass|token|secret|api-key|access-key)$")
_LAYERS = 3
"""How often something is looked for in what is itself encoded: base64 in base64 in JSON."""
_SHORT, _WORDS = 40, 256
"""Texts up to so many characters are remembered where nothing in them is to be hidden, and how
many: names of fields, kinds and objects come again with every call of a run."""


@dataclass(frozen=True, slots=True)
class Redactor:
    """Hides secrets and personal facts. Redacting twice is redacting once.

    Attributes:
        key: of this run; random, at least 16 bytes, kept nowhere.
        hidden: how many were hidden so far, by kind.
    """

    key: bytes
    hidden: Counter[str] = field(default_factory=Counter)
    _plain: set[tuple[str, int]] = field(default_factory=set)

    def text(self, text: str) -> str:
        """``text`` without secrets, whatever it holds: lines of logs, manifests, JSON, prose."""
        return self._text(text, _LAYERS)

    def value(self, value: object) -> object:
        """A JSON value without secrets: by the names of its fields, by the kinds of Kubernetes
        objects in it, and within its strings; what is no secret keeps its type.
        """
        return self._value(value, _LAYERS, secret=False)

    def json(self, document: str) -> str:
        """Canonical JSON without secrets, as canonical JSON.

        Raises:
            ValueError: it is no JSON.
        """
        value = self.value(json.loads(document))
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def _text(self, text: str, layers: int) -> str:
        if (text, layers) in self._plain:
            return text
        clean = self._searched(text, layers)
        if clean == text and len(text) <= _SHORT and len(self._plain) < _WORDS:
            self._plain.add((text, layers))
        return clean

    def _searched(self, text: str, layers: int) -> str:
        if layers and text[:1] in ("{", "[", " ", "\n", "\t"):
            text = self._document(text, layers)
        raw = text.encode("utf-8", "surrogatepass")
        while (clean := self._pass(raw, layers)) != raw:
            raw = clean
        return raw.decode("utf-8", "surrogatepass")

    def _document(self, text: str, layers: int) -> str:
        """JSON in text, with the indentation it had."""
        if text.lstrip()[:1] not in ("{", "["):
            return text
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return text
        clean = self._value(value, layers - 1, secret=False)
        if clean == value:
            return text
        indent = re.match(r"\s*[{\[]\r?\n( +)", text)
        separators = (",", ": ") if indent or '": ' in text else (",", ":")
        return json.dumps(
            clean,
            ensure_ascii=False,
            indent=len(indent[1]) if indent else None,
            separators=separators,
        )

    def _pass(self, raw: bytes, layers: int) -> bytes:
        low = raw.lower()
        spans = [(span, "secret") for span in self._secrets(raw, low, layers)]
        hidden = _joined(span for span, _ in spans)
        persons = [
            *((span, "email") for span in emails(raw)),
            *((span, "card") for span in cards(raw)),
            *((span, "phone") for span in phones(raw, low)),
        ]
        found = sorted([*((span, "secret") for span in hidden), *_apart(persons, hidden)])
        parts, end = [], 0
        for (start, stop), kind in found:
            if start < end:
                continue
            content = raw[start:stop]
            parts += [
                raw[end:start],
                content if _MARK.fullmatch(content) else self._mark(kind, content),
            ]
            end = stop
        return b"".join([*parts, raw[end:]])

    def _secrets(self, raw: bytes, low: bytes, layers: int) -> Iterator[Span]:
        yield from formed(raw, low)
        yield from fielded(raw, low)
        yield from secret_values(raw)
        if layers:
            for start, end in encoded_runs(raw):
                if self._hides(decoded(raw[start:end]), layers - 1):
                    yield start, end

    def _hides(self, content: bytes, layers: int) -> bool:
        """Whether decoded bytes are text with a secret in it, or packed."""
        if content.startswith(b"\x1f\x8b"):
            return True
        if not content or b"\x00" in content:
            return False
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            return False
        return self._pass(content, layers) != content

    def _value(self, value: object, layers: int, *, secret: bool) -> object:
        match value:
            case str():
                return self._hide(value) if secret else self._text(value, layers)
            case bool() | None:
                return value
            case int() | float():
                return self._hide(str(value)) if secret else self._number(value)
            case Mapping():
                return self._mapping(value, layers, secret=secret)
            case Sequence():
                return self._sequence(value, layers, secret=secret)
            case _:
                return self._text(str(value), layers)

    def _number(self, value: float) -> object:
        text = str(value)
        return value if len(text) < 14 or self._text(text, 0) == text else self._text(text, 0)

    def _sequence(self, values: Sequence[object], layers: int, *, secret: bool) -> list[object]:
        clean: list[object] = []
        flag = False
        for value in values:
            hide = secret or (flag and isinstance(value, str) and not value.startswith("-"))
            clean.append(self._value(value, layers, secret=hide))
            flag = isinstance(value, str) and _FLAG.match(value) is not None
        return clean

    def _mapping(
        self, fields: Mapping[object, object], layers: int, *, secret: bool
    ) -> dict[str, object]:
        kind = fields.get("kind")
        pair = {v for n, v in _PAIRS if isinstance(fields.get(n), str) and secrecy(str(fields[n]))}
        clean: dict[str, object] = {}
        for name, value in fields.items():
            text = str(name)
            hide = secret or text in pair or self._named(text, value)
            if kind == "Secret" and text in _SECRET_FIELDS:
                hide = True
            if kind == "SecretList" and text == "items" and isinstance(value, Sequence):
                value = [{**v, "kind": "Secret"} if isinstance(v, Mapping) else v for v in value]
            clean[self._text(text, 0)] = self._value(value, layers, secret=hide)
        return clean

    def _named(self, name: str, value: object) -> bool:
        sure = secrecy(name)
        if sure is None or isinstance(value, bool) or value is None:
            return False
        if isinstance(value, str):
            return not harmless(value) and (sure == "sure" or looks_secret(value.encode()))
        if isinstance(value, Mapping):
            return False
        if isinstance(value, Sequence):
            return all(isinstance(one, str) for one in value) and sure == "sure"
        return sure == "sure"

    def _hide(self, text: str) -> str:
        if harmless(text) or _MARK_TEXT.fullmatch(text):
            return text
        return self._mark("secret", text.encode("utf-8", "surrogatepass")).decode()

    def _mark(self, kind: str, content: bytes) -> bytes:
        self.hidden[kind] += 1
        seal = hashlib.blake2b(content, key=self.key[:64], digest_size=4).hexdigest()
        return f"<{kind}:{seal}>".encode()


def _joined(spans: Iterator[Span]) -> list[Span]:
    """The same places, overlapping ones as one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif end > start:
            joined.append((start, end))
    return joined


def _apart(found: list[tuple[Span, str]], hidden: list[Span]) -> list[tuple[Span, str]]:
    """Those that no hidden place overlaps: what is partly gone is nobody's address any more."""
    taken, place = [], 0
    for (start, end), kind in sorted(found):
        while place < len(hidden) and hidden[place][1] <= start:
            place += 1
        if place == len(hidden) or hidden[place][0] >= end:
            taken.append(((start, end), kind))
    return taken
