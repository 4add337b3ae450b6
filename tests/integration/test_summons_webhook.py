"""People are called over real HTTP, signed; who cannot be called is said."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from approvals import action, approval
from queues import until

from aiops.app.approvals.calling import KIND, again
from aiops.app.approvals.lapsing import lapse
from aiops.bootstrap.deciding import desk_of
from aiops.bootstrap.durable import durable
from aiops.bootstrap.summoning import nobody_is_called, summons_of
from aiops.bootstrap.working import handlers
from aiops.errors import InvalidInput, NotDelivered, UnknownName
from aiops.notify.webhook import SIGNATURE
from aiops.settings import Settings

SECRET = "what only we and the pager know"


class Pager:
    """Keeps what was posted to it.

    Attributes:
        code: what it answers with.
    """

    def __init__(self) -> None:
        self.posts: list[tuple[str, bytes]] = []
        self.code = 200

    @contextmanager
    def open(self) -> Iterator[str]:
        """Its address."""
        pager = self

        class Post(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                pager.posts.append((self.headers[SIGNATURE], body))
                self.send_response(pager.code)
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        server = HTTPServer(("127.0.0.1", 0), Post)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/page"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def settings(url: str, **more: object) -> Settings:
    pager = {"kind": "webhook", "url": url, "secret": SECRET}
    return Settings(notify={"pager": pager}, gateway={"mode": "approve"}, **more)  # type: ignore[arg-type]


def test_who_answers_is_called_and_an_admin_once_nobody_did(sqlite_url: str) -> None:
    pager = Pager()
    with pager.open() as url, durable(settings(url, database_url=sqlite_url)) as service:
        late = service.clock.now() - timedelta(seconds=1)
        service.approvals.file(approval(expires_at=late, incident=None))
        lapse(desk_of(service))
        until(lambda: len(pager.posts) == 2, 60)
    for signature, body in pager.posts:
        mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert signature == f"sha256={mac}"
    first, second = (json.loads(body) for _, body in pager.posts)
    assert (first["event"], first["needed_role"]) == ("approval.pending", "responder")
    assert (second["event"], second["needed_role"]) == ("approval.escalated", "admin")
    assert first["targets"][0]["name"] == "web"
    assert first["action_hash"] == approval().action_hash


def test_who_could_not_be_called_is_called_again_until_somebody_has_decided(
    sqlite_url: str,
) -> None:
    pager = Pager()
    pager.code = 503
    with pager.open() as url, durable(settings(url, database_url=sqlite_url)) as service:
        first, second = (
            service.approvals.file(approval(name, action(count), incident=None))
            for name, count in (("apr-1", 5), ("apr-2", 6))
        )
        assert len(pager.posts) == 2
        assert (service.queue.backlog().due, service.queue.backlog().dead) == (0, 0)  # not yet
        call = handlers(service)[KIND]
        with pytest.raises(NotDelivered):  # the queue tries again
            call(again(first, "pager", service.clock.now()))
        pager.code = 200
        call(again(first, "pager", service.clock.now()))
        assert service.approvals.swap(second, replace(second, state="rejected", decided_by="ann"))
        call(again(second, "pager", service.clock.now()))
        call(again(first, "a pager of yesterday", service.clock.now()))
    assert [json.loads(body)["approval"] for _, body in pager.posts[2:]] == ["apr-1", "apr-1"]


def test_a_pager_that_refuses_or_is_gone_is_not_delivered_and_its_address_not_told() -> None:
    pager = Pager()
    pager.code = 503
    with pager.open() as url:
        (summons,) = summons_of(settings(url))
        with pytest.raises(NotDelivered, match=r"answered 503; check setting 'notify\.pager'"):
            summons.summon(approval())
    with pytest.raises(NotDelivered, match=r"notify\.pager\.url") as gone:
        summons.summon(approval())
    assert "127.0.0.1" not in str(gone.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, r"notify\.pager\.kind"),
        ({"kind": "pigeon"}, r"notify\.pager\.kind"),
        ({"kind": "webhook", "url": "ftp://x", "secret": SECRET}, r"notify\.pager\.url"),
        ({"kind": "webhook", "url": "https://x/", "secret": "short"}, r"notify\.pager\.secret"),
    ],
    ids=["no kind", "unknown kind", "no web address", "short secret"],
)
def test_a_notifier_that_cannot_be_used_is_named(given: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        summons_of(Settings(notify={"pager": given}))


def test_an_unknown_option_says_which_there_are() -> None:
    given = {"kind": "webhook", "url": "https://x/", "secret": SECRET, "uri": "y"}
    with pytest.raises(UnknownName, match="did you mean 'url'"):
        summons_of(Settings(notify={"pager": given}))


def test_a_service_whose_actions_wait_for_nobody_in_particular_says_so() -> None:
    assert nobody_is_called(Settings()) is None
    assert nobody_is_called(settings("https://pager.example/")) is None
    assert "[notify.NAME]" in str(nobody_is_called(Settings(gateway={"mode": "approve"})))  # type: ignore[arg-type]
