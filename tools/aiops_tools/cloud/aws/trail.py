"""CloudTrail: who changed what lately, as the port has it."""

import json
from datetime import datetime, timedelta
from typing import Any, Final

from aiops.model import Window
from aiops.model.tool import Unread
from aiops_tools.cloud.aws.connection import Api, Connection
from aiops_tools.cloud.aws.fields import last_part, moment, text
from aiops_tools.cloud.port import CloudChange, Found
from aiops_tools.cloud.sealed import sealed

_LATE: Final = timedelta(minutes=15)


def changes(
    account: Connection, window: Window, about: str | None, now: datetime
) -> Found[CloudChange]:
    """Management events that are no reads. What calls brought back is never looked at."""
    key, value = ("ResourceName", about) if about else ("ReadOnly", "false")
    found = account.rows(
        "cloudtrail",
        "lookup_events",
        "Events",
        "changes",
        LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}],
        StartTime=window.start,
        EndTime=window.end,
    )
    rows = [change for one in found.rows if (change := _change(one)) is not None]
    late: tuple[Unread, ...] = ()
    if window.end > now - _LATE:
        late = (
            Unread(
                "changes of the last 15 minutes",
                "CloudTrail tells of a change up to 15 minutes late; ask again later",
            ),
        )
    return Found(tuple(rows), (*found.unread, *late), found.left_out)


def _change(one: Api) -> CloudChange | None:
    at = moment(one.get("EventTime"))
    if at is None or text(one, "ReadOnly") == "true":
        return None
    told = _told(one.get("CloudTrailEvent"))
    targets = [text(each, "ResourceName") for each in one.get("Resources") or ()]
    error = ": ".join(filter(None, (text(told, "errorCode"), text(told, "errorMessage"))))
    return CloudChange(
        at=at,
        actor=text(one, "Username") or _actor(told.get("userIdentity") or {}),
        action=f"{text(one, 'EventSource').partition('.')[0]}:{text(one, 'EventName')}",
        target=", ".join(filter(None, targets)),
        error=error,
        detail=sealed(told.get("requestParameters") or {}),
    )


def _actor(identity: Api) -> str:
    return last_part(identity.get("arn")) or text(identity, "invokedBy") or text(identity, "type")


def _told(event: object) -> dict[str, Any]:
    try:
        found = json.loads(str(event or "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
