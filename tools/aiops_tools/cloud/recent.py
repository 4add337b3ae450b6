"""Who changed what in an account, and what its quotas leave, as questions."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from aiops_tools.cloud.places import InPlace
from aiops_tools.cloud.port import Cloud, Quota
from aiops_tools.cloud.probing import View, more_than_read
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Result
from aiops_tools.tables import paragraphs, rounded, table
from aiops_tools.windows import InWindow, Stretch, stretch, told

MOST_TOLD: Final = 50
_Text = Annotated[str, StringConstraints(pattern=r"^[!-~]([ -~]{0,253}[!-~])?$")]


class ChangesAsked(InPlace, InWindow):
    """Which changes."""

    about: _Text | None = Field(default=None, description="one object, by its name or id")


class ChangeFound(Result):
    """A call that changed something; ``detail`` is JSON of what it asked for, secrets hidden."""

    at: datetime
    actor: str
    action: str
    target: str
    error: str
    detail: str


class ChangesFound(Result):
    """Changes, the newest first."""

    window: Stretch
    changes: list[ChangeFound]
    left_out: bool


def _changes(view: View[Cloud], asked: ChangesAsked) -> Answer:
    window = asked.window(view.now())
    found = view.cloud.changes(window, asked.about)
    rows = sorted(found.rows, key=lambda one: one.at, reverse=True)
    some = rows[:MOST_TOLD]
    left_out = found.left_out or len(rows) > len(some)
    changes = [
        ChangeFound(
            at=one.at,
            actor=one.actor,
            action=one.action,
            target=one.target,
            error=one.error,
            detail=one.detail,
        )
        for one in some
    ]
    summary = paragraphs(
        f"{len(rows)} changes, {told(window)}.",
        table(
            ("at", "who", "what", "to", "error"),
            ((f"{o.at:%H:%M:%S}", o.actor, o.action, o.target, o.error) for o in some),
        ),
        more_than_read(left_out),
    )
    result = ChangesFound(window=stretch(window), changes=changes, left_out=left_out)
    return Answer(result, summary, found.unread)


class QuotasAsked(InPlace):
    """Which quotas."""

    service: Annotated[
        str, StringConstraints(pattern=r"^[a-z0-9-]{1,63}$"), Field(description='"ec2", "compute"')
    ]


class QuotaFound(Result):
    """A quota; ``share`` is what is used of it, null where the provider does not tell."""

    code: str
    name: str
    limit: float | None
    used: float | None
    share: float | None
    unit: str


class QuotasFound(Result):
    """Quotas, the fullest first; ``read`` counts all."""

    read: int
    quotas: list[QuotaFound]
    left_out: bool


def _quotas(view: View[Cloud], asked: QuotasAsked) -> Answer:
    found = view.cloud.quotas(asked.service)
    rows = sorted(found.rows, key=lambda one: (-(_share(one) or 0.0), one.name))
    some = rows[:MOST_TOLD]
    left_out = found.left_out or len(rows) > len(some)
    quotas = [
        QuotaFound(
            code=one.code,
            name=one.name,
            limit=rounded(one.limit),
            used=None if one.used is None else rounded(one.used),
            share=_share(one),
            unit=one.unit,
        )
        for one in some
    ]
    summary = paragraphs(
        table(
            ("quota", "used", "limit", "share"),
            ((one.name, one.used, one.limit, one.share) for one in quotas),
        )
        or f"No quota of {asked.service}.",
        more_than_read(left_out),
    )
    result = QuotasFound(read=len(found.rows), quotas=quotas, left_out=left_out)
    return Answer(result, summary, found.unread)


def _share(one: Quota) -> float | None:
    return rounded(one.used / one.limit) if one.used is not None and one.limit > 0 else None


QUESTIONS: Final[tuple[Question[View[Cloud], Any], ...]] = (
    Question(
        "changes",
        "Calls that changed something in the account: when, by whom, to what, and whether done.",
        ChangesAsked,
        ChangesFound,
        _changes,
        ("who changed the security group", "what was altered in the account in the last hour"),
        timeout_s=60,
    ),
    Question(
        "quotas",
        "Quotas of one of the provider's services and how much of them is used.",
        QuotasAsked,
        QuotasFound,
        _quotas,
        ("have we run into a limit of the provider", "how many more machines may we start"),
        timeout_s=60,
    ),
)
