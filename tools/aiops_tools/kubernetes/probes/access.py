"""Who may do what: what the identity that reads may itself, and who else may."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from aiops.analyze.state.api import Api, text
from aiops.errors import ToolFailed
from aiops_tools.kubernetes.kinds import kind_named
from aiops_tools.kubernetes.probes.places import InNamespace, KindName
from aiops_tools.kubernetes.probes.probe import Answer, Question, View
from aiops_tools.kubernetes.rbac import Wish, who_can
from aiops_tools.spec import Result

if TYPE_CHECKING:
    from aiops.model.tool import Unread

MOST = 60
Word = Annotated[str, Field(pattern=r"^[a-z]+$", max_length=30)]


class AccessAsked(InNamespace):
    """Arguments of can_i and who_can."""

    verb: Word = Field(description="get, list, watch, create, update, patch, delete, ...")
    kind: KindName
    subresource: str = Field(default="", pattern=r"^[a-z]*$", max_length=30)
    name: str = Field(default="", max_length=253, description="of one object; else any")


class CanI(Result):
    """Answer of can_i."""

    allowed: bool
    reason: str


def can_i(view: View, asked: AccessAsked) -> Answer:
    """Asks the cluster itself."""
    kind = kind_named(asked.kind)
    attributes = {
        "verb": asked.verb,
        "group": kind.group,
        "resource": kind.plural,
        "subresource": asked.subresource,
        "name": asked.name,
        "namespace": asked.namespace if kind.namespaced else "",
    }
    said = view.reader.may({key: value for key, value in attributes.items() if value})
    word = "may" if said.allowed else "may not"
    what = f"{kind.plural}/{asked.subresource}".rstrip("/")
    return Answer(
        CanI(allowed=said.allowed, reason=said.reason),
        f"The identity that reads {word} {asked.verb} {what} in {asked.namespace}. {said.reason}",
    )


class GrantRow(Result):
    """Somebody who may, and by what."""

    subject: str
    binding: str
    role: str


class WhoCan(Result):
    """Answer of who_can, as roles and bindings say."""

    total: int
    grants: list[GrantRow]


def who(view: View, asked: AccessAsked) -> Answer:
    """Reads roles and bindings; what could not be read may hold more."""
    kind = kind_named(asked.kind)
    unread: list[Unread] = []
    read = view.reader.some
    bindings = read(kind_named("ClusterRoleBinding"), unread)
    bindings += read(kind_named("RoleBinding"), unread, asked.namespace) if kind.namespaced else []
    found = read(kind_named("ClusterRole"), unread)
    found += read(kind_named("Role"), unread, asked.namespace) if kind.namespaced else []
    if not found and unread:
        raise ToolFailed("forbidden", f"no role can be read: {unread[0].reason}")
    roles: dict[tuple[str, str, str], Api] = {
        (text(r, "kind"), text(r, "metadata", "namespace"), text(r, "metadata", "name")): r
        for r in found
    }
    resource = f"{kind.plural}/{asked.subresource}".rstrip("/")
    grants = who_can(Wish(asked.verb, kind.group, resource, asked.name), bindings, roles)
    rows = [GrantRow(subject=g.subject, binding=g.binding, role=g.role) for g in grants[:MOST]]
    said = [f"{r.subject} by {r.binding} ({r.role})" for r in rows]
    head = f"{len(grants)} may {asked.verb} {resource} in {asked.namespace}, as roles say."
    return Answer(WhoCan(total=len(grants), grants=rows), "\n".join([head, *said]), tuple(unread))


QUESTIONS: tuple[Question[Any], ...] = (
    Question(
        "can_i",
        "Whether the identity that reads this cluster may do something.",
        AccessAsked,
        CanI,
        can_i,
        ("am I allowed to read pods here",),
    ),
    Question(
        "who_can",
        "Users, groups and service accounts whom roles allow something.",
        AccessAsked,
        WhoCan,
        who,
        ("who may delete deployments", "which service account can read secrets"),
    ),
)
