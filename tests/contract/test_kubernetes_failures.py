"""A cluster that refuses, breaks off or keeps silent: each is told by its kind, never as peace."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from probing import CLUSTER, Asking, kubeconfig

from aiops.errors import SourceUnavailable, ToolFailed
from aiops_tools.kubernetes.ingest import KubernetesSource
from aiops_tools.kubernetes.kinds import POD

Answer = tuple[int, Any]


class Fake:
    """A server that answers by path; what it knows nothing of is an empty list."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Callable[[], Answer]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.silent = threading.Event()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                fake.asked.append((self.path, dict(self.headers)))
                found = fake.answers.get(path, (200, {"items": []}))
                if callable(found):
                    found = found()
                body = found[1] if isinstance(found[1], bytes) else json.dumps(found[1]).encode()
                self.send_response(found[0])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def fake() -> Iterator[Fake]:
    one = Fake()
    yield one
    one.silent.set()
    one.server.shutdown()
    one.server.server_close()


@pytest.fixture
def ask(fake: Fake, tmp_path: Path) -> Iterator[Asking]:
    asking = Asking(kubeconfig(tmp_path, fake.url), read_timeout_s=0.5, max_bytes=100_000)
    yield asking
    asking.close()


PODS = "/api/v1/namespaces/shop/pods"


def failure(ask: Asking, verb: str = "list", **arguments: Any) -> ToolFailed:
    with pytest.raises(ToolFailed) as caught:
        ask(verb, **({"kind": "Pod", "namespace": "shop"} | arguments))
    assert "t0ken" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (401, "unauthorized", False),
        (403, "forbidden", False),
        (409, "conflict", False),
        (410, "conflict", True),
        (422, "invalid", False),
        (429, "throttled", True),
        (500, "failed", True),
        (504, "timeout", True),
    ],
)
def test_a_refusal_has_its_kind_and_says_what_was_asked(
    fake: Fake, ask: Asking, status: int, kind: str, retryable: bool
) -> None:
    fake.answers[PODS] = (status, {"message": "the reason\nof the server"})
    found = failure(ask)
    assert (found.kind, found.retryable) == (kind, retryable)
    assert f"list of pods in shop of cluster {CLUSTER}" in str(found)
    assert "\n" not in str(found)


def test_silence_is_a_timeout(fake: Fake, ask: Asking) -> None:
    def wait() -> Answer:
        fake.silent.wait(60)
        return 200, {"items": []}

    fake.answers[PODS] = wait
    assert failure(ask).kind == "timeout"


def test_nobody_there_is_unreachable(tmp_path: Path) -> None:
    asking = Asking(kubeconfig(tmp_path, "http://127.0.0.1:1"))
    assert failure(asking).kind == "unreachable"
    asking.close()


def test_an_answer_that_is_no_json_or_too_long_is_not_used(fake: Fake, ask: Asking) -> None:
    fake.answers[PODS] = (200, b"<html>login</html>")
    assert failure(ask).kind == "failed"
    fake.answers[PODS] = (200, b"x" * 200_000)
    assert failure(ask).kind == "invalid"


def test_credentials_that_are_not_there_are_told_by_their_file(tmp_path: Path) -> None:
    found = failure(Asking(tmp_path / "gone"))
    assert found.kind == "unauthorized"
    assert "gone" in str(found)


def test_no_pods_in_a_namespace_that_does_not_exist_is_no_peace(fake: Fake, ask: Asking) -> None:
    fake.answers["/api/v1/namespaces"] = (200, {"items": [{"metadata": {"name": "shops"}}]})
    assert "did you mean 'shops'" in str(failure(ask))


def test_a_name_that_is_almost_right_is_answered_with_the_right_one(
    fake: Fake, ask: Asking
) -> None:
    fake.answers["/api/v1/namespaces"] = (200, {"items": [{"metadata": {"name": "shop"}}]})
    fake.answers[PODS] = (200, {"items": [{"metadata": {"name": "web-1"}}]})
    fake.answers[f"{PODS}/web-2"] = (404, {"message": "not found"})
    found = failure(ask, "get", name="web-2")
    assert found.kind == "not_found"
    assert "did you mean 'web-1'" in str(found)


def test_another_cluster_is_not_read_by_mistake(ask: Asking) -> None:
    assert "'there'" in str(failure(ask, cluster="there"))


def test_what_could_not_be_read_is_named_and_the_rest_is_told(fake: Fake, ask: Asking) -> None:
    fake.answers["/api/v1/namespaces"] = (200, {"items": [{"metadata": {"name": "shop"}}]})
    fake.answers["/api/v1/namespaces/shop/secrets"] = (403, {"message": "may not"})
    found = ask.result("recent_changes", {"namespace": "shop"})
    assert [one.what for one in found.unread] == ["secrets in shop"]


def test_a_list_is_read_to_its_last_page(fake: Fake, ask: Asking) -> None:
    pages = iter(
        [
            {"items": [{"metadata": {"name": "a"}}], "metadata": {"continue": "next"}},
            {"items": [{"metadata": {"name": "b"}}], "metadata": {}},
        ]
    )
    fake.answers[PODS] = lambda: (200, next(pages))
    assert ask("list", kind="Pod", namespace="shop")["total"] == 2
    assert "continue=next" in fake.asked[-1][0]


def test_a_name_never_leads_to_another_path(fake: Fake, ask: Asking) -> None:
    ask.reader.one(POD, "shop/../../secrets", "x/../y")
    assert fake.asked[0][0] == "/api/v1/namespaces/shop%2F..%2F..%2Fsecrets/pods/x%2F..%2Fy"


def test_whom_to_ask_as_is_sent_along(fake: Fake, tmp_path: Path) -> None:
    asking = Asking(kubeconfig(tmp_path, fake.url), impersonate="viewer")
    fake.answers["/api/v1/namespaces"] = (200, {"items": [{"metadata": {"name": "shop"}}]})
    asking("list", kind="Pod", namespace="shop")
    assert fake.asked[0][1]["Impersonate-User"] == "viewer"
    asking.close()


# ---- the source


def source(fake: Fake, folder: Path) -> KubernetesSource:
    config = kubeconfig(folder, fake.url)
    return KubernetesSource.connect("mine", {"cluster": CLUSTER, "kubeconfig": str(config)})


def test_half_of_the_changes_is_no_answer_but_secrets_need_not_be_seen(
    fake: Fake, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    mine = source(fake, tmp_path)
    fake.answers["/api/v1/secrets"] = (403, {})
    assert mine.changes(None, now - timedelta(hours=1), now) == ()
    fake.answers["/apis/apps/v1/deployments"] = (403, {})
    with pytest.raises(SourceUnavailable, match="deployments"):
        mine.changes(None, now - timedelta(hours=1), now)
    mine.close()


def test_how_a_cluster_was_long_ago_is_not_made_up_from_how_it_is_now(
    fake: Fake, tmp_path: Path
) -> None:
    end = datetime.now(UTC) - timedelta(hours=2)
    mine = source(fake, tmp_path)
    with pytest.raises(SourceUnavailable, match="tells how it is now"):
        mine.state(end - timedelta(hours=1), end)
    mine.close()
