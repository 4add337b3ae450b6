"""One HTTP server to read from: retries, deadlines, a limit of bytes, errors that say what to do.

Retried are 429, 5xx and connections that fail, with full jitter (Brooker, "Exponential backoff and
jitter", AWS Architecture Blog, 2015) or after what Retry-After says. A request that timed out is
not: asking a slow server again makes it slower.
"""

import json
import random
import re
import time
from base64 import b64encode
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from aiops.errors import SourceUnavailable
from aiops.ingest.options import HttpOptions

if TYPE_CHECKING:
    import ssl

    import httpx

ATTEMPTS = 4
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0
LONGEST_RETRY_AFTER_S = 30.0
"""A server that wants to be left alone for longer has no answer for this incident."""
_SHOWN = 200
"""Characters of a server's own words in an error."""
_ERRNO = re.compile(r"\[Errno -?\d+\] ")
Params = Mapping[str, str | Sequence[str]]
Hook = Callable[[dict[str, Any]], Any]
Result = TypeVar("Result")


class Unreachable(SourceUnavailable):
    """Nobody answers there; asking for something else would not help."""


class OutOfTime(SourceUnavailable):
    """The whole read took longer than its deadline."""


class TooLarge(SourceUnavailable):
    """The answer has more bytes than allowed; a smaller question may have an answer."""


class Refused(SourceUnavailable):
    """The server answered with an error.

    Attributes:
        status: of HTTP.
        said: its own words, on one line, shortened.
    """

    def __init__(self, source: str, reason: str, status: int, said: str) -> None:
        self.status, self.said = status, said
        super().__init__(source, reason)


class Budget:
    """The time for one whole read, shared by all of its requests."""

    def __init__(self, source: str, seconds: float, clock: Callable[[], float]) -> None:
        self._source, self._seconds, self._clock = source, seconds, clock
        self._until = clock() + seconds
        self._unreachable: Unreachable | None = None

    def left(self) -> float:
        """Seconds left; raises OutOfTime, or Unreachable once a request found nobody there."""
        if self._unreachable is not None:
            raise self._unreachable
        left = self._until - self._clock()
        if left <= 0:
            raise OutOfTime(
                self._source,
                f"took more than {self._seconds:g} s; ask for less or raise 'deadline_s'",
            )
        return left

    def give_up(self, failure: Unreachable) -> None:
        """Nobody is there: what has not been asked yet fails at once."""
        self._unreachable = failure


@dataclass(frozen=True, slots=True)
class _Again:
    """A failure worth another attempt: after ``pause`` seconds where the server said so."""

    failure: SourceUnavailable
    pause: float | None = None


class Backend:
    """A server under one address. Safe to use from several threads."""

    def __init__(
        self,
        name: str,
        options: HttpOptions,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        chance: random.Random | None = None,
    ) -> None:
        self.name, self._options = name, options
        self._sleep, self._clock, self._chance = sleep, clock, chance or random.Random()  # noqa: S311
        self._opening = Lock()
        self._opened: httpx.Client | None = None

    def __repr__(self) -> str:
        return f"Backend({self.name!r}, {self._options.url!r})"

    def budget(self) -> Budget:
        """Time for one whole read, running from now."""
        return Budget(self.name, self._options.deadline_s, self._clock)

    def json(
        self,
        path: str,
        params: Params,
        budget: Budget,
        *,
        hook: Hook | None = None,
        post: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON that the server answers; ``hook`` turns each object as soon as it is read.

        Raises:
            SourceUnavailable: there is no whole answer.
        """
        body = self.fetch(path, params, budget, post=post, headers=headers)
        try:
            return json.loads(body, object_hook=hook)
        except (ValueError, RecursionError, TypeError, LookupError) as error:  # the hook's too
            raise self.broken(f"answered {path} with {_kind_of(body)}") from error

    def fetch(
        self,
        path: str,
        params: Params,
        budget: Budget,
        *,
        post: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """The body that the server answers; raises SourceUnavailable as ``json`` does."""
        attempt = 0
        while True:
            outcome = self._once(path, params, budget, post, headers or {})
            if isinstance(outcome, bytes):
                return outcome
            attempt += 1
            if attempt == ATTEMPTS:
                if isinstance(outcome.failure, Unreachable):
                    budget.give_up(outcome.failure)
                raise outcome.failure
            self._pause(attempt, outcome, budget)

    def each(
        self, questions: Sequence[Callable[[], Result]]
    ) -> Generator[Result | SourceUnavailable, None, None]:
        """What each question answers, in their order; at most ``parallel`` are under way."""

        def ask(question: Callable[[], Result]) -> Result | SourceUnavailable:
            try:
                return question()
            except SourceUnavailable as failure:
                return failure

        if questions:
            threads = min(self._options.parallel, len(questions))
            with ThreadPoolExecutor(threads, thread_name_prefix=self.name) as pool:
                yield from pool.map(ask, questions)

    def every(self, questions: Sequence[Callable[[], Result]]) -> list[Result]:
        """What each question answers; at the first that fails the rest is not asked any more.

        Raises:
            SourceUnavailable: that failure.
        """
        found = []
        # Closed here: as long as somebody holds the exception, nothing else would close it.
        with closing(self.each(questions)) as answers:
            for answer in answers:
                if isinstance(answer, SourceUnavailable):
                    raise answer
                found.append(answer)
        return found

    def patience(self, budget: Budget) -> float:
        """Seconds that the next request may take; raises as ``Budget.left`` does."""
        return min(self._options.timeout_s, budget.left())

    def broken(self, what: str) -> SourceUnavailable:
        """The exception for an answer that is not what the API promises."""
        return SourceUnavailable(
            self.name, f"{what}; check that {self._options.url} is the address of its API"
        )

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    def _once(
        self, path: str, params: Params, budget: Budget, post: bool, headers: Mapping[str, str]
    ) -> bytes | _Again:
        import httpx

        seconds = self.patience(budget)
        until = self._clock() + seconds
        asked: dict[str, Any] = {"data" if post else "params": params}
        try:
            with self._client.stream(
                "POST" if post else "GET",
                self._options.url + path,
                headers=dict(headers),
                timeout=seconds,
                **asked,
            ) as answer:
                body = self._body(answer, until)
        except httpx.TimeoutException as error:
            budget.left()
            if isinstance(error, httpx.ConnectTimeout):
                return _Again(self._unreachable("does not take the connection"))
            raise self._slow() from error
        except httpx.NetworkError as error:
            return _Again(self._unreachable(str(error) or type(error).__name__))
        except httpx.HTTPError as error:
            cut = f"broke off its answer ({_one_line(str(error))})"
            return _Again(SourceUnavailable(self.name, f"{cut}; see its own log"))
        return self._outcome(answer, body)

    def _body(self, answer: "httpx.Response", until: float) -> bytes:
        body = bytearray()
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > self._options.max_bytes:
                raise TooLarge(
                    self.name,
                    f"answered with more than {self._options.max_bytes} bytes; ask for fewer "
                    "services or a shorter window, or raise 'max_bytes'",
                )
            if self._clock() > until:  # byte by byte, no single read ever times out
                raise self._slow()
        return bytes(body)

    def _outcome(self, answer: "httpx.Response", body: bytes) -> bytes | _Again:
        status = answer.status_code
        if status == 200:
            return body
        said = self._scrubbed(_words(body))
        refused = Refused(self.name, f"answered {status}: {said}{_advice(status)}", status, said)
        if status == 429 or status >= 500:
            after = _retry_after(answer.headers.get("Retry-After"))
            if after is None or after <= LONGEST_RETRY_AFTER_S:
                return _Again(refused, after)
        raise refused

    def _pause(self, attempt: int, again: _Again, budget: Budget) -> None:
        pause = again.pause
        if pause is None:
            longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (attempt - 1))
            pause = self._chance.uniform(0, longest)
        if pause >= budget.left():
            raise again.failure
        self._sleep(pause)

    def _unreachable(self, reason: str) -> Unreachable:
        return Unreachable(
            self.name,
            f"{self._options.url} cannot be reached: {_ERRNO.sub('', _one_line(reason))}; check "
            "that it runs and that this machine may connect to it",
        )

    def _slow(self) -> SourceUnavailable:
        return SourceUnavailable(
            self.name,
            f"gave no whole answer in {self._options.timeout_s:g} s; look at its load, or raise "
            "'timeout_s'",
        )

    @property
    def _client(self) -> "httpx.Client":
        with self._opening:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> "httpx.Client":
        import httpx

        chosen = self._options
        headers = {name: value.get_secret_value() for name, value in chosen.headers.items()}
        if chosen.bearer is not None:
            headers["Authorization"] = f"Bearer {chosen.bearer.get_secret_value()}"
        if chosen.basic is not None:
            coded = b64encode(chosen.basic.get_secret_value().encode()).decode()
            headers["Authorization"] = f"Basic {coded}"
        if chosen.tenant is not None:
            headers["X-Scope-OrgID"] = chosen.tenant
        try:
            trusted = _trusting(chosen.ca_file)
        except OSError as error:
            reason = f"option 'ca_file': {chosen.ca_file} cannot be used: {error.strerror}"
            raise SourceUnavailable(self.name, reason) from error
        return httpx.Client(
            headers=headers,
            verify=trusted,
            proxy=chosen.proxy,
            trust_env=False,
            limits=httpx.Limits(max_connections=chosen.parallel + 1),
        )

    def _scrubbed(self, text: str) -> str:
        """``text`` without our own secrets: servers like to repeat what they were sent."""
        chosen = self._options
        secrets = [*chosen.headers.values(), chosen.bearer, chosen.basic]
        for secret in secrets:
            whole = secret.get_secret_value() if secret is not None else ""
            for hidden in (whole, whole.partition(":")[2]):
                text = text.replace(hidden, "***") if hidden else text
        return text


@cache
def _trusting(ca_file: Path | None) -> "ssl.SSLContext":
    """Shared by all servers: reading the certificates of the system takes 0.1 s. Raises OSError."""
    import ssl

    return ssl.create_default_context(cafile=ca_file)


def _advice(status: int) -> str:
    match status:
        case 401 | 403:
            return "; check 'bearer', 'basic' or 'tenant'"
        case 404:
            return "; check the path in 'url'"
        case 429:
            return "; it wants fewer requests: lower 'parallel'"
        case _ if 300 <= status < 400:
            return "; it sends us elsewhere, perhaps to a login page: set 'url' to the API itself"
        case _:
            return ""


def _words(body: bytes) -> str:
    """What an error answer says: the message of the JSON of known APIs, else its text."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return _kind_of(body) if body.lstrip()[:1] == b"<" or not body.strip() else _text(body)
    if isinstance(read, dict):
        errors = read.get("errors")
        if isinstance(errors, list) and errors and isinstance(errors[0], dict):
            return _one_line(str(errors[0].get("msg", "")))
        return _one_line(str(read.get("error") or read.get("message") or _text(body)))
    return _text(body)


def _kind_of(body: bytes) -> str:
    start = body.lstrip()[:400]
    if not start:
        return "nothing"
    if start[:1] == b"<":
        title = re.search(rb"<title>(.*?)</title>", start, re.IGNORECASE | re.DOTALL)
        return "an HTML page" + (f" titled {_text(title[1])!r}" if title else "")
    if start[:1] in b"{[":
        return f"JSON that breaks off or is wrong ({len(body)} bytes)"
    return f"no JSON: {_text(start)[:60]!r}"


def _text(body: bytes) -> str:
    return _one_line(body[: 4 * _SHOWN].decode(errors="replace"))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_SHOWN]


def _retry_after(value: str | None) -> float | None:
    """Seconds, of a number or a date (RFC 9110, section 10.2.3); None where it says nothing."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
