"""A server of one file on this machine that cuts, lies, redirects and drips as it is told."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import PurePosixPath
from typing import Any

from loopback import Quiet, listening

from aiops_datasets.manifest import ArchiveKind, RemoteFile

CONTENT = bytes(range(256)) * 4096  # 1 MiB


@dataclass
class Site:
    """What the server answers, and what it was asked."""

    content: bytes = CONTENT
    cut_after: list[int] = field(default_factory=list)  # one answer each, then no more cuts
    failures: list[int] = field(default_factory=list)  # statuses before it answers
    etag: str | None = '"one"'
    ranges: bool = True
    redirect: str | None = None
    drip_s: float = 0.0
    offset_lie: int = 0
    asked: list[dict[str, str]] = field(default_factory=list)
    address: str = ""
    closing: threading.Event = field(default_factory=threading.Event)

    def url(self, name: str = "set.bin") -> str:
        return f"{self.address}/{name}"

    def pin(self, archive: ArchiveKind = "none", **changes: Any) -> RemoteFile:
        digest = hashlib.sha256(self.content).hexdigest()
        pinned = {"url": self.url(), "sha256": digest, "size": len(self.content), **changes}
        return RemoteFile(**pinned, archive=archive, unpack=PurePosixPath("set"))


class _Handler(Quiet, BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        site = self.site
        site.asked.append(dict(self.headers))
        if self.path == "/missing":
            self.send_error(404)
        elif site.redirect and self.path != "/moved":
            self.send_response(302)
            self.send_header("Location", site.redirect)
            self.end_headers()
        elif site.failures:
            self.send_error(site.failures.pop(0))
        else:
            self._send(site)

    def _send(self, site: Site) -> None:
        wanted = self.headers.get("Range")
        condition = self.headers.get("If-Range")
        offset = 0
        if wanted and site.ranges and condition in (None, site.etag):
            offset = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if offset >= len(site.content):
                self.send_error(416)
                return
            self.send_response(206)
            first, last, size = offset + site.offset_lie, len(site.content) - 1, len(site.content)
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        else:
            self.send_response(200)
        if site.etag:
            self.send_header("ETag", site.etag)
        body = site.content[offset:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if site.cut_after:
            body = body[: site.cut_after.pop(0)]
            self.close_connection = True
        if site.drip_s:
            for i in range(0, len(body), 1024):
                self.wfile.write(body[i : i + 1024])
                if site.closing.wait(site.drip_s):
                    return
        else:
            self.wfile.write(body)


@contextmanager
def running_site() -> Iterator[Site]:
    """The site on a free port of loopback, until the block ends."""
    site = Site()
    answering = type("Handler", (_Handler,), {"site": site})
    with listening(answering) as site.address:
        try:
            yield site
        finally:
            site.closing.set()
