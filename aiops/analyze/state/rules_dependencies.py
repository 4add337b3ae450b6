"""What clients say of the stores they depend on: connections, credentials, ports, read-only."""

import re
from collections.abc import Iterator

from aiops.analyze.state.holds_now import current, own_containers, restarting, short, weight
from aiops.analyze.state.raising import CONTRADICTION, FITS, NAMED, raised
from aiops.analyze.state.scene import App, Scene
from aiops.model import Evidence, FaultType, Hypothesis

ENGINES = (
    "mysql",
    "mariadb",
    "postgres",
    "mongo",
    "redis",
    "cassandra",
    "kafka",
    "rabbitmq",
    "memcached",
    "elasticsearch",
    "etcd",
)
"""Stores known by their software's name in images, drivers and messages."""
_Complaint = tuple[tuple[str, ...], str, FaultType]
_OF_THE_STORE: tuple[_Complaint, ...] = (
    (
        (
            "too many connections",
            "remaining connection slots are reserved",
            "too many clients already",
            "max number of clients reached",
            "connection limit exceeded",
        ),
        "connections_exhausted",
        FaultType.CONNECTION_POOL,
    ),
    (
        (
            "-read-only option",
            "read-only transaction",
            "can't write against a read only",
            "notwritableprimary",
            "not master and slaveok",
            "database is read-only",
        ),
        "is_read_only",
        FaultType.ERROR,
    ),
)
"""Complaints (in lower case) that only the store itself can be the reason of."""
_OF_THE_CLIENT: tuple[_Complaint, ...] = (
    (
        (
            "access denied for user",
            "password authentication failed",
            "wrongpass",
            "noauth authentication",
            "invalid username-password",
            "authentication failed",
        ),
        "credentials_invalid",
        FaultType.CREDENTIAL,
    ),
    (("unknown database",), "database_name_wrong", FaultType.BAD_CONFIG),
)
"""Complaints that the settings of one client are the reason of while others are content."""
_NO_ANSWER = (
    "communications link failure",
    "could not connect to server",
    "connection to server at",
    "unabletoconnect",
    "mongonetworkerror",
    "serverselectiontimeout",
    "mongoserverselectionerror",
    "unable to connect to any of the specified",
    "nobrokersavailable",
    "can't connect to mysql",
)
"""Complaints of drivers whose store does not answer."""
_NO_NAME = re.compile(
    r"UnknownHost|not known|no such host|ENOTFOUND|EAI_AGAIN|name resolution", re.I
)


def stores(scene: Scene) -> Iterator[Hypothesis]:
    """A store that turns its clients away, by its own probes or by what the clients log."""
    for phrases, kind, fault in _OF_THE_STORE:
        own = list(_own_words(scene, phrases))
        clients = [(app, *said) for app in scene.apps if (said := scene.said(app.name, *phrases))]
        clients = [one for one in clients if one[0] not in [app for app, _ in own]]
        if own:
            for app, evidence in own:
                yield _store(
                    app,
                    kind,
                    fault,
                    NAMED,
                    [evidence, *(e for _, _, e in clients[:3])],
                    clients,
                )
        elif clients:
            engine = _engine(" ".join(line for _, line, _ in clients))
            best = _suspect_store(scene, engine, [app for app, _, _ in clients])
            if best is not None:
                yield _store(
                    best, kind, fault, CONTRADICTION, [e for _, _, e in clients[:3]], clients
                )


def clients(scene: Scene) -> Iterator[Hypothesis]:
    """A client whose settings its store does not accept; the store, where all clients fail."""
    for phrases, kind, fault in _OF_THE_CLIENT:
        failing = [
            (app, *said)
            for app in scene.apps
            if _fails(app) and (said := scene.said(app.name, *phrases)) is not None
        ]
        for app, line, evidence in failing:
            yield raised(
                app.entity,
                fault,
                f"{_engine(line)}_{kind}",
                NAMED if len(failing) <= 2 else FITS,
                [evidence],
                affected=max(short(app), 1),
                refuted_by=f"{app.name} logging in with these settings",
            )


def unanswered(scene: Scene) -> Iterator[Hypothesis]:
    """A client that dies for want of its store, while the store serves others: a wrong address."""
    failing = [
        (app, *said)
        for app in scene.apps
        if _fails(app) and (said := scene.said(app.name, *_NO_ANSWER)) is not None
    ]
    for app, line, evidence in failing:
        engine = _engine(_around(scene, app, line))
        stores = [one for one in scene.apps if engine in _software(one) and one is not app]
        down = [one for one in stores if short(one) and short(one) >= len(one.pods)]
        why = _around(scene, app, line)
        if down or app.spec.dns_policy == "None":
            continue  # the store's fault, or that of the pod's own name resolution
        kind = f"{engine}_host_wrong" if _NO_NAME.search(why) else f"{engine}_port_invalid"
        yield raised(
            app.entity,
            FaultType.DNS if _NO_NAME.search(why) else FaultType.BAD_CONFIG,
            kind,
            NAMED if stores and len(failing) <= 2 else FITS,
            [evidence, *(scene.read(f"{one.name} is ready", one.sources) for one in stores[:1])],
            affected=max(short(app), 1),
            refuted_by=f"the {engine} that {app.name} asks for answering on that port",
        )


def _store(
    app: App,
    kind: str,
    fault: FaultType,
    telling: float,
    support: list[Evidence],
    clients: list[tuple[App, str, Evidence]],
) -> Hypothesis:
    return raised(
        app.entity,
        fault,
        f"database_{kind}",
        telling,
        support,
        affected=max(len(clients), 1),
        refuted_by=f"{app.name} serving any other client",
        explains=[client.entity for client, _, _ in clients],
    )


def _own_words(scene: Scene, phrases: tuple[str, ...]) -> Iterator[tuple[App, Evidence]]:
    for app in scene.apps:
        for event in scene.events_of(app):
            if (
                event.warning
                and current(event)
                and any(p in event.message.lower() for p in phrases)
            ):
                yield app, scene.read(f"{app.name}: {event.message}", (event.source,), "event")
                break


def _suspect_store(scene: Scene, engine: str, clients: list[App]) -> App | None:
    """The store of that software that the clients most likely mean.

    Named in their settings or called by them counts for, named in others' settings against; of
    equals the younger, since what was set up lately is likelier to be set up wrongly.
    """
    stores = [app for app in scene.apps if engine in _software(app) and app not in clients]
    if not stores:
        return None

    def score(store: App) -> tuple[float, float]:
        names = {store.name, *(service.name for service in store.services)}
        mine = sum(_mentions(client, names) for client in clients)
        mine += sum((client.name, store.name) in scene.calls for client in clients)
        others = sum(_mentions(app, names) for app in scene.apps if app not in (*clients, store))
        kin = sum(_kin(client.name, store.name) for client in clients) / len(clients)
        return mine - others + kin, weight(store.workload, scene)

    return max(stores, key=lambda store: (*score(store), store.name))


def _mentions(app: App, names: set[str]) -> bool:
    values = [v.value or "" for c in app.spec.containers for v in c.variables]
    return any(name in value for value in values for name in names)


def _kin(one: str, other: str) -> float:
    """Likeness of the first words of two names: parts of one system share them."""
    first, second = one.partition("-")[0], other.partition("-")[0]
    return 1.0 if second.startswith(first) or first.startswith(second) else 0.0


def _fails(app: App) -> bool:
    return bool(short(app)) or any(
        restarting(container, pod) for pod in app.pods for container in own_containers(pod)
    )


def _around(scene: Scene, app: App, line: str) -> str:
    """What the app logged near ``line``: causes follow their complaint."""
    for said in scene.logs.get(app.name, ()):
        at = said.text.rfind(line)
        if at >= 0:
            return said.text[max(0, at - 300) : at + 1500]
    return line


def _engine(text: str) -> str:
    plain = text.lower()
    found = {name: plain.count(name) for name in ENGINES if name in plain}
    if "hikari" in plain and not found:
        return "database"
    return max(found, key=lambda name: found[name]) if found else "database"


def _software(app: App) -> str:
    """Names by which an app may be known as some software; everything for an unknown engine."""
    images = " ".join(container.image for container in app.spec.containers)
    plain = f"{app.name} {images}".lower()
    return plain + (" database" if any(name in plain for name in ENGINES) else "")


RULES = (stores, clients, unanswered)
