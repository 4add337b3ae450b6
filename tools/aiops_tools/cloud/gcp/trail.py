"""Audit logs of admin activity: who changed what lately, as the port has it."""

from typing import Any, Final

from aiops.model import Window
from aiops_tools.cloud.gcp.connection import Api, Connection
from aiops_tools.cloud.gcp.machines import moment
from aiops_tools.cloud.port import CloudChange, Found
from aiops_tools.cloud.sealed import sealed

_PAGE: Final = 200
_LOG: Final = "cloudaudit.googleapis.com%2Factivity"


def changes(project: Connection, window: Window, about: str | None) -> Found[CloudChange]:
    """Of the whole project: an audit log is not kept by region. Answers are never looked at."""
    parts = [
        f'logName="projects/{project.project}/logs/{_LOG}"',
        f'timestamp>="{window.start.isoformat()}"',
        f'timestamp<"{window.end.isoformat()}"',
    ]
    if about:
        quoted = about.replace("\\", "\\\\").replace('"', '\\"')
        parts.append(f'protoPayload.resourceName:"{quoted}"')

    def page(api: Any, token: str | None) -> Any:
        body = {
            "resourceNames": [f"projects/{project.project}"],
            "filter": " AND ".join(parts),
            "orderBy": "timestamp desc",
            "pageSize": _PAGE,
            "pageToken": token or "",
        }
        return api.entries().list(body=body)

    found = project.pages("logging", "changes", page)
    entries = [one for held in found.rows for one in held.get("entries") or ()]
    rows = tuple(change for one in entries if (change := _change(one)) is not None)
    return Found(rows, found.unread, found.left_out)


def _change(one: Api) -> CloudChange | None:
    at, told = moment(one.get("timestamp")), one.get("protoPayload") or {}
    operation = one.get("operation") or {}
    if at is None or (operation.get("last") and not operation.get("first")):
        return None  # a long operation is told of twice: when it begins, and when it has ended
    status = told.get("status") or {}
    return CloudChange(
        at=at,
        actor=str((told.get("authenticationInfo") or {}).get("principalEmail") or "unknown"),
        action=str(told.get("methodName", "")),
        target=str(told.get("resourceName", "")),
        error=f"{status['code']}: {status.get('message', '')}" if status.get("code") else "",
        detail=sealed(told.get("request") or {}),
    )
