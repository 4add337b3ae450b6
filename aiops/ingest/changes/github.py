"""GitHub's webhooks (its documentation, "Webhook events and payloads").

A deployment counts when it begins and when it succeeded, a push when it is to the default branch,
a release when it is published, a workflow when it succeeded and its name says that it deploys.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

from aiops.ingest.changes.reported import (
    Reported,
    changes,
    deploys,
    joined,
    kind_of_deployment,
    when,
)
from aiops.ingest.webhooks.fields import Fields, read
from aiops.model.change import Change
from aiops.ports.webhook import Push

_SHORT: Final = 12


def parse(push: Push) -> tuple[Change, ...]:
    """See ChangeParser."""
    return changes(push, reported(push))


def reported(push: Push) -> Iterable[Reported]:
    """What the payload reports; nothing for events that change nothing.

    Raises:
        BadPayload: it cannot be read.
    """
    payload = read(push.body)
    event = push.headers.get("x-github-event", "") or _guess(payload)
    reads = _EVENTS.get(event)
    return () if reads is None else reads(payload)


def _guess(payload: Fields) -> str:
    """The event where a proxy dropped its header; a deployment's status holds the deployment."""
    return next((event for event in _BY_MEMBER if event in payload), "push")


def _deployment(payload: Fields) -> Iterable[Reported]:
    return (_deployed(payload, payload.inside("deployment"), "created_at", "begun"),)


def _deployment_status(payload: Fields) -> Iterable[Reported]:
    status = payload.inside("deployment_status")
    if status.text("state") != "success":
        return ()
    one = _deployed(payload, payload.inside("deployment"), "updated_at", "done")
    link = status.text("target_url") or status.text("environment_url") or one.link
    at = when(status, "created_at") or one.at
    return (replace(one, at=at, link=link),)


def _deployed(payload: Fields, deployment: Fields, key: str, state: str) -> Reported:
    environment, sha = deployment.text("environment"), deployment.text("sha")
    ref, said = deployment.text("ref"), deployment.text("description")
    kind = kind_of_deployment(deployment.text("task"), said)
    verb = "Rollback" if kind == "rollback" else "Deployment"
    to = f" to {environment}" if environment else ""
    return Reported(
        subject=_repository(payload),
        description=joined(f"{verb} of {ref or sha[:_SHORT]}{to} {state}", said),
        at=when(deployment, key),
        kind=kind,
        environment=environment,
        author=deployment.inside("creator").text("login"),
        ref=sha or ref,
        link=payload.inside("repository").text("html_url"),
    )


def _push(payload: Fields) -> Iterable[Reported]:
    branch = payload.inside("repository").text("default_branch")
    if payload.text("ref") != f"refs/heads/{branch}" or payload.raw("deleted") is True:
        return ()
    head = payload.inside("head_commit")
    message = head.text("message").partition("\n")[0]
    return (
        Reported(
            subject=_repository(payload),
            description=joined(f"Push to {branch}", message),
            at=when(payload.inside("repository"), "pushed_at"),  # commits may be much older
            kind="other",
            author=payload.inside("pusher").text("name") or head.inside("author").text("name"),
            ref=payload.text("after"),
            link=payload.text("compare"),
        ),
    )


def _release(payload: Fields) -> Iterable[Reported]:
    release = payload.inside("release")
    if payload.text("action") != "published":
        return ()
    tag = release.text("tag_name")
    return (
        Reported(
            subject=_repository(payload),
            description=joined(f"Release {tag}", release.text("name")),
            at=when(release, "published_at"),
            author=release.inside("author").text("login"),
            ref=tag,
            link=release.text("html_url"),
        ),
    )


def _workflow_run(payload: Fields) -> Iterable[Reported]:
    run = payload.inside("workflow_run")
    name, title = run.text("name"), run.text("display_title")
    finished = payload.text("action") == "completed" and run.text("conclusion") == "success"
    if not finished or not deploys(name, run.text("path")):
        return ()
    return (
        Reported(
            subject=_repository(payload),
            description=joined(f"Workflow {name} on {run.text('head_branch')} done", title),
            at=when(run, "updated_at"),
            kind=kind_of_deployment(name),
            author=run.inside("actor").text("login"),
            ref=run.text("head_sha"),
            link=run.text("html_url"),
        ),
    )


_EVENTS: Final[Mapping[str, Callable[[Fields], Iterable[Reported]]]] = {
    "deployment": _deployment,
    "deployment_status": _deployment_status,
    "push": _push,
    "release": _release,
    "workflow_run": _workflow_run,
}
_BY_MEMBER: Final = ("deployment_status", "deployment", "release", "workflow_run", "zen")


def _repository(payload: Fields) -> str:
    repository = payload.inside("repository")
    return repository.text("full_name") or repository.required("name")
