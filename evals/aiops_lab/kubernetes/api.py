"""The HTTP API: authenticate, authorize, do, answer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from aiops_lab.kubernetes import discovery, openapi, problems
from aiops_lab.kubernetes.access import ANONYMOUS, Attributes, Authorizer, User
from aiops_lab.kubernetes.answers import Answer, answer_list, answer_object
from aiops_lab.kubernetes.bodies import patch_type, read_body, write_options
from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.conversion import to_version
from aiops_lab.kubernetes.deleting import delete, read_options
from aiops_lab.kubernetes.metrics import node_metrics, pod_metrics
from aiops_lab.kubernetes.reading import Choice, Page, choice, read_page
from aiops_lab.kubernetes.request import Target, target, verb_of
from aiops_lab.kubernetes.reviews import review
from aiops_lab.kubernetes.store import HistoryGone, Kept, Object
from aiops_lab.kubernetes.streams import pod_logs, watch
from aiops_lab.kubernetes.subresources import Subresources, refuse_what_is_not_offered
from aiops_lab.kubernetes.writing import Writer

_OPEN_PATHS = ("/healthz", "/livez", "/readyz", "/version")
_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2"


@dataclass(slots=True)
class Api:
    """An ASGI application over a cluster.

    Args:
        tokens: the user behind each bearer token.
        new_token: makes a token nobody can guess.
    """

    cluster: Cluster
    writer: Writer
    authorizer: Authorizer
    tokens: dict[str, User]
    new_token: Callable[[], str]
    _subresources: Subresources = field(init=False)

    def __post_init__(self) -> None:
        self._subresources = Subresources(self.cluster, self.writer, self.tokens, self.new_token)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except problems.Refused as refused:
            response = _refusal(refused)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        user = self._user(request)
        wanted = target(path, self.cluster.registry)
        if wanted is None:
            self._authorize(user, Attributes(request.method.lower(), path=path), None)
            return self._plain(request, path)
        query = dict(request.query_params)
        verb = verb_of(request.method, wanted, query)
        self._authorize(user, wanted.asks(verb), wanted)
        if wanted.subresource:
            return await self._subresource(request, wanted, verb, user, query)
        if verb not in wanted.kind.verbs:
            raise problems.method_not_allowed(verb)
        if verb == "watch":
            return self._watch(request, wanted, query)
        if verb in ("get", "list"):
            return self._read(request, wanted, query)
        return await self._write(request, wanted, verb, user, query)

    def _user(self, request: Request) -> User:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            return ANONYMOUS
        if kind.lower() != "bearer" or token.strip() not in self.tokens:
            raise problems.unauthorized()
        user = self.tokens[token.strip()]
        acted = request.headers.get("impersonate-user")
        if not acted:
            return user
        asked = Attributes("impersonate", "", "users", name=acted)
        if not self.authorizer.allowed(user, asked):
            raise problems.forbidden(None, "", f'User "{user.name}" {asked}')
        groups = tuple(request.headers.getlist("impersonate-group"))
        return User(acted, (*groups, "system:authenticated"))

    def _authorize(self, user: User, asked: Attributes, wanted: Target | None) -> None:
        if asked.path and asked.path.rstrip("/") in _OPEN_PATHS:
            return
        if not self.authorizer.allowed(user, asked):
            why = f'User "{user.name}" {asked}'
            kind = wanted.kind if wanted else None
            raise problems.forbidden(kind, asked.name, why)

    def _plain(self, request: Request, path: str) -> Response:
        registry, accept = self.cluster.registry, request.headers.get("accept", "")
        parts = [part for part in path.split("/") if part]
        match parts:
            case ["version"]:
                return _json(_VERSION)
            case ["healthz" | "livez" | "readyz", *_]:
                return Response("ok", media_type="text/plain")
            case ["api" | "apis"] if "apidiscovery.k8s.io" in accept:
                version = "v2" if "v=v2;" in accept.replace(" ", "") + ";" else "v2beta1"
                found = discovery.aggregated(registry, core=parts == ["api"], version=version)
                kind = (
                    f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
                )
                return Response(json.dumps(found), media_type=kind)
            case ["api"]:
                return _json(discovery.api_versions(request.url.netloc))
            case ["apis"]:
                return _json(discovery.group_list(registry))
            case ["api", version]:
                return _json_or_404(discovery.resource_list(registry, "", version))
            case ["apis", group]:
                return _json_or_404(discovery.group(registry, group))
            case ["apis", group, version]:
                return _json_or_404(discovery.resource_list(registry, group, version))
            case ["openapi", *rest]:
                return self._openapi(rest, accept)
        raise problems.no_such_path()

    def _openapi(self, rest: list[str], accept: str) -> Response:
        registry = self.cluster.registry
        groups = discovery.groups(registry)
        match rest:
            case ["v2"]:
                document = openapi.version_two(registry)
                if _V2_PROTOBUF in accept and "application/json" not in accept:
                    kind = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
                    return Response(openapi.as_protobuf(document), media_type=kind)
                return _json(document)
            case ["v3"]:
                names = [
                    f"apis/{g}/{v}" if g else f"api/{v}" for g, vs in groups.items() for v in vs
                ]
                paths = {n: {"serverRelativeURL": f"/openapi/v3/{n}?hash=lab"} for n in names}
                return _json({"paths": paths})
            case ["v3", "api", version] if version in groups[""]:
                return _json(openapi.version_three(registry, "", version))
            case ["v3", "apis", group, version] if version in groups.get(group, ()):
                return _json(openapi.version_three(registry, group, version))
        raise problems.no_such_path()

    def _choice(self, wanted: Target, query: Mapping[str, str]) -> Choice:
        fields = query.get("fieldSelector", "")
        if wanted.name:
            fields = ",".join(part for part in (fields, f"metadata.name={wanted.name}") if part)
        labels = query.get("labelSelector", "")
        return choice(wanted.kind, wanted.namespace, labels, fields)

    def _read(self, request: Request, wanted: Target, query: Mapping[str, str]) -> Response:
        kind = wanted.kind
        how = Answer(request.headers.get("accept", ""), query, self.cluster.clock.now())
        if kind.group == "metrics.k8s.io":
            return self._read_metrics(wanted, how, query)
        if wanted.name:
            kept = self.cluster.store.get(kind.resource, wanted.namespace, wanted.name)
            if kept is None:
                raise problems.not_found(kind, wanted.name)
            return answer_object(kind, kept.object, how)
        chosen = self._choice(wanted, query)
        try:
            limit = int(query.get("limit") or 0)
        except ValueError as wrong:
            raise problems.bad_request("limit is no number") from wrong
        page = read_page(self.cluster.store, chosen, limit, query.get("continue", ""))
        return answer_list(chosen, page, how)

    def _read_metrics(self, wanted: Target, how: Answer, query: Mapping[str, str]) -> Response:
        pods = wanted.kind.plural == "pods"
        found = pod_metrics(self.cluster, wanted.namespace) if pods else node_metrics(self.cluster)
        if wanted.name:
            named = [obj for obj in found if obj["metadata"]["name"] == wanted.name]
            if not named:
                raise problems.not_found(wanted.kind, wanted.name)
            return answer_object(wanted.kind, named[0], how)
        chosen = self._choice(wanted, query)
        kept = [Kept((wanted.kind.resource, "", ""), obj) for obj in found]
        shown = [k for k in kept if chosen.labels.matches(k.object["metadata"].get("labels") or {})]
        return answer_list(chosen, Page(shown, self.cluster.store.revision), how)

    def _watch(self, request: Request, wanted: Target, query: Mapping[str, str]) -> Response:
        how = Answer(request.headers.get("accept", ""), query, self.cluster.clock.now())
        try:
            stream = watch(self.cluster, self._choice(wanted, query), query, how)
        except HistoryGone as gone:
            raise problems.gone(str(gone)) from gone
        return StreamingResponse(stream, media_type="application/json")

    async def _write(
        self, request: Request, wanted: Target, verb: str, user: User, query: dict[str, str]
    ) -> Response:
        kind = wanted.kind
        how = Answer(request.headers.get("accept", ""), query, self.cluster.clock.now())
        body = await read_body(request, verb)
        if verb == "deletecollection":
            return self._delete_collection(wanted, body, query, how)
        if verb == "delete":
            ending = read_options(body, query)
            gone = delete(self.cluster, kind, wanted.namespace, wanted.name, ending)
            whole = gone if gone["kind"] == "Status" else to_version(gone, kind)
            return _json(whole)
        if kind.group in ("authorization.k8s.io", "authentication.k8s.io"):
            return _json(review(kind, body, user, self.authorizer, self.tokens), 201)
        options = write_options(request, user, query, body)
        if verb == "create":
            written = self.writer.create(kind, wanted.namespace, body, options)
        elif verb == "update":
            written = self.writer.update(kind, wanted.namespace, wanted.name, body, options)
        else:
            form = patch_type(request)
            written = self.writer.patch(kind, wanted.namespace, wanted.name, body, form, options)
        code = 201 if written.created else 200
        return answer_object(kind, written.object, how, code, written.warnings)

    def _delete_collection(
        self, wanted: Target, body: Any, query: dict[str, str], how: Answer
    ) -> Response:
        options = read_options(body, query)
        chosen = self._choice(wanted, query)
        page = read_page(self.cluster.store, chosen, 0, "")
        for kept in page.items:
            delete(self.cluster, wanted.kind, kept.key[1], kept.key[2], options)
        return answer_list(chosen, page, how)

    async def _subresource(
        self, request: Request, wanted: Target, verb: str, user: User, query: dict[str, str]
    ) -> Response:
        kind = wanted.kind
        if wanted.subresource == "log" and kind.resource == "pods" and verb == "get":
            lines = await run_in_threadpool(pod_logs, self.cluster, wanted, query)
            return StreamingResponse(lines, media_type="text/plain")
        refuse_what_is_not_offered(wanted)  # before its body: these requests have none
        body = await read_body(request, verb) if verb != "get" else None
        options = write_options(request, user, query, body)
        form = patch_type(request) if verb == "patch" else None
        code, result = self._subresources.do(wanted, verb, body, form, options)
        how = Answer(request.headers.get("accept", ""), query, self.cluster.clock.now())
        if result.get("kind") == kind.kind:
            return answer_object(kind, result, how, code)
        return _json(result, code)


_VERSION: Object = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.0-lab",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}


def _json(content: Any, code: int = 200) -> Response:
    return Response(json.dumps(content), code, media_type="application/json")


def _json_or_404(content: Any) -> Response:
    if content is None:
        raise problems.no_such_path()
    return _json(content)


def _refusal(refused: problems.Refused) -> Response:
    response = _json(refused.status(), refused.code)
    if refused.retry_after:
        response.headers["Retry-After"] = str(refused.retry_after)
    return response


async def _live(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
