"""The kinds of Chaos Mesh: what each resource says, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiops_lab.chaos_mesh.answers import read_http_chaos, read_io_chaos
from aiops_lab.chaos_mesh.fields import Fields
from aiops_lab.chaos_mesh.network import read_dns_chaos, read_network_chaos
from aiops_lab.chaos_mesh.pods import read_pod_chaos
from aiops_lab.chaos_mesh.processes import read_stress_chaos, read_time_chaos
from aiops_lab.chaos_mesh.workflow import Workflow, read_workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiops_lab.chaos_mesh.attack import Experiment
    from aiops_lab.kubernetes.problems import Cause

READERS = {
    "PodChaos": read_pod_chaos,
    "NetworkChaos": read_network_chaos,
    "DNSChaos": read_dns_chaos,
    "StressChaos": read_stress_chaos,
    "TimeChaos": read_time_chaos,
    "HTTPChaos": read_http_chaos,
    "IOChaos": read_io_chaos,
}
WORKFLOW = "Workflow"


def read_experiment(obj: Mapping[str, Any]) -> tuple[Experiment, tuple[Cause, ...]]:
    """What a resource asks for, and what is wrong with it; with a fault it is not to be used.

    Args:
        obj: of one of the kinds in ``READERS``.
    """
    causes: list[Cause] = []
    namespace = obj["metadata"].get("namespace", "")
    fields = Fields(obj.get("spec") or {}, "spec", causes)
    experiment = READERS[obj["kind"]](fields, namespace)
    if experiment.duration_s is not None and experiment.duration_s <= 0:
        fields.refuse("duration", "must be longer than 0")
    return experiment, tuple(causes)


def read_plan(obj: Mapping[str, Any]) -> tuple[Workflow, tuple[Cause, ...]]:
    """What a Workflow asks for, and what is wrong with it; with a fault it is not to be used."""
    causes: list[Cause] = []
    workflow = read_workflow(Fields(obj.get("spec") or {}, "spec", causes))
    for number, template in enumerate(workflow.templates.values()):
        if template.kind in READERS:
            # Its fields are an experiment's, and what is wrong is told where it stands.
            at = f"spec.templates[{number}].{template.field}"
            namespace = obj["metadata"].get("namespace", "")
            READERS[template.kind](Fields(dict(template.spec), at, causes), namespace)
    return workflow, tuple(causes)


def faults_in(obj: Mapping[str, Any]) -> tuple[Cause, ...]:
    """What is wrong with a resource of Chaos Mesh; nothing with one of a kind unknown here."""
    if obj["kind"] == WORKFLOW:
        return read_plan(obj)[1]
    return read_experiment(obj)[1] if obj["kind"] in READERS else ()
