"""Discovery: which groups, versions and resources there are."""

from typing import Any

from aiops_lab.kubernetes.kinds import Kind, Registry

Json = dict[str, Any]
_AGGREGATED = "apidiscovery.k8s.io"
# Kinds of subresources that are not their resource's own.
_FOREIGN = {
    "scale": ("autoscaling", "v1", "Scale"),
    "eviction": ("policy", "v1", "Eviction"),
    "binding": ("", "v1", "Binding"),
    "token": ("authentication.k8s.io", "v1", "TokenRequest"),
    "exec": ("", "v1", "PodExecOptions"),
    "attach": ("", "v1", "PodAttachOptions"),
    "portforward": ("", "v1", "PodPortForwardOptions"),
}
_SUB_VERBS = {
    "status": ["get", "patch", "update"],
    "scale": ["get", "patch", "update"],
    "log": ["get"],
    "exec": ["create", "get"],
    "attach": ["create", "get"],
    "portforward": ["create", "get"],
    "proxy": ["create", "get"],
}


def groups(registry: Registry) -> dict[str, list[str]]:
    """The versions of every group, the preferred one first."""
    found: dict[str, list[str]] = {}
    for kind in registry.all():
        versions = found.setdefault(kind.group, [])
        if kind.version not in versions:
            versions.append(kind.version)
    for versions in found.values():
        versions.sort(key=_preference)
    return found


def _preference(version: str) -> tuple[bool, bool, int]:
    """v2 before v1 before v1beta1 before v1alpha1."""
    number = int(
        "".join(c for c in version.partition("alpha")[0].partition("beta")[0] if c.isdigit())
    )
    return "alpha" in version, "beta" in version, -number


def api_versions(address: str) -> Json:
    """What /api answers."""
    server = {"clientCIDR": "0.0.0.0/0", "serverAddress": address}
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [server]}


def group_list(registry: Registry) -> Json:
    """What /apis answers."""
    found = [_group(g, v) for g, v in groups(registry).items() if g]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def group(registry: Registry, name: str) -> Json | None:
    """What /apis/<group> answers; None where there is no such group."""
    versions = groups(registry).get(name)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if versions else None


def _group(name: str, versions: list[str]) -> Json:
    listed = [{"groupVersion": f"{name}/{v}", "version": v} for v in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def resource_list(registry: Registry, name: str, version: str) -> Json | None:
    """What /apis/<group>/<version> answers; None where there is none."""
    kinds = [k for k in registry.all() if (k.group, k.version) == (name, version)]
    if not kinds:
        return None
    resources = []
    for kind in kinds:
        whole: Json = {
            "name": kind.plural,
            "singularName": kind.singular,
            "namespaced": kind.namespaced,
            "kind": kind.kind,
            "verbs": list(kind.verbs),
        }
        if kind.short_names:
            whole["shortNames"] = list(kind.short_names)
        if kind.categories:
            whole["categories"] = list(kind.categories)
        resources.append(whole)
        for sub in _subresources(kind):
            g, v, k = _FOREIGN.get(sub, (kind.group, kind.version, kind.kind))
            part: Json = {
                "name": f"{kind.plural}/{sub}",
                "singularName": "",
                "namespaced": kind.namespaced,
                "kind": k,
                "verbs": _SUB_VERBS.get(sub, ["create"]),
            }
            if (g, v) != (kind.group, kind.version):
                part |= {"group": g, "version": v}
            resources.append(part)
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{name}/{version}" if name else version,
        "resources": resources,
    }


def _subresources(kind: Kind) -> list[str]:
    own = (["status"] if kind.status else []) + (["scale"] if kind.scale else [])
    return own + list(kind.subresources)


def aggregated(registry: Registry, *, core: bool, version: str) -> Json:
    """/api or /apis in one answer (APIGroupDiscoveryList, KEP-3352)."""
    items = []
    for name, versions in groups(registry).items():
        if (name == "") != core:
            continue
        shown = [
            {
                "version": v,
                "freshness": "Current",
                "resources": [
                    _aggregated(k) for k in registry.all() if (k.group, k.version) == (name, v)
                ],
            }
            for v in versions
        ]
        items.append({"metadata": {"name": name} if name else {}, "versions": shown})
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"{_AGGREGATED}/{version}",
        "metadata": {},
        "items": items,
    }


def _aggregated(kind: Kind) -> Json:
    result: Json = {
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        result["shortNames"] = list(kind.short_names)
    if kind.categories:
        result["categories"] = list(kind.categories)
    subresources = []
    for sub in _subresources(kind):
        g, v, k = _FOREIGN.get(sub, (kind.group, kind.version, kind.kind))
        subresources.append(
            {
                "subresource": sub,
                "responseKind": {"group": g, "version": v, "kind": k},
                "verbs": _SUB_VERBS.get(sub, ["create"]),
            }
        )
    if subresources:
        result["subresources"] = subresources
    return result
