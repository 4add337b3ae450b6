"""Questions about access that are asked as objects: who am I, may I, who is this token."""

from collections.abc import Callable, Mapping
from typing import Any

from aiops_lab.kubernetes.access import Attributes, Authorizer, User
from aiops_lab.kubernetes.kinds import Kind
from aiops_lab.kubernetes.store import Object

Tokens = Mapping[str, User]


def review(kind: Kind, body: Object, user: User, authorizer: Authorizer, tokens: Tokens) -> Object:
    """The review with its status filled in."""
    answer = _ANSWERS[kind.kind](body.get("spec") or {}, user, authorizer, tokens)
    named = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {}}
    return {**named, "spec": body.get("spec") or {}, "status": answer}


def _attributes(spec: Mapping[str, Any]) -> Attributes:
    path = spec.get("nonResourceAttributes")
    if path:
        return Attributes(path.get("verb", ""), path=path.get("path", ""))
    asked = spec.get("resourceAttributes") or {}
    return Attributes(
        asked.get("verb", ""),
        asked.get("group", ""),
        asked.get("resource", ""),
        asked.get("subresource", ""),
        asked.get("namespace", ""),
        asked.get("name", ""),
    )


def _access(authorizer: Authorizer, user: User, spec: Mapping[str, Any]) -> Object:
    allowed = authorizer.allowed(user, _attributes(spec))
    return {"allowed": allowed, **({} if allowed else {"reason": "no RBAC rule allows it"})}


def _self_access(
    spec: Mapping[str, Any], user: User, authorizer: Authorizer, tokens: Tokens
) -> Object:
    del tokens
    return _access(authorizer, user, spec)


def _subject_access(
    spec: Mapping[str, Any], user: User, authorizer: Authorizer, tokens: Tokens
) -> Object:
    del user, tokens
    subject = User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""))
    return _access(authorizer, subject, spec)


def _self_rules(
    spec: Mapping[str, Any], user: User, authorizer: Authorizer, tokens: Tokens
) -> Object:
    del tokens
    resources, paths = [], []
    for rule in authorizer.rules(user, spec.get("namespace", "")):
        if rule.get("nonResourceURLs"):
            paths.append({"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]})
        else:
            names = ("verbs", "apiGroups", "resources", "resourceNames")
            resources.append({name: rule[name] for name in names if rule.get(name)})
    return {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}


def _self(spec: Mapping[str, Any], user: User, authorizer: Authorizer, tokens: Tokens) -> Object:
    del spec, authorizer, tokens
    return {"userInfo": _shown(user)}


def _token(spec: Mapping[str, Any], user: User, authorizer: Authorizer, tokens: Tokens) -> Object:
    del user, authorizer
    found = tokens.get(spec.get("token", ""))
    if found is None:
        return {"authenticated": False, "error": "the token is nobody's"}
    return {"authenticated": True, "user": _shown(found)}


def _shown(user: User) -> Object:
    uid = {"uid": user.uid} if user.uid else {}
    return {"username": user.name, "groups": list(user.groups), **uid}


_ANSWERS: dict[str, Callable[[Mapping[str, Any], User, Authorizer, Tokens], Object]] = {
    "SelfSubjectAccessReview": _self_access,
    "SubjectAccessReview": _subject_access,
    "LocalSubjectAccessReview": _subject_access,
    "SelfSubjectRulesReview": _self_rules,
    "SelfSubjectReview": _self,
    "TokenReview": _token,
}
