"""Reports on damaged workloads of a small cluster, and what the rules propose against it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from clusters import NOW, Api, meta

from aiops.agents.proposing.proposer import Place, RuleProposer
from aiops.model import CaseData, Entity, FaultType
from aiops.model.case import RecordedOutput, TelemetryWindow, Trigger
from aiops.model.ranking import Verdict, Window
from aiops.model.report import Agreement, Impact, Report, RootCause, Subject, Timings
from aiops.model.run import Proposal
from aiops.ports.memory import Memory

END = datetime.fromtimestamp(NOW, UTC)
ONSET = END - timedelta(seconds=60)
VERBS = (
    "rollout_undo",
    "scale",
    "rollout_resume",
    "set_config",
    "rollout_restart",
    "uncordon",
    "set_resources",
    "set_hpa_bounds",
    "set_env",
    "set_selector",
    "set_target_port",
)
WRITES = frozenset({*(f"kubernetes.{verb}" for verb in VERBS), "plan.carry_out"})
LAB = Place("kubernetes", "lab")


def version(owner: str, revision: int, age: float, replicas: int, image: str, **more: Any) -> Api:
    """A replica set of a deployment, made ``age`` seconds ago."""
    container = {"name": "main", "image": image, **more}
    return {
        "kind": "ReplicaSet",
        "metadata": meta(
            f"{owner}-{revision}",
            age,
            annotations={"deployment.kubernetes.io/revision": f"{revision}"},
            ownerReferences=[{"kind": "Deployment", "name": owner}],
        ),
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [container]}}},
        "status": {"replicas": replicas, "readyReplicas": replicas},
    }


def case(*objects: Api) -> CaseData:
    """An incident of which only the cluster was recorded."""
    stamp = END.strftime("%Y-%m-%dT%H:%M:%SZ")
    kinds: dict[str, list[Api]] = {}
    for one in objects:
        kinds.setdefault(f"{one['kind'].lower()}s", []).append(one)
    outputs = tuple(
        RecordedOutput(
            f"kubectl get {kind} -n shop -o json",
            json.dumps({"kind": "List", "metadata": {"creationTimestamp": stamp}, "items": items}),
        )
        for kind, items in kinds.items()
    )
    window = TelemetryWindow(END - timedelta(minutes=10), END, cluster_state=outputs)
    return CaseData("inc-1", window, Trigger(ONSET))


def cause(name: str, *faults: FaultType, rank: int = 1, cluster: str | None = None) -> RootCause:
    """A candidate of a report."""
    kinds = faults or (FaultType.ERROR,)
    shares = tuple((kind, 1 / len(kinds)) for kind in kinds)
    entity = Entity("service", name, "shop", cluster)
    return RootCause(rank, entity, None, kinds[0], shares, 1.0 / rank, 0.9, ("E1",))


def report(*causes: RootCause, verdict: Verdict = "root_cause") -> Report:
    """A report that accuses them."""
    window = Window(END - timedelta(minutes=10), END)
    return Report(
        subject=Subject("inc-1", window, False, Trigger(ONSET), (), ()),
        verdict=verdict,
        summary="",
        onset=ONSET,
        impact=Impact(),
        root_causes=causes,
        agreement=Agreement("test"),
        timings=Timings(0.0),
    )


def proposals(
    objects: Sequence[Api],
    *causes: RootCause,
    places: Sequence[Place] = (LAB,),
    writes: frozenset[str] = WRITES,
    memory: Memory | None = None,
    verdict: Verdict = "root_cause",
) -> list[Proposal]:
    """What is proposed."""
    rules = RuleProposer(places, writes, memory)
    return list(rules(case(*objects), report(*causes, verdict=verdict)))


def told(found: Sequence[Proposal]) -> list[tuple[str, dict[str, Any]]]:
    """Tools and arguments."""
    return [(one.tool, json.loads(one.arguments)) for one in found]
