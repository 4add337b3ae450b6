"""Compute Engine instances, managed instance groups and quotas, as the port has them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from aiops.errors import ToolFailed
from aiops.model.tool import Unread
from aiops_tools.cloud.gcp.connection import Api, Connection
from aiops_tools.cloud.port import Found, Group, Instance, Member, Quota
from aiops_tools.cloud.probing import part_of

MOST_GROUPS: Final = 50
_LATELY: Final = 3
_SERVING: Final = "RUNNING"
_SILENT: Final = "UNREACHABLE"


def instances(project: Connection, names: Sequence[str]) -> Found[Instance]:
    """Of the region's zones. Metadata (start-up scripts, keys) are never part of what is told."""
    found = _in_region(project, "instances", "instances")
    rows = [_instance(one) for one in found.rows]
    missing = next((name for name in names if not any(name in (r.id, r.name) for r in rows)), None)
    if missing is not None:
        raise _not_there(project, "machine", missing)
    chosen = tuple(one for one in rows if not names or {one.id, one.name} & set(names))
    return Found(chosen, found.unread, found.left_out)


def _in_region(project: Connection, collection: str, key: str) -> Found[Api]:
    """Rows of a collection of all zones; zones that did not answer are unread."""

    def page(api: Any, token: str | None) -> Any:
        return getattr(api, collection)().aggregatedList(project=project.project, pageToken=token)

    found = project.pages("compute", collection, page)
    rows: list[Api] = []
    silent: list[str] = []
    for held in found.rows:
        silent += held.get("unreachables") or ()
        for scope, part in (held.get("items") or {}).items():
            if _is_of(scope, project.region):
                rows += part.get(key) or ()
                silent += [scope] if (part.get("warning") or {}).get("code") == _SILENT else []
    late = (
        Unread(f"{collection} of {_last(scope)}", "the zone did not answer; ask again later")
        for scope in dict.fromkeys(silent)
        if _is_of(scope, project.region)
    )
    unread = (*found.unread, *late)
    return Found(tuple(rows), unread, found.left_out)


def _is_of(scope: str, region: str) -> bool:
    """Whether "zones/europe-west1-b" or "regions/europe-west1" is of the region."""
    name = _last(scope)
    return name == region or name.rpartition("-")[0] == region


def _instance(one: Api) -> Instance:
    state = str(one.get("status", "")).lower()
    scheduled = one.get("resourceStatus", {}).get("upcomingMaintenance", {})
    detail = [str(one["statusMessage"])] if one.get("statusMessage") else []
    if scheduled:
        detail.append(f"announced: maintenance {scheduled.get('windowStartTime', '')}".strip())
    return Instance(
        id=str(one.get("id", "")),
        name=str(one["name"]),
        zone=_last(one.get("zone")),
        type=_last(one.get("machineType")),
        state=state,
        healthy=False if state in ("repairing", "suspending") else None,
        detail=tuple(detail),
        launched=moment(one.get("lastStartTimestamp") or one.get("creationTimestamp")),
    )


def groups(project: Connection, names: Sequence[str]) -> Found[Group]:
    """Managed instance groups; each is named by its zone or region too: "europe-west1-b/web"."""
    found = _in_region(project, "instanceGroupManagers", "instanceGroupManagers")
    by_name = {name_of(one): one for one in found.rows}
    missing = next((name for name in names if name not in by_name), None)
    if missing is not None:
        raise _not_there(project, "group", missing)
    chosen = [one for name, one in sorted(by_name.items()) if not names or name in names]
    bounds, blind = part_of("autoscalers", lambda: _bounds(project))
    told = tuple(_group(project, one, bounds or {}, blind) for one in chosen[:MOST_GROUPS])
    return Found(told, found.unread, found.left_out or len(chosen) > len(told))


def group(project: Connection, name: str) -> Group:
    """One of them, by one request of its own."""
    collection, where, own = parted(project, name)
    one = project.ask(
        "compute",
        f"group {name}",
        lambda api: getattr(api, collection)().get(
            project=project.project, instanceGroupManager=own, **where
        ),
    )
    bounds, blind = part_of("autoscalers", lambda: _bounds(project))
    return _group(project, one, bounds or {}, blind)


def parted(project: Connection, name: str) -> tuple[str, Mapping[str, str], str]:
    """The collection that holds the group, where it is, and its name there.

    Raises:
        ToolFailed: "not_found": no zone of the region, nor the region, stands before the slash.
    """
    place, slash, own = name.partition("/")
    if not slash or not own or not _is_of(f"/{place}", project.region):
        raise _not_there(project, "group", name)
    if place == project.region:
        return "regionInstanceGroupManagers", {"region": place}, own
    return "instanceGroupManagers", {"zone": place}, own


def name_of(one: Api) -> str:
    """As ``parted`` takes it apart."""
    return f"{_last(one.get('zone') or one.get('region'))}/{one['name']}"


def _group(
    project: Connection, one: Api, bounds: Mapping[str, Api], blind: tuple[Unread, ...]
) -> Group:
    name = name_of(one)
    members, unread = part_of(f"machines of {name}", partial(_members, project, name))
    policy = bounds.get(_last_two(one.get("selfLink")), {})
    limits = policy.get("autoscalingPolicy") or {}
    automatic = limits.get("mode", "OFF" if not policy else "ON") != "OFF"
    troubles, deaf = part_of(f"errors of {name}", partial(_troubles, project, name))
    return Group(
        name=name,
        uid=str(one.get("id", "")),
        least=limits.get("minNumReplicas") if automatic else None,
        most=limits.get("maxNumReplicas") if automatic else None,
        desired=int(one.get("targetSize", 0)),
        members=members or (),
        automatic=(f"autoscaler {policy['name']}",) if automatic else (),
        troubles=troubles or (),
        unread=(*unread, *deaf, *blind),
    )


def _members(project: Connection, name: str) -> tuple[Member, ...]:
    collection, where, own = parted(project, name)
    found = project.ask(
        "compute",
        f"machines of {name}",
        lambda api: getattr(api, collection)().listManagedInstances(
            project=project.project, instanceGroupManager=own, maxResults=500, **where
        ),
    )
    return tuple(map(_member, found.get("managedInstances") or ()))


def _member(one: Api) -> Member:
    status, action = str(one.get("instanceStatus", "")), str(one.get("currentAction", "NONE"))
    checks = [str(each.get("detailedHealthState")) for each in one.get("instanceHealth") or ()]
    serving = status == _SERVING and action == "NONE" and all(c == "HEALTHY" for c in checks)
    words = [status, *([action] if action != "NONE" else []), *checks]
    url = str(one.get("instance", ""))
    return Member(
        _last(url),
        url.rpartition("/zones/")[2].partition("/")[0],
        ", ".join(words).lower(),
        serving,
    )


def _troubles(project: Connection, name: str) -> tuple[str, ...]:
    collection, where, own = parted(project, name)
    found = project.ask(
        "compute",
        f"errors of {name}",
        lambda api: getattr(api, collection)().listErrors(
            project=project.project, instanceGroupManager=own, maxResults=_LATELY, **where
        ),
    )
    errors = (one.get("error") or {} for one in found.get("items") or ())
    return tuple(f"{one.get('code', '')}: {one.get('message', '')}" for one in errors)


def _bounds(project: Connection) -> Mapping[str, Api]:
    """Autoscalers by zone and name of the group that they size."""
    found = _in_region(project, "autoscalers", "autoscalers")
    return {_last_two(one.get("target")): one for one in found.rows}


def quotas(project: Connection, service: str) -> Found[Quota]:
    """Of Compute Engine in the region: it tells what is used of them, too."""
    if service != "compute":
        raise ToolFailed(
            "not_found", f"{project.place}: quotas of {service!r} are not read here; ask 'compute'"
        )
    found = project.ask(
        "compute",
        "quotas",
        lambda api: api.regions().get(project=project.project, region=project.region),
    )
    rows = (
        Quota(
            code=str(one["metric"]),
            name=str(one["metric"]).replace("_", " ").lower(),
            limit=float(one.get("limit", 0)),
            used=float(one["usage"]) if "usage" in one else None,
            unit="",
        )
        for one in found.get("quotas") or ()
    )
    return Found(tuple(rows))


def moment(text: object) -> datetime | None:
    """RFC 3339 as a time; None for what is none."""
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _last(url: object) -> str:
    return str(url or "").rpartition("/")[2]


def _last_two(url: object) -> str:
    """Zone or region, and name, of a group's address."""
    parts = str(url or "").split("/")
    return f"{parts[-3]}/{parts[-1]}" if len(parts) > 2 else ""


def _not_there(project: Connection, what: str, name: str) -> ToolFailed:
    return ToolFailed("not_found", f"{project.place}: there is no {what} {name!r}; list them first")
