"""Routes: which path is sent to which service, in ingresses, gateways and proxies' own settings."""

import re
from collections.abc import Iterator

from aiops.analyze.state import manifests
from aiops.analyze.state.api import Api, pairs, part, parts, text, texts
from aiops.model.cluster import Route

MAX_DEPTH = 12
"""Depth of nested settings that is searched for lists of routes."""
_TARGET_KEYS = ("uri", "url", "backend", "upstream", "target", "service", "destination", "cluster")
_PATH_KEYS = ("predicates", "path", "paths", "prefix", "match", "pathprefix")
_LOCATION = re.compile(r"location\s+[~^=*\s]*(/[^\s{]*)\s*\{[^}]*?proxy_pass\s+([^;\s]+)", re.S)


def routes(kind: str, one: Api, source: str) -> Iterator[Route]:
    """The routes an object of ``kind`` holds."""
    owner, namespace = text(one, "metadata", "name"), text(one, "metadata", "namespace") or None
    if kind == "ingress":
        found = _ingress(one)
    elif kind in ("httproute", "grpcroute", "virtualservice"):
        found = _mesh(one)
    elif kind == "configmap":
        found = _settings(one)
    else:
        return
    for name, path, service, port in found:
        if path and service:
            yield Route(owner, namespace, name, path, service, port, source)


def host_of(address: str) -> tuple[str, str]:
    """Host (its first label) and port of "lb://${KEY:name}", "http://name.ns:80/x", "name:80"."""
    plain = re.sub(r"\$\{[^:}]*:([^}]*)\}", r"\1", address.strip())
    plain = plain.rpartition("://")[2].partition("/")[0]
    host, _, port = plain.partition(":")
    return host.partition(".")[0], port if port.isdigit() else ""


_Found = Iterator[tuple[str, str, str, str]]


def _ingress(one: Api) -> _Found:
    for rule in parts(one, "spec", "rules"):
        for path in parts(rule, "http", "paths"):
            service = part(path, "backend", "service")
            port = text(service, "port", "number") or text(service, "port", "name")
            old = text(path, "backend", "servicePort")
            name = text(service, "name") or text(path, "backend", "serviceName")
            yield "", text(path, "path") or "/", name, port or old


def _mesh(one: Api) -> _Found:
    for key in ("rules", "http"):
        for rule in parts(one, "spec", key):
            paths = [
                text(match, "path", "value") or text(match, "uri", "prefix") or "/"
                for key in ("matches", "match")
                for match in parts(rule, key)
            ] or ["/"]
            for target in (*parts(rule, "backendRefs"), *parts(rule, "route")):
                host = text(target, "name") or text(target, "destination", "host")
                port = text(target, "port") or text(target, "destination", "port", "number")
                for path in paths:
                    yield text(rule, "name"), path, host.partition(".")[0], port


def _settings(one: Api) -> _Found:
    for value in pairs(one, "data").values():
        if "proxy_pass" in value:
            for path, address in _LOCATION.findall(manifests.without_comments(value)):
                yield "", path, *host_of(address)
        elif any(f"{key}:" in value or f'"{key}"' in value for key in ("routes", "predicates")):
            yield from _searched(manifests.settings(value), 0)


def _searched(found: object, depth: int) -> _Found:
    """Every object in nested settings that has both a target and a path."""
    if depth > MAX_DEPTH:
        return
    if isinstance(found, list):
        for item in found:
            yield from _searched(item, depth + 1)
    elif isinstance(found, dict):
        known = {str(key).lower(): value for key, value in found.items()}
        target = next((known[k] for k in _TARGET_KEYS if isinstance(known.get(k), str)), "")
        paths = _paths(known)
        if target and paths:
            host, port = host_of(target)
            name = text(known, "id") or text(known, "name")
            for path in paths:
                yield name, path, host, port
        else:
            for value in found.values():
                yield from _searched(value, depth + 1)


def _paths(known: dict[str, object]) -> tuple[str, ...]:
    for key in _PATH_KEYS:
        values = texts(known, key) or (
            (str(known[key]),) if isinstance(known.get(key), str) else ()
        )
        found = tuple(
            value.partition("=")[2] if value.startswith("Path=") else value
            for value in values
            if value.startswith(("/", "Path="))
        )
        if found:
            return found
    return ()
