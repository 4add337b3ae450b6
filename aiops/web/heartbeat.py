"""A dead man's switch: somebody else raises the alarm when we no longer say that all is well."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

from prometheus_client import Gauge

from aiops.errors import NotDelivered
from aiops.jobs.loops import Heartbeats, every
from aiops.web.health import Ready, readiness
from aiops.web.site import Site

EVERY_S: Final = 60.0
_PATIENCE_S: Final = 10.0


class Heartbeat:
    """Asks for an address while the service is ready.

    Args:
        url: of a monitor of missing heartbeats; a secret, since whoever knows it can quieten it.
        ready: how the service is.
        sent: called after each that was delivered.
    """

    def __init__(self, url: str, ready: Callable[[], Ready], sent: Callable[[], None]) -> None:
        self._url, self._ready, self._sent = url, ready, sent

    def __call__(self) -> float:
        """Say that all is well, where it is; returns when to do it again, seconds.

        Raises:
            NotDelivered: the address does not answer.
        """
        import httpx

        if self._ready().status == "ready":
            try:
                httpx.get(self._url, timeout=_PATIENCE_S).raise_for_status()
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                reason = f"{type(error).__name__}; check setting 'web.heartbeat_url'"
                raise NotDelivered("heartbeat", reason) from None  # the cause names the address
            self._sent()
        return EVERY_S


@contextmanager
def beating(site: Site) -> Iterator[None]:
    """Meanwhile, the address that the site's settings name, if any, is asked for."""
    url, stop = site.service.settings.web.heartbeat_url, Event()
    if url is not None:
        clock = site.service.clock
        last = Gauge(
            "aiops_heartbeat_sent_timestamp_seconds",
            "When the last heartbeat was delivered; 0: none was.",
            registry=site.metrics.registry,
        )
        tick = Heartbeat(
            url.get_secret_value(),
            lambda: readiness(site),
            lambda: last.set(clock.now().timestamp()),
        )
        own = Heartbeats(clock)
        named = {"name": "heartbeat", "heartbeats": own}
        Thread(target=every, args=(EVERY_S, tick, stop), kwargs=named, daemon=True).start()
    yield
    stop.set()
