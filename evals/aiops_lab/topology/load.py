"""A topology file (YAML) -> Topology; what is wrong names the file and the key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import yaml

from aiops.errors import InvalidInput
from aiops_lab.topology.model import (
    Behaviour,
    Call,
    Consumer,
    Optional,
    Publish,
    Query,
    Resources,
    Role,
    Route,
    Service,
    Step,
    Storage,
    Together,
    Topology,
    Visit,
    Work,
)

SHOP = Path(__file__).parent / "sock_shop.yaml"
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SIZE = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


class InvalidTopology(InvalidInput):
    """A topology file cannot be used.

    Args:
        path: the file, as the user named it.
        key: where in it, such as "services.cart.routes".
        reason: what is wrong, in one clause.
    """

    def __init__(self, path: object, key: str, reason: str) -> None:
        self.path, self.key, self.reason = str(path), key, reason
        super().__init__(f"{path}: {key}: {reason}" if key else f"{path}: {reason}")


class _Wrong(Exception):
    """A value that cannot be used, with the key it is under."""

    def __init__(self, key: str, reason: str) -> None:
        self.key, self.reason = key, reason
        super().__init__(f"{key}: {reason}")


def load(path: Path = SHOP) -> Topology:
    """Read a topology file.

    Raises:
        InvalidTopology: it cannot be read, is no YAML, or a value in it cannot be used.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidTopology(path, "", error.strerror or "cannot be read") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidTopology(path, "", f"is no YAML: {' '.join(str(error).split())}") from None
    try:
        return parse(document)
    except _Wrong as wrong:
        raise InvalidTopology(path, wrong.key, wrong.reason) from None


def parse(document: object) -> Topology:
    """The topology in an already decoded document."""
    top = _Section(document, "")
    versions = {
        tag: _plain(Behaviour, section) for tag, section in top.section("versions").sections()
    }
    services = {
        name: _service(name, section) for name, section in top.section("services").sections()
    }
    topology = Topology(
        name=top.text("name"),
        namespace=top.text("namespace", "default"),
        entry=top.text("entry"),
        services=services,
        versions=versions or {"1.0.0": Behaviour()},
        visits=tuple(_visit(name, s) for name, s in top.section("visits").sections()),
        items=int(top.number("items", 1)),
        sidecars=tuple(str(image) for image in top.sequence("sidecars")),
    )
    top.done()
    _check(topology)
    return topology


def _check(topology: Topology) -> None:
    if topology.entry not in topology.services:
        raise _Wrong("entry", f"there is no service {topology.entry!r}")
    if not topology.visits:
        raise _Wrong("visits", "name at least one kind of visit")
    for caller, callee in topology.edges:
        if callee not in topology.services:
            raise _Wrong(f"services.{caller}", f"calls {callee!r}, which is no service here")
        if callee == caller:
            raise _Wrong(f"services.{caller}", "calls itself")


def _service(name: str, s: _Section) -> Service:
    if not _NAME.fullmatch(name) or len(name) > 63:
        raise _Wrong(s.key, "a service's name is lower-case letters, digits and dashes")
    role = s.text("role", "api")
    if role not in get_args(Role):
        raise _Wrong(f"{s.key}.role", f"{role!r} is none of {', '.join(get_args(Role))}")
    port = int(s.number("port", 8080))
    if not 0 < port < 1 << 16:
        raise _Wrong(f"{s.key}.port", "a port is between 1 and 65535")
    cpu, memory = s.section("cpu"), s.section("memory")
    service = Service(
        name=name,
        role=role,  # type: ignore[arg-type]  # checked just above
        port=port,
        service_port=int(s.number("service_port", port)),
        replicas=int(s.number("replicas", 1)),
        resources=Resources(
            cpu_request=cpu.number("request", 0.1),
            cpu_limit=cpu.number("limit", 0.5),
            memory_request=memory.size("request", 64 << 20),
            memory_limit=memory.size("limit", 128 << 20),
        ),
        routes=tuple(_route(name, body) for name, body in s.section("routes").items()),
        consumers=tuple(_consumer(name, body) for name, body in s.section("consumes").items()),
        concurrency=int(s.number("concurrency", 64)),
        timeout_s=s.number("timeout_s", 2.0),
        retries=int(s.number("retries", 1)),
        pool=int(s.number("pool", 16)),
        storage=_plain(Storage, s.section("storage")),
        config={key: str(value) for key, value in s.section("config").values()},
        images=tuple(str(image) for image in s.sequence("images")),
    )
    cpu.done()
    memory.done()
    s.done()
    return service


def _plain(kind: type[Any], s: _Section) -> Any:
    """A flat dataclass whose fields all have defaults."""
    given: dict[str, Any] = {}
    for one in fields(kind):
        if one.name not in s.content:
            continue
        if one.name == "seed":
            seed = s.section("seed")
            given["seed"] = {table: int(seed.number(table, 0)) for table in seed.content}
        elif "_bytes" in one.name:
            given[one.name] = s.size(one.name, 0)
        elif one.type == "bool":
            given[one.name] = bool(s.take(one.name))
        else:
            number = s.number(one.name, 0.0)
            given[one.name] = int(number) if one.type == "int" else number
    s.done()
    return kind(**given)


def _visit(name: str, s: _Section) -> Visit:
    requests = []
    for one in s.sequence("requests"):
        method, _, path = str(one).partition(" ")
        if not path.startswith("/"):
            raise _Wrong(f"{s.key}.requests", f"{one!r} is no METHOD /path")
        requests.append((method, path))
    if not requests:
        raise _Wrong(f"{s.key}.requests", "name at least one request")
    visit = Visit(name=name, weight=s.number("weight", 1.0), requests=tuple(requests))
    s.done()
    return visit


def _route(name: str, body: tuple[str, object]) -> Route:
    key, steps = body
    method, _, path = name.partition(" ")
    if not path.startswith("/"):
        raise _Wrong(key, "a route is METHOD /path")
    return Route(method=method, path=path, steps=_steps(key, steps))


def _consumer(name: str, body: tuple[str, object]) -> Consumer:
    key, steps = body
    to, _, queue = name.partition(" ")
    if not queue:
        raise _Wrong(key, "what is consumed is SERVICE QUEUE")
    return Consumer(to=to, queue=queue, steps=_steps(key, steps))


def _steps(key: str, document: object) -> tuple[Step, ...]:
    if not isinstance(document, list):
        raise _Wrong(key, "steps are a list")
    return tuple(_step(f"{key}[{i}]", one) for i, one in enumerate(document))


_QUERY = re.compile(r"(?P<to>\S+) (?P<table>[^\s/]+)(/(?P<key>\S+))?( or (?P<missing>\d{3}))?")


def _step(key: str, document: object) -> Step:
    if not isinstance(document, Mapping) or len(document) != 1:
        raise _Wrong(key, "a step is one word and what it takes, such as 'work: 0.5'")
    ((word, value),) = document.items()
    match word:
        case "work" if isinstance(value, int | float) and value >= 0:
            return Work(float(value))
        case "call" if len(parts := str(value).split(" ")) == 3:
            return Call(to=parts[1], method=parts[0], path=parts[2])
        case "read" | "write" | "delete" if found := _QUERY.fullmatch(str(value)):
            missing = found["missing"]
            return Query(
                op=word,
                to=found["to"],
                table=found["table"],
                key=found["key"] or "",
                missing=int(missing) if missing else None,
            )
        case "publish" if len(parts := str(value).split(" ")) == 2:
            return Publish(to=parts[0], queue=parts[1])
        case "together":
            return Together(_steps(f"{key}.together", value))
        case "optional":
            return Optional(_step(f"{key}.optional", value))
    raise _Wrong(key, f"cannot be read: {word}: {value}")


class _Section:
    """A mapping under a key, which knows what of it was read."""

    def __init__(self, content: object, key: str) -> None:
        if content is None:
            content = {}
        if not isinstance(content, Mapping):
            raise _Wrong(key or "the file", "must be a mapping")
        self.content = {str(name): value for name, value in content.items()}
        self.key, self._read = key, set[str]()

    def take(self, name: str, default: object = None) -> object:
        self._read.add(name)
        return self.content.get(name, default)

    def text(self, name: str, default: str | None = None) -> str:
        value = self.take(name, default)
        if not isinstance(value, str) or not value:
            raise _Wrong(self._under(name), "is missing" if value is None else "must be text")
        return value

    def number(self, name: str, default: float) -> float:
        value = self.take(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
            raise _Wrong(self._under(name), f"must be a number, not {value!r}")
        return float(value)

    def size(self, name: str, default: int) -> int:
        value = self.take(name, default)
        found = re.fullmatch(r"(\d+)(Ki|Mi|Gi)?", str(value))
        if not found:
            raise _Wrong(self._under(name), f"must be a size such as 64Mi, not {value!r}")
        return int(found[1]) * _SIZE[found[2] or ""]

    def sequence(self, name: str) -> list[Any]:
        value = self.take(name, [])
        if not isinstance(value, list):
            raise _Wrong(self._under(name), "must be a list")
        return value

    def section(self, name: str) -> _Section:
        return _Section(self.take(name), self._under(name))

    def sections(self) -> list[tuple[str, _Section]]:
        return [(name, self.section(name)) for name in self.content]

    def items(self) -> list[tuple[str, tuple[str, object]]]:
        return [(name, (self._under(name), self.take(name))) for name in self.content]

    def values(self) -> list[tuple[str, object]]:
        return [(name, self.take(name)) for name in self.content]

    def done(self) -> None:
        """Say so where something was not read: a misspelt key must not pass unseen."""
        if unknown := sorted(set(self.content) - self._read):
            raise _Wrong(self._under(unknown[0]), "is no key here")

    def _under(self, name: str) -> str:
        return f"{self.key}.{name}" if self.key else name
