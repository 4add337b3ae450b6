"""A project of Google's over real HTTP: answers made by hand, in the form of the APIs' reference.

It keeps one group whose size can be changed, gives tokens for signed service accounts, and
answers errors where it is told to.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from loopback import Quiet, listening

from aiops_tools.cloud.gcp.options import GcpOptions

PROJECT, REGION = "shop-prod", "europe-west1"
PLACE = f"gcp:{PROJECT}/{REGION}"
ZONE = f"{REGION}-b"
_COMPUTE = f"/compute/v1/projects/{PROJECT}"
_BASE = f"https://www.googleapis.com{_COMPUTE}"


@dataclass
class Project:
    """What the server answers from.

    Attributes:
        instead: (status, reason, message) by the last part of the path, as "resize".
        asked: (verb and path, who), in order.
        pages: whether lists come a row a page.
        keys: of resizes.
    """

    url: str = ""
    size: int = 2
    settled: bool = True
    sick: bool = False
    unreachable: tuple[str, ...] = ()
    autoscaled: bool = False
    pages: bool = False
    series: list[tuple[datetime, float]] = field(default_factory=list)
    alerting: bool = False
    entries: list[dict[str, Any]] = field(default_factory=list)
    instead: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def options(self, folder: Path, **more: Any) -> GcpOptions:
        """A reader and a writer, each a service account with a key file of its own."""
        given: dict[str, Any] = {
            "project": PROJECT,
            "region": REGION,
            "endpoint_url": self.url,
            "attempts": 1,
            "credentials_file": self.key_file(folder, "reader"),
            "write_credentials_file": self.key_file(folder, "writer"),
        }
        return GcpOptions.model_validate({**given, **more})

    def key_file(self, folder: Path, name: str) -> Path:
        key = {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": f"key-of-{name}",
            "private_key": _private_key(),
            "client_email": f"{name}@{PROJECT}.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": f"{self.url}/token/{name}",
        }
        file = folder / f"{name}.json"
        file.write_text(json.dumps(key))
        return file


@cache
def _private_key() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@contextmanager
def project() -> Iterator[Project]:
    """A server with a project."""
    held = Project()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            who = self.headers.get("Authorization", "").removeprefix("Bearer token-of-")
            held.asked.append((f"{self.command} {parts.path}", who))
            status, found = _answered(held, self.command, parts.path, parse_qs(parts.query), body)
            text = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    with listening(Handler) as held.url:
        yield held


def _answered(
    held: Project, verb: str, path: str, query: dict[str, list[str]], body: bytes
) -> tuple[int, Any]:
    last = path.rpartition("/")[2]
    if path.startswith("/token/"):
        return 200, {"access_token": f"token-of-{last}", "expires_in": 3600, "token_type": "Bearer"}
    if last in held.instead:
        status, reason, message = held.instead[last]
        errors = [{"reason": reason, "message": message}]
        return status, {"error": {"code": status, "message": message, "errors": errors}}
    if "filter" in query:
        held.filters += query["filter"]
    if verb == "POST" and last == "resize":
        held.size = int(query["size"][0])
        held.keys += query["requestId"]
        return 200, {"kind": "compute#operation", "status": "PENDING"}
    if verb == "POST" and last == "entries:list":
        held.filters.append(json.loads(body)["filter"])
        return 200, {"entries": held.entries}
    if verb == "POST" and last not in ("listManagedInstances",):
        return 404, {"error": {"code": 404, "message": f"no {verb} {path}"}}
    found = _lists(held, path, query)
    if found is None:
        return 404, {"error": {"code": 404, "message": f"nothing at {path}"}}
    return 200, found


def _lists(held: Project, path: str, query: dict[str, list[str]]) -> Any:
    group = f"{_COMPUTE}/zones/{ZONE}/instanceGroupManagers/fleet"
    name = f"/v3/projects/{PROJECT}"
    plain: dict[str, Any] = {
        f"{_COMPUTE}/aggregated/instanceGroupManagers": _in_zone(
            "instanceGroupManagers", [_group(held)]
        ),
        f"{_COMPUTE}/aggregated/autoscalers": _in_zone("autoscalers", _autoscalers(held)),
        group: _group(held),
        f"{group}/listManagedInstances": {"managedInstances": _members(held)},
        f"{group}/listErrors": {
            "items": [{"error": {"code": "QUOTA_EXCEEDED", "message": "no CPUs left"}}]
            if held.sick
            else []
        },
        f"{_COMPUTE}/regions/{REGION}": {
            "quotas": [
                {"metric": "CPUS", "limit": 24, "usage": 22},
                {"metric": "IN_USE_ADDRESSES", "limit": 8, "usage": 1},
            ]
        },
        f"{name}/alertPolicies": {
            "alertPolicies": [
                {
                    "name": f"projects/{PROJECT}/alertPolicies/1",
                    "displayName": "hot",
                    "enabled": True,
                    "conditions": [{"displayName": "CPU over 80 %"}],
                }
            ]
        },
        f"{name}/alerts": {"alerts": _alerts() if held.alerting else []},
        f"{name}/timeSeries": _series(held),
    }
    if path == f"{name}/timeSeries" and "instance_id" in (asked := query["filter"][0]):
        return _series(held) if 'resource.labels.instance_id = "1"' in asked else {}
    if path == f"{_COMPUTE}/aggregated/instances":
        return _instances(held, query)
    return plain.get(path)


def _instances(held: Project, query: dict[str, list[str]]) -> Any:
    rows = [_instance("web-0", "RUNNING", 1), _instance("web-1", "REPAIRING", 2)]
    if not held.pages:
        found = _in_zone("instances", rows)
        for zone in held.unreachable:
            found["items"][f"zones/{zone}"] = {"warning": {"code": "UNREACHABLE"}}
        return found
    at = int(query.get("pageToken", ["0"])[0])
    more = {"nextPageToken": str(at + 1)} if at + 1 < len(rows) else {}
    return {**_in_zone("instances", [rows[at]]), **more}


def _in_zone(key: str, rows: list[Any]) -> dict[str, Any]:
    elsewhere = {"warning": {"code": "NO_RESULTS_ON_PAGE"}}
    return {"items": {f"zones/{ZONE}": {key: rows}, "zones/us-east1-c": elsewhere}}


def _instance(name: str, status: str, number: int) -> dict[str, Any]:
    return {
        "id": str(number),
        "name": name,
        "status": status,
        "zone": f"{_BASE}/zones/{ZONE}",
        "machineType": f"{_BASE}/zones/{ZONE}/machineTypes/e2-small",
        "creationTimestamp": "2026-11-01T03:04:05.678-08:00",
        "metadata": {"items": [{"key": "startup-script", "value": "start-up-secret"}]},
    }


def _group(held: Project) -> dict[str, Any]:
    return {
        "id": "77",
        "name": "fleet",
        "zone": f"{_BASE}/zones/{ZONE}",
        "targetSize": held.size,
        "selfLink": f"{_BASE}/zones/{ZONE}/instanceGroupManagers/fleet",
    }


def _autoscalers(held: Project) -> list[dict[str, Any]]:
    policy = {"minNumReplicas": 1, "maxNumReplicas": 5, "mode": "ON"}
    link = f"{_BASE}/zones/{ZONE}/instanceGroupManagers/fleet"
    one = {"name": "fleet-scaler", "target": link, "autoscalingPolicy": policy}
    return [one] if held.autoscaled else []


def _members(held: Project) -> list[dict[str, Any]]:
    return [
        {
            "instance": f"{_BASE}/zones/{ZONE}/instances/fleet-{number}",
            "instanceStatus": "RUNNING",
            "currentAction": "NONE" if held.settled else "CREATING",
        }
        for number in range(held.size)
    ]


def _alerts() -> list[dict[str, Any]]:
    return [
        {
            "name": f"projects/{PROJECT}/alerts/9",
            "state": "OPEN",
            "openTime": "2026-11-20T11:50:00Z",
            "policy": {"name": f"projects/{PROJECT}/alertPolicies/1", "displayName": "hot"},
            "metric": {"type": "compute.googleapis.com/instance/cpu/utilization"},
            "resource": {"type": "gce_instance", "labels": {"instance_id": "1"}},
        }
    ]


def _series(held: Project) -> dict[str, Any]:
    points = [
        {
            "interval": {"startTime": _z(at - timedelta(minutes=1)), "endTime": _z(at)},
            "value": {"doubleValue": value},
        }
        for at, value in reversed(held.series)  # the API gives the newest first
    ]
    one = {
        "metric": {"type": "compute.googleapis.com/instance/cpu/utilization", "labels": {}},
        "resource": {"type": "gce_instance", "labels": {"instance_id": "1"}},
        "points": points,
    }
    return {"timeSeries": [one] if points else [], "unit": "10^2.%"}


def _z(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def audit_entry(at: datetime, method: str, target: str, **request: object) -> dict[str, Any]:
    """As Cloud Logging holds it."""
    return {
        "timestamp": _z(at),
        "protoPayload": {
            "methodName": method,
            "resourceName": target,
            "authenticationInfo": {"principalEmail": "dana@example.com"},
            "request": request,
            "response": {"password": "what-came-back"},
        },
    }
