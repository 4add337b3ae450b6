"""Rules about who is sent where: settings that name nobody, Services that lead to nobody."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from aiops.agents.proposing.patient import Patient
from aiops.agents.proposing.remedy import Move, Remedy
from aiops.analyze.state.naming import slip
from aiops.analyze.state.routes import host_of
from aiops.analyze.state.rules_routing import mismatch, offered_by
from aiops.analyze.state.scene import SIDECARS, App, Scene
from aiops.model.cluster import ConfigMap, Service
from aiops.model.pod_spec import Container, Port

_ADDRESS_NAME: Final = re.compile(r"host|addr|url|uri|endpoint", re.IGNORECASE)


def settings_back(patient: Patient) -> Iterator[Remedy]:
    """An address of a config map that leads nowhere, set to the service that is near."""
    known = _Addresses.of(patient)
    for config in patient.settings():
        data, words = known.mended(config.data)
        if not data:
            continue
        place = {"namespace": config.namespace, "name": config.name}
        moves = [Move("set_config", {**place, "data": data})]
        if any(_reads(container, config) for container in patient.containers):
            moves.append(Move("rollout_restart", patient.place))
        yield Remedy(tuple(moves), f"config map {config.name}: {'; '.join(words)}")


def variables_back(patient: Patient) -> Iterator[Remedy]:
    """The same of variables that the workload itself sets."""
    known = _Addresses.of(patient)
    for container in patient.containers:
        plain = {one.name: one.value for one in container.variables if one.value is not None}
        variables, words = known.mended(plain)
        if variables:
            what = {"container": container.name, "variables": variables}
            yield Remedy(
                (Move("set_env", {**patient.place, **what}),),
                f"container {container.name} of {patient.workload.name}: {'; '.join(words)}",
            )


def selector_back(patient: Patient) -> Iterator[Remedy]:
    """A Service that chooses no pod chooses those that it is made for again.

    It is made for them where it has their name, or where what it asks for is a slip of what they
    have. One that chooses others' pods may do so on purpose (blue and green): that is not mended.
    """
    app, scene = patient.app, patient.scene
    for service in _services(scene, app):
        if not service.selector or any(service in one.services for one in scene.apps):
            continue
        labels = {
            key: app.labels.get(key)
            for key, value in service.selector.items()
            if app.labels.get(key) != value
        }
        slips = all(has and slip(service.selector[key], has) for key, has in labels.items())
        then = {**service.selector, **labels}
        left = {key: value for key, value in then.items() if value is not None}
        if (
            not (service.name == app.name or slips)
            or not left
            or _choose(scene, service, left) != [app]
        ):
            continue
        wanted = ",".join(f"{key}={value}" for key, value in sorted(service.selector.items()))
        has = ",".join(f"{key}={value}" for key, value in sorted(left.items()))
        yield Remedy(
            (Move("set_selector", {**_place(service), "selector": labels}),),
            f"service {service.name} selects {wanted}, which no pod has; those of "
            f"{patient.workload.name} have {has}",
        )


def ports_back(patient: Patient) -> Iterator[Remedy]:
    """A port of a Service that leads to none of its pods' ports, led to the one that is meant."""
    offered = [
        port
        for port in offered_by(patient.app)
        if not any(port in one.ports for one in patient.app.spec.containers if one.name in SIDECARS)
    ]
    for service in patient.app.services:
        if not service.observed or patient.scene.reached(service.name):
            continue
        for port in service.ports:
            found = mismatch(port, offered) if offered else None
            meant = _meant(port, [one for one in offered if one.protocol == port.protocol])
            if found is None or meant is None:
                continue
            named = not (port.target or "0").isdigit() and bool(meant.name)
            where = {"port": port.number, "protocol": port.protocol}
            target = meant.name if named else str(meant.number)
            yield Remedy(
                (Move("set_target_port", {**_place(service), **where, "target_port": target}),),
                f"service {service.name} port {port.number}: {found[1]}; its pods have {target}",
            )


def _place(service: Service) -> Mapping[str, object]:
    return {"namespace": service.namespace, "name": service.name}


def _services(scene: Scene, app: App) -> Iterator[Service]:
    """Those of its namespace that nobody has found to answer."""
    for service in scene.state.services:
        of_its_own = service.observed and service.namespace == app.entity.namespace
        if of_its_own and not scene.reached(service.name):
            yield service


def _choose(scene: Scene, service: Service, selector: Mapping[str, str]) -> list[App]:
    return [
        one
        for one in scene.apps
        if one.entity.namespace == service.namespace and selector.items() <= one.labels.items()
    ]


def _meant(port: Port, offered: list[Port]) -> Port | None:
    """Which of the pods' ports it is for; None where that would be a guess."""
    likely = (
        [one for one in offered if one.name and one.name == port.name],
        [one for one in offered if one.name and slip(port.target, one.name)],
        [one for one in offered if one.number == port.number],
        offered,
    )
    return next((found[0] for found in likely if len({one.number for one in found}) == 1), None)


@dataclass(frozen=True, slots=True)
class _Addresses:
    """Who can be called by name in one namespace.

    Attributes:
        services: by name.
        others: names of what is there under another kind.
    """

    services: Mapping[str, Service]
    others: frozenset[str]

    @classmethod
    def of(cls, patient: Patient) -> "_Addresses":
        scene, space = patient.scene, patient.workload.namespace
        known = [one for one in scene.state.services if one.namespace == space]
        observed = {one.name: one for one in known if one.observed}
        return cls(observed, frozenset({*scene.by_name, *(one.name for one in known)}))

    def mended(self, given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
        """Settings that have to change, as they should be; and why, a clause each."""
        data, words = dict[str, str](), list[str]()
        for key, value in given.items():
            host, port = host_of(value)
            # Credentials in an address are not ours to write anew.
            if not host or "\n" in value or "@" in value:
                continue
            found = self._host(key, value, host, port) or self._port(value, host, port)
            if found is not None:
                data[key] = found[0]
                words.append(f"{key} {found[1]}")
        return data, words

    def _host(self, key: str, value: str, host: str, port: str) -> tuple[str, str] | None:
        address = "://" in value or bool(port) or _ADDRESS_NAME.search(key) is not None
        if not address or host in self.services or host in self.others:
            return None
        near = [name for name in self.services if slip(host, name)]
        if len(near) != 1:
            return None
        mended = value.replace(host, near[0], 1)
        return mended, f"names {host}, which is no service; {near[0]} is one"

    def _port(self, value: str, host: str, port: str) -> tuple[str, str] | None:
        service = self.services.get(host)
        if service is None or not port or len(service.ports) != 1:
            return None
        number = str(service.ports[0].number)
        if number == port or port == service.ports[0].target:
            return None  # the pods listen where it asks: it is the service that was changed
        mended = re.sub(rf":{port}(?!\d)", f":{number}", value, count=1)
        return mended, f"asks {host} on port {port}, and it has {number} alone"


def _reads(container: Container, config: ConfigMap) -> bool:
    """Whether it takes variables from it, which it sees after a restart only."""
    origins = [*container.variables_from, *(one.origin for one in container.variables)]
    return any(one and (one.kind, one.name) == ("configmap", config.name) for one in origins)
