"""What the watching programs are told, as files that people can read and take with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiops_lab.watch.rules import SLOW_S, rules

if TYPE_CHECKING:
    from pathlib import Path

EVERY = "1s"
PROMETHEUS, RULES = "prometheus.yml", "rules.yml"
ALERTMANAGER, AIOPS, SLOS = "alertmanager.yml", "aiops.toml", "slos.yaml"
CLUSTER = "lab"


@dataclass(frozen=True, slots=True)
class Places:
    """Base URLs on this machine."""

    aiops: str
    prometheus: str
    alertmanager: str


def write_files(
    folder: Path, places: Places, entry: str, targets: Path, identities: Path | None
) -> None:
    """Write every file.

    Args:
        entry: the service that users call; targets: the lab's file_sd; identities: folder of the
            kubeconfigs of who reads and who writes the lab's cluster, where it has one.

    Raises:
        OSError: the folder cannot be written to.
    """
    import yaml

    documents = {
        PROMETHEUS: _prometheus(places, targets),
        RULES: rules(entry),
        ALERTMANAGER: _alertmanager(places),
        SLOS: _objectives(entry),
    }
    for name, document in documents.items():
        text = yaml.safe_dump(document, sort_keys=False, width=96)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / AIOPS).write_text(_aiops(places, identities), encoding="utf-8")


def _prometheus(places: Places, targets: Path) -> dict[str, Any]:
    manager = places.alertmanager.removeprefix("http://")
    lab = {
        "job_name": "lab",
        # A pod says itself which service it is; a target that does not answer is named by its job.
        "honor_labels": True,
        "file_sd_configs": [{"files": [str(targets)], "refresh_interval": EVERY}],
        "relabel_configs": [{"source_labels": ["job"], "target_label": "service"}],
    }
    return {
        "global": {"scrape_interval": EVERY, "evaluation_interval": EVERY},
        "rule_files": [RULES],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [manager]}]}]},
        "scrape_configs": [lab],
    }


def _alertmanager(places: Places) -> dict[str, Any]:
    hook = {"url": f"{places.aiops}/webhooks/alertmanager", "send_resolved": True}
    return {
        "route": {
            "receiver": "aiops",
            "group_by": ["namespace", "service"],
            "group_wait": "1s",
            "group_interval": "2s",
        },
        "receivers": [{"name": "aiops", "webhook_configs": [hook]}],
    }


def _objectives(entry: str) -> dict[str, Any]:
    """What users are promised: an action that does not help it is taken back."""
    errors = {"kind": "availability", "total": "request_ops", "bad": "request_errors_ops"}
    slow = {"kind": "latency", "metric": "request_duration_seconds_p90", "at_most": SLOW_S}
    promised = (("errors", errors, 95), ("latency", slow, 90))
    return {
        "slos": [
            {
                "name": f"{entry}-{name}",
                "service": entry,
                "sli": sli,
                "objective": objective,
                "window": "30d",
            }
            for name, sli, objective in promised
        ]
    }


def _aiops(places: Places, identities: Path | None) -> str:
    settings = f"""\
# A lab is young, and what is broken in it is put right within minutes.
slos = "{SLOS}"

[sources.prometheus]
kind = "prometheus"
url = "{places.prometheus}"

[window]
before_s = 300

[incidents]
settle_s = 10                   # by then there is something to see of what has just begun
reopen_window_s = 30
cooldown_s = 20

[gateway]
mode = "approve"                # it is a lab: what a person approves is done
watch_s = 5                     # it is scraped every second
mend_s = 30
"""
    return settings if identities is None else settings + _cluster(identities)


def _cluster(identities: Path) -> str:
    """Whoever reads the cluster and whoever changes it are two."""
    return f"""
[tools.kubernetes]
kind = "kubernetes"
cluster = "{CLUSTER}"
kubeconfig = "{identities / "reader.kubeconfig"}"
write_kubeconfig = "{identities / "executor.kubeconfig"}"

[sources.cluster]
kind = "kubernetes"
cluster = "{CLUSTER}"
kubeconfig = "{identities / "reader.kubeconfig"}"
"""
