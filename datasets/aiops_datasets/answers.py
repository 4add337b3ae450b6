"""The recorded truth of a case: opened by evaluations, never by a method."""

from pathlib import Path
from typing import Any

from aiops.errors import InvalidData
from aiops.model import Entity, FaultType
from aiops.model.entity import EntityKind
from aiops.ports.cases import CaseLocation
from aiops_datasets import columns, public, sealed
from aiops_datasets.case import Answers
from aiops_datasets.faults import fault_type
from aiops_datasets.folder import first_of

# What an object's prefix means: "app/cart", "node/worker-1".
_OBJECTS: dict[str, EntityKind] = {
    "app": "service",
    "service": "service",
    "deployment": "workload",
    "workload": "workload",
    "pod": "instance",
    "instance": "instance",
    "component": "component",
    "node": "node",
    "namespace": "namespace",
}


def read_answers(location: CaseLocation) -> Answers:
    """The answers of a case in the uniform or the alert-list layout.

    They lie in ``answers.json`` where there is one, else beside the public keys.

    Raises:
        InvalidData: no answers, or keys missing or of the wrong type.
    """
    path = location.path
    if path.is_file():
        return _answers(path, _sealed(path, lambda: sealed.row(str(path), location.name)))
    for name in ("answers.json", "case.json"):
        file = first_of(path, name)
        if file is not None:
            return _answers(file, _sealed(file, lambda: sealed.whole(str(file))))  # noqa: B023
    raise InvalidData(path, "holds no answers: neither answers.json nor case.json")


def rcaeval_answers(location: CaseLocation) -> Answers:
    """RCAEval's answers: its folder is called ``<service>_<fault>``."""
    service, bar, label = location.name.split("/")[0].rpartition("_")
    if not bar:
        raise InvalidData(location.path, "lies in no folder called <service>_<fault>")
    return _named(service, label, "exact")


def rcd_answers(location: CaseLocation) -> Answers:
    """RCD's answers: its folder is called ``<service>-<metric>``."""
    service, dash, label = location.name.split("/")[0].rpartition("-")
    if not dash:
        raise InvalidData(location.path, "lies in no folder called <service>-<metric>")
    return _named(service, label, "window_start", f"{service}_{label}")


def petshop_answers(location: CaseLocation) -> Answers:
    """PetShop's answers: the root cause in target.json, the alert's metric as the fault's label."""
    path = location.path / "target.json"
    try:
        record = sealed.check(
            sealed.whole(str(path)), {"root_cause": "!object", "target": "!object"}
        )
        cause = sealed.check(record["root_cause"], {"node": "!string"})
        target = sealed.check(record["target"], sealed.TARGET)
    except sealed.Refused as error:
        raise public.refused(path, error.key, error.reason) from error
    return Answers(
        entities=(Entity("component", cause["node"]),),
        columns=(),
        metric_answer=False,
        inner=None,
        fault_type=fault_type(target["metric"]),
        fault_label=target["metric"],
        inject_time_kind="issue_label",
    )


def _named(service: str, label: str, kind: str, column: str | None = None) -> Answers:
    return Answers(
        entities=(Entity("service", service),),
        columns=(column,) if column else (),
        metric_answer=column is not None,
        inner=None,
        fault_type=fault_type(label),
        fault_label=label,
        inject_time_kind=kind,
    )


def _sealed(path: Path, read: Any) -> dict[str, Any]:
    try:
        record = read()
        sealed.check(record, sealed.ANSWERS)
    except sealed.Refused as error:
        raise public.refused(path, error.key, error.reason) from error
    return dict(record)


def _answers(path: Path, record: dict[str, Any]) -> Answers:
    label = record.get("fault_type")
    if record.get("verdict") == "healthy":
        return Answers((), (), False, None, FaultType.UNKNOWN, "healthy", "none")
    if not label:
        raise InvalidData(path, "key 'fault_type' is missing; there is no answer to compare with")
    metric = record.get("root_cause_metric")
    listed = record.get("root_cause_columns") or ()
    return Answers(
        entities=_entities(path, record),
        columns=(metric,) if metric else tuple(listed),
        metric_answer=metric is not None,
        inner=record.get("root_cause_inner"),
        fault_type=fault_type(label),
        fault_label="+".join(_kinds(record)) or label,
        inject_time_kind=record.get("inject_time_kind") or "none",
    )


def _entities(path: Path, record: dict[str, Any]) -> tuple[Entity, ...]:
    if record.get("root_causes"):
        return tuple(_cause(path, one) for one in record["root_causes"])
    service, namespace = record.get("root_cause_service"), record.get("namespace")
    if record.get("root_cause_object"):
        kind, _, name = record["root_cause_object"].partition("/")
        if kind not in _OBJECTS or not name:
            reason = f"key 'root_cause_object': {record['root_cause_object']!r} is no <kind>/<name>"
            raise InvalidData(path, reason)
        scope = None if _OBJECTS[kind] in ("node", "namespace") else namespace
        return (Entity(_OBJECTS[kind], name, namespace=scope, service=_owner(service, name)),)
    if not service:
        raise InvalidData(path, "names neither root_cause_service nor root_cause_object")
    if record.get("root_cause_instance"):
        return (Entity("instance", record["root_cause_instance"], service=service),)
    component = columns.statistic_last(record.get("root_cause_columns") or ())
    found = (Entity("component" if component else "service", service, namespace=namespace),)
    if record.get("root_cause_pod"):
        return (*found, Entity("instance", record["root_cause_pod"], service=service))
    return found


def _cause(path: Path, one: Any) -> Entity:
    """One of several root causes: ``{"entity": {"kind", "name", "namespace", "service"}}``."""
    entity = one.get("entity") if isinstance(one, dict) else None
    if not isinstance(entity, dict) or entity.get("kind") not in _OBJECTS.values():
        raise InvalidData(path, "key 'root_causes': each has an entity with a kind and a name")
    name, kind = str(entity.get("name", "")), entity["kind"]
    owner = _owner(entity.get("service"), name)
    return Entity(kind, name, namespace=entity.get("namespace"), service=owner)


def _kinds(record: dict[str, Any]) -> tuple[str, ...]:
    """The source's name of each fault, where it lists them."""
    causes = record.get("root_causes") or ()
    return tuple(str(cause["kind"]) for cause in causes if cause.get("kind"))


def _owner(service: str | None, name: str) -> str | None:
    return service if service != name else None
