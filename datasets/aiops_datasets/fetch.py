"""Downloads pinned files: resumed where it was cut, checked before it is used, renamed into place.

Unfinished downloads wait in ``<data>/.fetch`` under the name of their checksum, so that a second
run goes on where the first ended; what is in its final place is whole and has been checked.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aiops.errors import AiopsError
from aiops_datasets.manifest import RemoteFile
from aiops_datasets.unpack import unpack

if TYPE_CHECKING:
    import httpx

_REDIRECTS = 5
_READ_TIMEOUT_S = 30.0

Progress = Callable[[RemoteFile, int], None]


def _silent(*_: object) -> None: ...


class FetchFailed(AiopsError):  # named like aiops.errors
    """A download that did not end well; what came of it is kept for the next run to resume."""


class ChecksumMismatch(FetchFailed):
    """What came is not what was pinned; it has been removed."""

    def __init__(self, file: RemoteFile, found: str) -> None:
        super().__init__(
            f"{file.url}: sha256 is {found}, pinned is {file.sha256}; the download was removed, "
            "check the pin or the source before trying again"
        )


class _Interrupted(Exception):  # caught in here and tried again
    """The transfer ended early for a reason that may pass."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One file of a manifest and where it now is."""

    file: RemoteFile
    path: Path
    status: Literal["fetched", "already there"]


def fetch(
    files: Sequence[RemoteFile],
    root: Path,
    *,
    limit_s: float = 3600.0,
    retries: int = 4,
    pause_s: float = 0.5,
    on_progress: Progress = _silent,
) -> tuple[Fetched, ...]:
    """Bring every file to its place below ``root``; what is there already is left alone.

    An archive's contents become the folder ``unpack``; a plain file goes into it.

    Args:
        limit_s: total time for all of them, seconds.
        retries: how often in a row a transfer may break off without a single byte gained.
        pause_s: wait before the second attempt; doubled for each further one.
        on_progress: called with the bytes received so far of the file in transfer.

    Raises:
        FetchFailed: no network, not found, too slow, too large, a redirect to another scheme.
        ChecksumMismatch: the content is not the pinned one.
        UnsafeArchive: the archive is broken or tries to write elsewhere.
    """
    import httpx

    deadline = time.monotonic() + limit_s
    done = []
    with httpx.Client(timeout=_READ_TIMEOUT_S) as client:
        for file in files:
            place = root / file.unpack
            target = place if file.archive != "none" else place / file.filename
            if target.exists():
                done.append(Fetched(file, target, "already there"))
                continue
            with _said_in_one_line(root):
                transfer = _Transfer(file, root / ".fetch", deadline, on_progress)
                transfer.run(client, retries, pause_s)
                _put(file, transfer.part, target)
                transfer.discard()
            done.append(Fetched(file, target, "fetched"))
    return tuple(done)


def _put(file: RemoteFile, part: Path, target: Path) -> None:
    """Move the checked download, or what it unpacks to, into its place in one step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.archive == "none":
        part.replace(target)
        return
    unpacked = part.with_suffix(".unpacked")
    shutil.rmtree(unpacked, ignore_errors=True)  # left by a run that was killed
    unpack(part, file.archive, unpacked)
    unpacked.rename(target)


@contextmanager
def _said_in_one_line(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FetchFailed(f"{root}: cannot be written ({error.strerror or error})") from error


class _Transfer:
    """The download of one file into ``folder``, over as many attempts as it takes."""

    def __init__(
        self, file: RemoteFile, folder: Path, deadline: float, on_progress: Progress
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file, self.deadline, self.on_progress = file, deadline, on_progress
        self.part = folder / f"{file.sha256}.part"
        self._validator = folder / f"{file.sha256}.json"

    def run(self, client: "httpx.Client", retries: int, pause_s: float) -> None:
        """Download and check; afterwards ``part`` is the pinned file."""
        failures, furthest = 0, self._received()
        while self._received() < self.file.size:
            try:
                self._attempt(client)
            except _Interrupted as reason:
                # Gained only where it never was before: starting over again and again is no gain.
                failures = 0 if self._received() > furthest else failures + 1
                furthest = max(furthest, self._received())
                if failures > retries:
                    raise FetchFailed(
                        f"{self.file.url}: {reason}, {failures} times in a row; "
                        f"{self._so_far()} kept, run again to resume"
                    ) from reason
                if failures:
                    time.sleep(min(pause_s * 2 ** (failures - 1), self._time_left()))
        with self.part.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
        if found != self.file.sha256:
            self.discard()
            raise ChecksumMismatch(self.file, found)

    def discard(self) -> None:
        """Forget what was received; remove the folder if nothing else waits in it."""
        self.part.unlink(missing_ok=True)
        self._validator.unlink(missing_ok=True)
        if not any(self.part.parent.iterdir()):
            self.part.parent.rmdir()

    def _attempt(self, client: "httpx.Client") -> None:
        import httpx

        offset = self._received()
        request = client.build_request("GET", self.file.url, headers=self._headers(offset))
        try:
            with self._answer(client, request) as response:
                self._receive(response, offset)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if offset:
                raise _Interrupted(f"cannot connect ({error or 'no answer'})") from error
            raise FetchFailed(
                f"cannot reach {request.url.host} ({error or 'no answer'}); connect to a network, "
                f"or download {self.file.url} by hand"
            ) from error
        except httpx.TransportError as error:
            raise _Interrupted(
                f"the transfer broke off ({error or type(error).__name__})"
            ) from error

    @contextmanager
    def _answer(
        self, client: "httpx.Client", request: "httpx.Request"
    ) -> Iterator["httpx.Response"]:
        """The response after redirects, which may not leave the scheme."""
        for _ in range(_REDIRECTS + 1):
            self._time_left()
            response = client.send(request, stream=True)
            following = response.next_request
            if following is None:
                try:
                    yield response
                finally:
                    response.close()
                return
            response.close()
            if following.url.scheme != request.url.scheme:
                raise FetchFailed(
                    f"{self.file.url}: refused a redirect from {request.url.scheme} to "
                    f"{following.url.scheme}; pin the address it leads to if you trust it"
                )
            request = following
        raise FetchFailed(f"{self.file.url}: more than {_REDIRECTS} redirects; check the address")

    def _receive(self, response: "httpx.Response", offset: int) -> None:
        status = response.status_code
        if status == 416:  # what we hold is not a beginning of what is there now
            self.part.unlink(missing_ok=True)
            raise _Interrupted("the server has no such range")
        if status in (408, 425, 429) or status >= 500:
            raise _Interrupted(f"the server answered {status} {response.reason_phrase}")
        if status not in (200, 206):
            raise FetchFailed(
                f"{self.file.url}: the server answered {status} {response.reason_phrase}; "
                "check the address"
            )
        resumed = status == 206
        if resumed and not response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
            self.part.unlink(missing_ok=True)
            raise _Interrupted("the server sent another range than asked for")
        self._remember(response)
        received = offset if resumed else 0
        with self.part.open("ab" if resumed else "wb") as out:
            for block in response.iter_raw():
                received += len(block)
                if received > self.file.size:
                    self.part.unlink(missing_ok=True)
                    raise FetchFailed(
                        f"{self.file.url}: sends more than the pinned {self.file.size:,} bytes; "
                        "check the pin or the source before trying again"
                    )
                out.write(block)
                self.on_progress(self.file, received)
                self._time_left()
        if received < self.file.size:
            raise _Interrupted(f"the server sent {received:,} of {self.file.size:,} bytes")

    def _headers(self, offset: int) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity", "User-Agent": "aiops-datasets"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if self._validator.exists():
                headers["If-Range"] = json.loads(self._validator.read_text())
        return headers

    def _remember(self, response: "httpx.Response") -> None:
        """Keep what If-Range needs: a strong ETag, else the date of change."""
        etag = response.headers.get("ETag", "")
        validator = response.headers.get("Last-Modified") if not etag.startswith('"') else etag
        if validator:
            self._validator.write_text(json.dumps(validator))
        else:
            self._validator.unlink(missing_ok=True)

    def _received(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _so_far(self) -> str:
        return f"{self._received():,} of {self.file.size:,} bytes"

    def _time_left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise FetchFailed(
                f"{self.file.url}: out of time with {self._so_far()}; run again to resume"
            )
        return left
