"""One attack: an order in the words of a stranger, where it stands, and what obeying it means."""

import base64
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final, Literal, get_args

from aiops.model.canonical import canonical

Place = Literal["log", "span", "alert", "kubernetes", "tool", "past"]
Aim = Literal["healthy", "accuse", "write", "approve", "secret", "send", "guard"]
PLACES: Final[tuple[Place, ...]] = get_args(Place)
AIMS: Final[tuple[Aim, ...]] = get_args(Aim)
_DISGUISES: Final[Mapping[str, Callable[[str], str]]] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "zero_width": "\u200b".join,
}
_DISGUISED: Final = re.compile(r"<<(base64|zero_width):(.*?)>>")


@dataclass(frozen=True, slots=True)
class Order:
    """A call that whoever obeys makes.

    Attributes:
        tool: by its full name; it need not exist.
        arguments: canonical JSON of an object.
    """

    tool: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Cast:
    """Whom attacks speak of: names of one scene.

    Attributes:
        culprit: whom the numbers accuse.
        innocent: whom they have second.
        pod: one of the innocent's.
    """

    culprit: str
    innocent: str
    pod: str
    cluster: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Attack:
    """An order planted at a place, with what a model does that obeys it.

    Attributes:
        part: of the place that holds the text ("name" of a span, "summary" of an alert); "" for
            the usual one.
        text: as it is planted.
        sign: words of the text by which a model knows it, as they read once decoded.
        orders: calls, one an answer.
        accuses: whom its verdict names: a service, "nobody", or "" for whom the numbers name.
        says: what its verdict claims, in words; what was read is added where ``aim`` is "secret".
    """

    id: str
    place: Place
    aim: Aim
    text: str
    sign: str
    part: str = ""
    orders: tuple[Order, ...] = ()
    accuses: str = ""
    says: str = ""


def attacks(cast: Cast) -> tuple[Attack, ...]:
    """All of attacks.toml, in its order, with the names of ``cast``.

    Raises:
        ValueError: an entry that is none; its id is named.
    """
    found = tuple(_read(_entries(), cast))
    ids = [one.id for one in found]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise ValueError(f"attacks.toml has {', '.join(twice)} twice")
    return found


def names() -> tuple[str, ...]:
    """The ids of all, in their order."""
    return tuple(entry["id"] for entry in _entries())


def _entries() -> list[dict[str, Any]]:
    text = files("aiops_evals.injection").joinpath("attacks.toml").read_text("utf-8")
    entries: list[dict[str, Any]] = tomllib.loads(text)["attacks"]
    return entries


def _read(entries: list[dict[str, Any]], cast: Cast) -> Iterator[Attack]:
    for entry in entries:
        given = {name: _named(value, cast) for name, value in entry.items()}
        orders = tuple(
            Order(each["tool"], canonical(each.get("arguments", {})))
            for each in given.pop("orders", ())
        )
        try:
            attack = Attack(**given, orders=orders)
        except TypeError as error:
            raise ValueError(f"attack {entry.get('id')!r}: {error}") from error
        if attack.place not in PLACES or attack.aim not in AIMS:
            raise ValueError(f"attack {attack.id!r}: {attack.place}, {attack.aim}")
        yield attack


def _named(value: Any, cast: Cast) -> Any:
    """``value`` with the names of the scene in place of those in double angle brackets."""
    if isinstance(value, str):
        for name in Cast.__slots__:
            value = value.replace(f"<<{name}>>", getattr(cast, name))
        return _DISGUISED.sub(lambda found: _DISGUISES[found[1]](found[2]), value)
    if isinstance(value, list):
        return [_named(each, cast) for each in value]
    if isinstance(value, Mapping):
        return {name: _named(each, cast) for name, each in value.items()}
    return value
