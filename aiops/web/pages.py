"""The pages: server-rendered, complete without JavaScript, for a person at three in the morning."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Literal, cast, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from aiops.app.incidents import lifecycle, transfers
from aiops.app.incidents.acts import Done, Person
from aiops.app.incidents.grouping import Grouping
from aiops.app.watching import read_through
from aiops.errors import AiopsError, NotKept
from aiops.model.alert import Severity
from aiops.model.incident import Incident, IncidentQuery, IncidentStatus
from aiops.model.run import Moment
from aiops.ports.incidents import IncidentRepo
from aiops.web import reports
from aiops.web.bodies import Id
from aiops.web.errors import Refused, refused
from aiops.web.page import Form, page, redirect
from aiops.web.security import COOKIE, Caller, Responder, Viewer, identified, must_be_same_site
from aiops.web.site import AtSite, Site

router = APIRouter()
PAGE: Final = 50
SHOWN: Final = 30
"""Entries of a timeline that are open; older ones are folded."""
ACTIONS: Final = 20
"""Actions of an incident that its page shows, the latest."""
TALKS: Final = 5
"""Conversations about an incident that its page leads to."""
LATEST: Final = 8
"""Steps of an investigation that are shown while it goes on; all of them are folded after it."""
SILENT: Final = timedelta(minutes=15)
"""A run that told nothing for so long does not go on: its budget is ten minutes."""
Stage = Literal["under way", "over", "broken off"]
SESSION_S: Final = 12 * 3600
_VIEWS: Final[dict[str, tuple[IncidentStatus, ...]]] = {
    "open": ("triggered", "acknowledged"),
    "triggered": ("triggered",),
    "acknowledged": ("acknowledged",),
    "resolved": ("resolved",),
    "all": (),
}


@router.get("/")
def incidents(request: Request, who: Viewer, site: AtSite) -> Response:
    """The incidents, newest first, with filters in the address."""
    asked = request.query_params
    view = asked.get("status", "open")
    severity = asked.get("severity", "")
    if view not in _VIEWS or severity not in ("", *get_args(Severity)):
        raise Refused(422, "invalid", "no such filter")
    filters = {
        "status": view,
        "severity": severity,
        "service": asked.get("service", "")[:200],
        "text": asked.get("text", "")[:200],
    }
    query = IncidentQuery(
        statuses=_VIEWS[view],
        severities=(cast("Severity", severity),) if severity else (),
        service=filters["service"] or None,
        text=filters["text"] or None,
        before=asked.get("before") or None,
        limit=PAGE + 1,
    )
    found = site.service.incidents.find(query)
    given = {name: value for name, value in filters.items() if value}
    more = urlencode({**given, "before": found[PAGE - 1].id}) if len(found) > PAGE else None
    return page(
        site,
        "incidents.html",
        who=who,
        incidents=found[:PAGE],
        counts=site.service.incidents.counts(),
        filters=filters,
        severities=get_args(Severity),
        views=tuple(_VIEWS),
        address=str(request.base_url).rstrip("/"),
        more=more,
        first=not query.before,
        filtered=any(filters[name] for name in ("severity", "service", "text")),
    )


@router.get("/incidents")
def all_incidents(request: Request) -> Response:
    """Where people look for the list who have the address of one of them."""
    asked = request.url.query
    return redirect(f"/?{asked}" if asked else "/")


@router.get("/incidents/{incident_id}")
def incident(who: Viewer, site: AtSite, incident_id: Id) -> Response:
    """One incident: what happened, its alerts, its report in short, and what can be done."""
    return _incident(site, who, incident_id)


@router.post("/incidents/{incident_id}/{button}")
def press(who: Responder, site: AtSite, incident_id: Id, button: str, form: Form) -> Response:
    """What a button does; then the incident again, with the reason where it could not be done."""
    if button not in _BUTTONS:
        raise NotKept("button", button)
    service = site.service
    person = Person(service.incidents, service.clock, who.name)
    rules = Grouping(**service.settings.incidents.model_dump())
    try:
        done = _BUTTONS[button](person, incident_id, form, rules)
    except AiopsError as error:
        return _incident(site, who, incident_id, problem=refused(error))
    service.audit.append(done.audit)
    return redirect(f"/incidents/{incident_id}")


def _judged(person: Person, incident_id: str, form: dict[str, str], rules: Grouping) -> Done:
    del rules
    right = form.get("right") == "yes"
    return lifecycle.judge(person, incident_id, right=right, cause=form.get("cause", ""))


_BUTTONS: Final[dict[str, Callable[[Person, str, dict[str, str], Grouping], Done]]] = {
    "acknowledge": lambda person, one, *_: lifecycle.acknowledge(person, one),
    "resolve": lambda person, one, form, _: lifecycle.resolve(person, one, form.get("reason", "")),
    "reopen": lambda person, one, *_: lifecycle.reopen(person, one),
    "comment": lambda person, one, form, _: lifecycle.comment(person, one, form.get("text", "")),
    "assign": lambda person, one, *_: lifecycle.assign(person, one, person.name),
    "investigate": lambda person, one, *_: lifecycle.request_investigation(person, one),
    "merge": lambda person, one, form, rules: transfers.merge(
        person, form.get("other", ""), one, rules
    ),
    "verdict": _judged,
}


@router.get("/reports/{investigation_id}")
def report(who: Viewer, site: AtSite, investigation_id: Id) -> Response:
    """The report as its own page."""
    del who
    found = site.service.investigations.get(investigation_id)
    return reports.rendered(site, found.report, "html", back=f"/incidents/{found.about}")


@router.get("/objectives")
def objectives(who: Viewer, site: AtSite) -> Response:
    """How the service level objectives stand."""
    return page(site, "objectives.html", who=who, standings=site.standings())


@router.get("/refused")
def refused_webhooks(who: Viewer, site: AtSite) -> Response:
    """Webhook requests that could not be understood."""
    return page(site, "refused.html", who=who, refused=site.service.inbox.refused(limit=100))


@router.get("/login")
def login(site: AtSite) -> Response:
    """Where a token is pasted."""
    if site.dev:
        return redirect("/")
    return page(site, "login.html", who=None, problem=None)


@router.post("/login")
def logged_in(request: Request, site: AtSite, form: Form) -> Response:
    """Begin a session: the token itself, in a cookie that scripts cannot read."""
    must_be_same_site(request)
    secret = form.get("token", "").strip()
    try:
        identified(request, site, secret)
    except Refused as error:
        if error.status != 401:
            raise
        shown = page(
            site,
            "login.html",
            who=None,
            problem="That token opens nothing: it is "
            "unknown, expired or revoked. An admin makes another with 'aiops token create'.",
        )
        shown.status_code = 401
        return shown
    answer = redirect("/")
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=SESSION_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/logout")
def logged_out(request: Request) -> Response:
    """End the session."""
    must_be_same_site(request)
    answer = redirect("/login")
    answer.delete_cookie(COOKIE)
    return answer


def _incident(
    site: Site, who: Caller, incident_id: str, problem: Refused | None = None
) -> Response:
    service = site.service
    found = service.incidents.get(incident_id)
    newest = None if found.report is None else service.investigations.get(found.report)
    steps = read_through(each.moment for each in service.progress.newest(incident_id))
    shown = page(
        site,
        "incident.html",
        who=who,
        incident=found,
        timeline=service.incidents.timeline(incident_id),
        alerts=service.incidents.alerts(incident_id, limit=200),
        actions=service.approvals.listed(incident=incident_id, limit=ACTIONS),
        investigation=newest,
        steps=steps,
        stage=_stage(found, steps, service.clock.now()),
        latest=LATEST,
        related=_unmerged(service.incidents, found),
        threads=service.threads.newest(incident=incident_id, limit=TALKS),
        problem=None if problem is None else problem.body.message,
        may_act=who.may("responder"),
        blind=not service.sources,
        shown=SHOWN,
    )
    if problem is not None:
        shown.status_code = problem.status
    return shown


def _stage(incident: Incident, steps: list[Moment], now: datetime) -> Stage:
    """Where its latest run is, as far as anybody heard."""
    if not steps or steps[-1].kind in ("ended", "waits"):
        return "over"
    if incident.report is not None and incident.report.startswith(steps[-1].run):
        return "over"
    return "under way" if now - steps[-1].at < SILENT else "broken off"


def _unmerged(repo: IncidentRepo, incident: Incident) -> list[Incident]:
    """The incidents that it may be of one fault with, but for those merged or forgotten."""
    found = []
    for each in incident.related:
        with suppress(NotKept):
            found.append(repo.get(each))
    return [each for each in found if each.merged_into is None]
