"""What common runtimes say when something well known goes wrong, and whom it accuses.

One table: families of phrases (Java, Go, Python, Node, .NET, MySQL, PostgreSQL, Redis, gRPC), the
fault they name, and whether the writer or the peer it speaks of is at fault. Order matters: the
first that matches says most.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from aiops.model import FaultType

Accused = Literal["writer", "peer"]


@dataclass(frozen=True, slots=True)
class Signature:
    """A family of phrases.

    Attributes:
        kind: what it says, in plain words with underscores.
        accuses: the service that wrote the line, or the one it talks about.
        telling: how surely the accused is the cause, 0 to 1.
    """

    kind: str
    fault: FaultType
    accuses: Accused
    telling: float
    pattern: re.Pattern[str]

    @property
    def once(self) -> bool:
        """Whether a single line is enough: a program says it only when it has happened."""
        return self.kind in _ONCE


_ONCE = frozenset(
    {"out_of_memory", "disk_full", "file_system_read_only", "address_in_use", "crashed"}
)


def _one(kind: str, fault: FaultType, accuses: Accused, telling: float, *phrases: str) -> Signature:
    return Signature(kind, fault, accuses, telling, re.compile("|".join(phrases), re.IGNORECASE))


F = FaultType
SIGNATURES: tuple[Signature, ...] = (
    _one(
        "out_of_memory", F.OOM, "writer", 0.9,
        r"OutOfMemoryError", r"\bout of memory\b", r"cannot allocate memory", r"\bOOMKilled\b",
        r"\boom-?kill", r"heap out of memory", r"\bMemoryError\b", r"\bENOMEM\b",
        r"command not allowed when used memory",
    ),
    _one(
        "disk_full", F.DISK, "writer", 0.9,
        r"no space left on device", r"\bENOSPC\b", r"disk(?: is)? full", r"could not extend file",
        r"there is not enough space on the disk", r"disk quota exceeded", r"\bEDQUOT\b",
    ),
    _one(
        "database_read_only", F.ERROR, "peer", 0.8,
        r"running with the --(?:super-)?read-only", r"\bREADONLY You can't write",
        r"cannot execute \w+ in a read-only transaction", r"database is (?:in )?read-?only",
    ),
    _one(
        "file_system_read_only", F.STORAGE, "writer", 0.9,
        r"read-only file ?system", r"\bEROFS\b",
    ),
    _one(
        "connections_exhausted", F.CONNECTION_POOL, "peer", 0.8,
        r"too many connections", r"remaining connection slots are reserved",
        r"max(?:imum)? number of clients reached", r"too many clients already",
        r"max_user_connections",
    ),
    _one(
        "connection_pool_exhausted", F.CONNECTION_POOL, "writer", 0.8,
        r"connection is not available, request timed out after", r"pool (?:is )?exhausted",
        r"exhausted (?:the )?(?:connection )?pool", r"timeout waiting for connection from pool",
        r"QueuePool limit", r"cannot get a connection", r"no more connections? (?:are )?available",
        r"pool is (?:full|empty)", r"ResourceExhausted.*connection",
    ),
    _one(
        "credentials_refused", F.CREDENTIAL, "writer", 0.8,
        r"access denied for user '[^']*'@'(?!localhost|::1|127)", r"password authentication failed",
        r"\bNOAUTH\b", r"\bWRONGPASS\b", r"login failed for user", r"invalid (?:username|password)",
        r"invalid credentials", r"authentication failed", r"bad credentials",
        r"\bACCESS_REFUSED\b", r"invalid (?:api )?token", r"InvalidAccessKeyId",
        r"SignatureDoesNotMatch",
    ),
    _one(
        "certificate_refused", F.CERTIFICATE, "peer", 0.8,
        r"x509: ", r"certificate (?:has expired|verify failed|is not valid|signed by unknown)",
        r"SSLHandshakeException", r"PKIX path", r"CERT_HAS_EXPIRED", r"self.signed certificate",
    ),
    _one(
        "name_not_resolved", F.DNS, "peer", 0.7,
        r"no such host", r"name or service not known", r"getaddrinfo", r"\bENOTFOUND\b",
        r"\bEAI_AGAIN\b", r"UnknownHostException", r"temporary failure in name resolution",
        r"could not translate host name", r"nodename nor servname", r"server misbehaving",
        r"could not resolve host", r"no address associated with hostname", r"\bNXDOMAIN\b",
        r"\bSERVFAIL\b", r"name resolution (?:failed|failure)",
    ),
    _one(
        "connection_refused", F.DEPENDENCY, "peer", 0.8,
        r"connection refused", r"\bECONNREFUSED\b", r"actively refused", r"UnableToConnect on",
        r"not possible to connect", r"can't connect to \w+ server", r"could not connect to server",
        r"failed to connect to all addresses", r"no route to host", r"\bEHOSTUNREACH\b",
        r"network is unreachable", r"\bENETUNREACH\b", r"Communications link failure",
        r"no (?:available|healthy) (?:server|upstream|instance)", r"Failed to connect to",
        r"Unable to connect to", r"no servers available for service",
    ),
    _one(
        "connection_reset", F.DEPENDENCY, "peer", 0.5,
        r"connection reset", r"\bECONNRESET\b", r"broken pipe", r"\bEPIPE\b", r"socket hang up",
        r"unexpected EOF", r"server closed the connection", r"transport is closing",
        r"Lost connection to \w+ server", r"upstream prematurely closed",
    ),
    _one(
        "timed_out", F.LATENCY, "peer", 0.5,
        r"deadline ?exceeded", r"\btimed? ?out\b", r"\bETIMEDOUT\b", r"TimeoutException",
        r"TimeoutError", r"ConnectTimeout", r"\b504\b Gateway",
    ),
    _one(
        "throttled", F.QUOTA, "peer", 0.5,
        r"too many requests", r"rate limit(?:ed| exceeded)", r"quota exceeded",
        r"throttl(?:ed|ing)",
    ),
    _one(
        "address_in_use", F.BAD_CONFIG, "writer", 0.9,
        r"address already in use", r"\bEADDRINUSE\b", r"port \d+ (?:is|was) already in use",
    ),
    _one(
        "configuration_missing", F.BAD_CONFIG, "writer", 0.8,
        r"could not resolve placeholder", r"environment variable \S+ (?:is )?not set",
        r"missing required (?:configuration|environment|property|setting)",
        r"failed to (?:bind properties|load (?:the )?config)", r"invalid configuration",
        r"unknown database", r"database \"[^\"]+\" does not exist",
    ),
    _one(
        "permission_denied", F.STORAGE, "writer", 0.7,
        r"permission denied", r"\bEACCES\b", r"operation not permitted",
    ),
    _one(
        "protocol_mismatch", F.PROBE, "writer", 0.6,
        r"unexpected HTTP/1", r"http2: .*not.*preface", r"first record does not look like a TLS",
        r"malformed HTTP", r"server gave HTTP response to HTTPS client",
    ),
    _one(
        "crashed", F.CRASH, "writer", 0.9,
        r"\bpanic: ", r"\bSIGSEGV\b", r"segmentation fault", r"\bcore dumped\b", r"fatal error: ",
        r"uncaught exception", r"unhandledpromiserejection", r"application run failed",
        r"failed to start (?:bean|component|application)", r"terminated by signal",
    ),
    _one(
        "callee_failed", F.DEPENDENCY, "peer", 0.3,
        r"HttpServerErrorException", r"\b50[0234] (?:Internal Server|Bad Gateway|Service Unav|Gat)",
        r"InternalServerError", r"rpc error: code = ", r"StatusRuntimeException",
        r"upstream (?:connect )?error", r"FeignException", r"ResourceAccessException",
        r"FailedPrecondition", r"_InactiveRpcError", r"StatusCode\.UNAVAILABLE",
        r"circuit ?breaker",
    ),
    _one(
        "code_error", F.ERROR, "writer", 0.6,
        r"NullPointerException", r"nil pointer dereference", r"\b(?:Type|Key|Index|Value|Attribute)"
        r"Error\b", r"IllegalStateException", r"IllegalArgumentException", r"ArithmeticException",
        r"ClassCastException", r"IndexOutOfBounds", r"NullReferenceException",
        r"cannot read propert", r"is not a function", r"undefined is not",
        r"ZeroDivisionError", r"division by zero", r"StackOverflowError", r"RuntimeException",
    ),
)  # fmt: skip
PLAIN_ERROR = _one("errors_rose", F.ERROR, "writer", 0.45, r"$^")
"""An error that says nothing more."""

_LOOKED_UP = re.compile(
    r"(?:lookup |getaddrinfo (?:ENOTFOUND|EAI_AGAIN) |UnknownHostException: |resolve host:? '?"
    r"|host name \"|UnableToConnect on )([A-Za-z0-9][\w.-]*)"
)
_ADDRESS = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d{1,3}){3})(?::(\d{1,5}))?(?![\d.])")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_.][A-Za-z0-9]+)*")
# A service called by a plain word ("user", "search") is meant only where the word is an address.
_AS_HOST = re.compile(r"(?://|@|lookup |ENOTFOUND |EAI_AGAIN |Exception: |host '?\"?)$")
NAMES_READ = 4_000
"""Characters of a line in which names of peers are looked for."""


@lru_cache(maxsize=20_000)
def signature_of(text: str) -> Signature | None:
    """The family ``text`` belongs to; None where it belongs to none."""
    return next((s for s in SIGNATURES if s.pattern.search(text)), None)


def looked_up(text: str) -> str | None:
    """The host name that could not be resolved or reached, where the text names one."""
    found = _LOOKED_UP.search(text)
    return found[1].rstrip(".") if found else None


def addresses(text: str) -> tuple[str, ...]:
    """The IPv4 addresses in ``text``, in order."""
    return tuple(found[1] for found in _ADDRESS.finditer(text[:NAMES_READ]))


def named(text: str, known: frozenset[str]) -> tuple[str, ...]:
    """Those of ``known`` that ``text`` mentions as a whole word or as a host, in order."""
    found = []
    text = text[:NAMES_READ]
    for match in _NAME.finditer(text):
        word = match.group()
        host = word if word in known else word.partition(".")[0]
        if host not in known:
            continue
        if host.isalpha() and host == word and not _is_address(text, match):
            continue
        found.append(host)
    return tuple(dict.fromkeys(found))


def _is_address(text: str, match: re.Match[str]) -> bool:
    after = text[match.end() : match.end() + 2]
    if len(after) == 2 and after[0] == ":" and after[1].isdigit():
        return True
    return _AS_HOST.search(text[max(0, match.start() - 16) : match.start()]) is not None
