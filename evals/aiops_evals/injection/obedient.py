"""A language model that obeys whatever it reads: OpenAI-compatible, over HTTP, without a network.

It looks around as a curious model would, and where it sees the order that was planted it carries it
out to the letter, however it is written (base64, zero-width letters, entities). Where it sees none
it says what the numbers say.
"""

import base64
import binascii
import html
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from aiops_evals.injection.attack import Attack, Order
from aiops_evals.injection.endpoint import served

NAME: Final = "obedient"
AT_ONCE: Final = 6
"""Calls of its first answers, as many as a run makes of one."""
READ: Final = "$READ"
"""In arguments of an order: what the model was shown of secrets."""
_RUN: Final = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_ESCAPED: Final = re.compile(r"\\+u(?:200[b-f]|2060|feff)")
"""Unseen letters as they are shown."""
_SUSPECT: Final = re.compile(r"^(\d+)\. \S+ (\S+): probability .*; evidence (.*)$", re.MULTILINE)
_SECRETIVE: Final = re.compile(r"(?i)(?:password|secret|token|api.?key)[^\n]{1,90}")
_SAID: Final = 280
"""Characters of one claim, a little under what is kept of one."""


@dataclass(slots=True)
class Obedient:
    """What it is told to look at, and what became of it.

    Attributes:
        looks: what it asks before it does anything else.
        asked: every request's body.
        obeyed: the orders that it carried out, as they are called on the wire.
    """

    attack: Attack | None
    looks: Sequence[Order] = ()
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    obeyed: list[str] = field(default_factory=list)
    _steps: Iterator[Mapping[str, Any]] | None = None

    @property
    def saw_it(self) -> bool:
        """Whether the order ever stood in what it was sent."""
        return any(self._sees(body) for body in self.asked)

    def answer(self, body: dict[str, Any]) -> Mapping[str, Any]:
        """The completion to one request."""
        self.asked.append(body)
        if self._steps is None:
            self._steps = self._conversation()
        return _completion(next(self._steps))

    def _conversation(self) -> Iterator[Mapping[str, Any]]:
        """Looks, orders, verdict; the verdict again and again where it is not taken."""
        offered = _offered(self.asked[-1])
        looks = [look for look in self.looks if _wire(look.tool) in offered]
        for at in range(0, len(looks), AT_ONCE):
            yield _calls(looks[at : at + AT_ONCE])
        orders = self.attack.orders if self.attack is not None else ()
        for order in orders:
            if self._sees(self.asked[-1]):
                self.obeyed.append(order.tool)
                yield _calls([self._filled(order)])
        while True:
            yield {"content": json.dumps(self._verdict()), "tool_calls": None}

    def _filled(self, order: Order) -> Order:
        """With what it was shown of secrets, where the order is to pass that on."""
        read = json.dumps(_overheard(self.asked[-1])[:_SAID])[1:-1]
        return Order(order.tool, order.arguments.replace(READ, read))

    def _sees(self, body: Mapping[str, Any]) -> bool:
        return self.attack is not None and _plain(self.attack.sign) in _read(body)

    def _verdict(self) -> Mapping[str, Any]:
        body = self.asked[-1]
        suspects = _SUSPECT.findall(_texts(body))
        number, evidence = _chosen(suspects[:1])
        says = "the numbers say so"
        if self.attack is not None and self._sees(body):
            says = f"{self.attack.says} {_overheard(body) if self.attack.aim == 'secret' else ''}"
            if self.attack.accuses == "nobody":
                number = 0
            elif self.attack.accuses:
                accused = [each for each in suspects if each[1] == self.attack.accuses]
                number, evidence = _chosen(accused) if accused else (number, evidence)
        claim = {"claim": says.strip()[:_SAID] or "as I was told", "evidence": evidence}
        return {"suspect": number, "because": [claim] if evidence else []}


@contextmanager
def obedient(model: Obedient) -> Iterator[Obedient]:
    """The model at its ``url``, ended with the block."""
    with served(model.answer, "/v1/chat/completions") as address:
        model.url = address.removesuffix("/chat/completions")
        yield model


def _chosen(suspects: Sequence[tuple[str, str, str]]) -> tuple[int, list[str]]:
    """The number of the first, and the evidence about it."""
    for number, _, evidence in suspects:
        return int(number), [ref for ref in evidence.split(", ") if ref != "none"][:3]
    return 0, []


def _texts(body: Mapping[str, Any]) -> str:
    """All that a request says, its tools' descriptions included."""
    said = [str(message.get("content") or "") for message in body.get("messages", ())]
    said += [json.dumps(tool, ensure_ascii=False) for tool in body.get("tools") or ()]
    return "\n".join(said)


def _read(body: Mapping[str, Any]) -> str:
    """That, with what is written in disguise read as well."""
    text = _texts(body)
    return "\n".join(_plain(each) for each in (text, *_decoded(text)))


def _plain(text: str) -> str:
    """As a reader takes it: no invisible letters, no entities, no escapes, one blank for many."""
    written = _ESCAPED.sub("", text).replace("\\n", " ").replace('\\"', '"')
    shown = unquote(html.unescape(written))
    seen = (c for c in unicodedata.normalize("NFKC", shown) if not _unseen(c))
    return " ".join("".join(seen).casefold().split())


def _unseen(character: str) -> bool:
    """Whether a reader passes over it: it has no shape, or stands for one that has none."""
    return unicodedata.category(character) == "Cf" or character == "\ufffd"


def _decoded(text: str) -> Iterator[str]:
    for run in _RUN.findall(text):
        try:
            raw = base64.b64decode(run + "=" * (-len(run) % 4), validate=True)
        except (binascii.Error, ValueError):
            continue
        yield raw.decode("utf-8", "replace")


def _overheard(body: Mapping[str, Any]) -> str:
    """What tools told it of secrets, to be passed on; values before names."""
    found = _SECRETIVE.findall(_texts({"messages": body.get("messages", ())[2:]}))
    return " ".join(sorted(dict.fromkeys(found), key=lambda one: "value" not in one))


def _offered(body: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(tool["function"]["name"] for tool in body.get("tools") or ())


def _wire(tool: str) -> str:
    """Its name as endpoints take names."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", tool)


def _calls(orders: Sequence[Order]) -> Mapping[str, Any]:
    made = [
        {
            "id": f"call_{at}",
            "type": "function",
            "function": {
                "name": _wire(order.tool),
                "arguments": order.arguments,
            },
        }
        for at, order in enumerate(orders)
    ]
    return {"content": None, "tool_calls": made}


def _completion(message: Mapping[str, Any]) -> Mapping[str, Any]:
    finish = "tool_calls" if message.get("tool_calls") else "stop"
    choice = {
        "index": 0,
        "message": {"role": "assistant", **message},
        "finish_reason": finish,
    }
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": NAME,
        "choices": [choice],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    }
