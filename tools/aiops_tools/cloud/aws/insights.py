"""CloudWatch Logs Insights, as a question: a query over log groups, waited for."""

import time
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from aiops.errors import ToolFailed
from aiops.model.tool import Unread
from aiops_tools.cloud.aws.cloud import AwsCloud
from aiops_tools.cloud.aws.connection import Api, Connection
from aiops_tools.cloud.places import InPlace
from aiops_tools.cloud.probing import View, part_of
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Result
from aiops_tools.tables import paragraphs, table
from aiops_tools.windows import InWindow, Stretch, stretch, told

_MOST_ROWS: Final = 200
_LONGEST_CELL: Final = 1000
_POLL_S: Final = 0.5
_POLLS: Final = 100
"""With what each costs, under the tool's time."""
_UNDER_WAY: Final = ("Scheduled", "Running", "Unknown")

LogGroupName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_/.#-]{1,512}$")]


class LogsAsked(InPlace, InWindow):
    """A query over log groups."""

    log_groups: list[LogGroupName] = Field(min_length=1, max_length=10)
    query: Annotated[str, StringConstraints(min_length=1, max_length=4000)] = Field(
        default="fields @timestamp, @message | sort @timestamp desc",
        description="in the language of Logs Insights",
    )
    limit: int = Field(default=50, ge=1, le=_MOST_ROWS)


class LogRows(Result):
    """Rows of the answer by field, without pointers; ``matched`` counts lines before any limit."""

    window: Stretch
    rows: list[dict[str, str]]
    matched: float | None
    scanned_bytes: float | None


def _query(view: View[AwsCloud], asked: LogsAsked) -> Answer:
    window, account = asked.window(view.now()), view.cloud.account
    started = account.ask(
        "logs",
        "start_query",
        "log query",
        logGroupNames=asked.log_groups,
        startTime=int(window.start.timestamp()),
        endTime=int(window.end.timestamp()),
        queryString=asked.query,
        limit=asked.limit,
    )
    found = _waited(account, started["queryId"])
    rows = [
        {
            one["field"]: str(one.get("value", ""))[:_LONGEST_CELL]
            for one in row
            if one.get("field") not in (None, "@ptr")
        }
        for row in (found.get("results") or ())[: asked.limit]
    ]
    statistics = found.get("statistics") or {}
    fields = list(dict.fromkeys(field for row in rows for field in row))
    summary = paragraphs(
        f"{len(rows)} rows of {', '.join(asked.log_groups)}, {told(window)}.",
        table(fields, ([row.get(field) for field in fields] for row in rows)),
    )
    result = LogRows(
        window=stretch(window),
        rows=rows,
        matched=statistics.get("recordsMatched"),
        scanned_bytes=statistics.get("bytesScanned"),
    )
    return Answer(result, summary, _unread(str(found.get("status"))))


def _waited(account: Connection, query: str) -> Api:
    """What the query found; what it found so far where it takes too long."""
    found: Api = {}
    for _ in range(_POLLS):
        found = account.ask("logs", "get_query_results", "log query", queryId=query)
        if found.get("status") not in _UNDER_WAY:
            break
        time.sleep(_POLL_S)
    else:
        # It costs until it ends; that it cannot be stopped is no reason to keep its rows back.
        part_of(
            "the end of the query",
            lambda: account.ask("logs", "stop_query", "log query", queryId=query),
        )
    if found.get("status") in ("Failed", "Cancelled"):
        raise ToolFailed(
            "failed",
            f"log query of {account.place}: it {str(found['status']).lower()}; ask for less, or "
            "correct the query",
        )
    return found


def _unread(status: str) -> tuple[Unread, ...]:
    if status == "Complete":
        return ()
    return (Unread("rows after these", f"the query was {status.lower()} when time was up"),)


QUERY: Final[Question[View[AwsCloud], LogsAsked]] = Question(
    "log_query",
    "Rows of a Logs Insights query over CloudWatch log groups.",
    LogsAsked,
    LogRows,
    _query,
    ("search the CloudWatch logs for this error", "how often does the function time out"),
    timeout_s=90,
)
