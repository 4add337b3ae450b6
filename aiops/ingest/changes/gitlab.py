"""GitLab's webhooks (its documentation, "Webhook events").

A deployment counts when it succeeded, a pipeline when it did and one of its jobs deploys, a push
when it is to the default branch, a tag when it is made.
"""

from collections.abc import Callable, Iterable, Mapping
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


def parse(push: Push) -> tuple[Change, ...]:
    """See ChangeParser."""
    return changes(push, reported(push))


def reported(push: Push) -> Iterable[Reported]:
    """What the payload reports; nothing for events that change nothing.

    Raises:
        BadPayload: it cannot be read.
    """
    payload = read(push.body)
    reads = _EVENTS.get(payload.required("object_kind"))
    return () if reads is None else reads(payload)


def _deployment(payload: Fields) -> Iterable[Reported]:
    if payload.text("status") != "success":
        return ()
    environment, title = payload.text("environment"), payload.text("commit_title")
    kind = kind_of_deployment(title)
    verb = "Rollback" if kind == "rollback" else "Deployment"
    ref = payload.text("ref") or payload.text("short_sha")
    to = f" to {environment}" if environment else ""
    return (
        Reported(
            subject=_project(payload),
            description=joined(f"{verb} of {ref}{to} done", title),
            at=when(payload, "status_changed_at"),
            kind=kind,
            environment=environment,
            author=_user(payload),
            ref=payload.text("short_sha"),
            link=payload.text("deployable_url") or payload.text("commit_url"),
        ),
    )


def _pipeline(payload: Fields) -> Iterable[Reported]:
    pipeline = payload.inside("object_attributes")
    environments = [
        name
        for build in payload.each("builds")
        if (name := build.inside("environment").text("name"))
        and build.text("status") in ("", "success")
    ]
    deploying = environments or any(
        deploys(build.text("stage"), build.text("name")) for build in payload.each("builds")
    )
    if pipeline.text("status") != "success" or not deploying:
        return ()
    message = payload.inside("commit").text("message").partition("\n")[0]
    to = f" to {environments[-1]}" if environments else ""
    return (
        Reported(
            subject=_project(payload),
            description=joined(f"Pipeline on {pipeline.text('ref')}{to} done", message),
            at=when(pipeline, "finished_at") or when(pipeline, "created_at"),
            kind=kind_of_deployment(message),
            environment=environments[-1] if environments else "",
            author=_user(payload),
            ref=pipeline.text("sha"),
            link=pipeline.text("url"),
        ),
    )


def _push(payload: Fields) -> Iterable[Reported]:
    branch = payload.inside("project").text("default_branch")
    made = payload.text("checkout_sha")
    if payload.text("ref") != f"refs/heads/{branch}" or not made:
        return ()
    commits = payload.each("commits")
    last = commits[-1] if commits else Fields({})
    message = (last.text("title") or last.text("message")).partition("\n")[0]
    return (
        Reported(
            subject=_project(payload),
            description=joined(f"Push to {branch}", message),
            at=None,  # that of receipt: commits may be much older
            kind="other",
            author=payload.text("user_username") or payload.text("user_name"),
            ref=made,
            link=last.text("url"),
        ),
    )


def _tag(payload: Fields) -> Iterable[Reported]:
    made = payload.text("checkout_sha")
    if not made:  # the tag was deleted
        return ()
    tag = payload.text("ref").removeprefix("refs/tags/")
    return (
        Reported(
            subject=_project(payload),
            description=joined(f"Tag {tag}", payload.text("message")),
            at=None,
            kind="other",
            author=payload.text("user_username") or payload.text("user_name"),
            ref=tag,
            link=payload.inside("project").text("web_url"),
        ),
    )


_EVENTS: Final[Mapping[str, Callable[[Fields], Iterable[Reported]]]] = {
    "deployment": _deployment,
    "pipeline": _pipeline,
    "push": _push,
    "tag_push": _tag,
}


def _project(payload: Fields) -> str:
    project = payload.inside("project")
    return project.text("path_with_namespace") or project.required("name")


def _user(payload: Fields) -> str:
    user = payload.inside("user")
    return user.text("username") or user.text("name")
