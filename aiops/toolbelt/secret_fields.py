"""Secrets that show only by the name of the field they stand in: ``db_password=...``.

A name that is always a secret's (password, client secret) hides whatever stands beside it. A name
that honest prose and counters use too (token, auth) asks for a value that looks like a secret.
"""

import re
from collections.abc import Iterator
from typing import Literal

from aiops.toolbelt.secret_forms import Span

Secrecy = Literal["sure", "likely"]

_SURE = (
    r"pass(?:word|wd|phrase|code)s?|cvv|cvc|(?<![A-Za-z])pass|(?<=[a-z])(?-i:Pass)|(?<![A-Za-z])pwd"
    r"|(?<=[a-z])(?-i:Pwd)|(?<![A-Za-z])secret|(?<=[a-z])(?-i:Secret)|(?<=[A-Z])(?-i:SECRET)"
    r"|secret[_.-]?(?:access[_.-]?)?key|private[_.-]?key|shared[_.-]?access[_.-]?key"
    r"|account[_.-]?key|client-key-data|client-certificate-data|certificate-authority-data"
    r"|\.?dockerconfigjson|\.dockercfg|kubeconfig"
)
_LIKELY = (
    r"token|api[_.\- ]?key|access[_.-]?key|auth[_.-]?key|encryption[_.-]?key|signing[_.-]?key"
    r"|master[_.-]?key|license[_.-]?key|ssh[_.-]?key|session[_.-]?key|consumer[_.-]?key"
    r"|hmac[_.-]?key|credentials?|(?<![A-Za-z])auth|(?<![A-Za-z])sig|signature|j?sessionid"
    r"|phpsessid|connect\.sid"
)
_TAIL = r"(?:[_.-]?(?:value|b64|base64|encoded|plain|text|hash|[0-9]{1,2}))?"
_NAME = re.compile(rf"(?i)(?:(?P<sure>{_SURE})|{_LIKELY}){_TAIL}$")
# Fields that hold a Secret's name, or a place in a listing, and no secret.
_REFERENCE = re.compile(
    r"(?i)(?:config|existing|pull|tls|cert|auth|ca|existing[_-]?password|token)[_-]?secret$"
    r"|(?:page|next|continue|continuation|sync|cancellation)[_-]?token$"
)
# Ends of such names with what separates them from their value, over lower case.
_PLACES = tuple(
    re.compile(
        word + rb"(?:[_.-]?(?:value|b64|base64|encoded|plain|text|hash|[0-9]{1,2}))?"
        rb"[\"'`\\\]]{0,8}[ \t]{0,20}(?::=|=>|[:=])[ \t]{0,80}"
    )
    for word in (
        rb"pass(?:words?|wd|phrase|code)?", rb"pwd", rb"secret", rb"token", rb"key", rb"-data",
        rb"credentials?", rb"dockerc(?:onfigjson|fg)", rb"kubeconfig", rb"auth", rb"sig(?:nature)?",
        rb"cv[vc]", rb"sess(?:ion)?id", rb"connect\.sid",
    )
)  # fmt: skip
_LINE_BEGIN = re.compile(rb"[ \t]*(?:- )?(?:export |set |env |ENV )?[\"']?[\w.-]*")
_MARK = re.compile(rb"<(?:secret|email|card|phone):[0-9a-f]{8}>")
_BEFORE = re.compile(rb"[\w.\- ]{0,80}\Z")
_QUOTED = re.compile(
    rb"[bru]?(?P<quote>\\{0,8}[\"'`])(?P<secret>(?:(?!(?<!\\)(?P=quote))[^\r\n]){0,16384})"
)
_BARE = re.compile(rb"[^\s\"'`,;&(){}\[\]]{1,8192}")
_REST = re.compile(rb"[^\r\n]{1,16384}")
_MORE_FIELDS = re.compile(rb"[\s,;&?][\w.-]{1,80}=")
_BLOCK = re.compile(rb"(?:!!\w+ )?[|>][+-]?[0-9]?[+-]?[ \t]*\r?\n")
_BLOCK_LINE = re.compile(rb"(?:[ \t]*\r?\n|(?P<indent>[ \t]*)[^\n]*(?:\n|\Z))")
# "name": "DB_PASSWORD", "value": "..." as environments and parameters are written.
_PAIRS = tuple(
    re.compile(
        word + rb"[\"'\\]{0,8}[ \t]{0,8}[:=][ \t]{0,8}[\"'\\]{0,8}(?P<name>[\w.\-]{1,200})"
        rb"[\"'\\]{0,8},?(?:\s|\\{1,8}[nr]){0,200}?"
        rb"[\"'\\]{0,8}value[\"'\\]{0,8}[ \t]{0,8}[:=][ \t]{0,8}"
    )
    for word in (rb"name", rb"key")
)
_HARMLESS = re.compile(
    r"(?i)(?:true|false|null|none|nil|undefined|yes|no|on|off|0|n/a|~|-+|\.{3,}|[*•]{3,}|x{3,}"
    r"|\[?(?:redacted|filtered|hidden|masked|removed|omitted|sanitized)\]?"
    r"|<(?:none|unset|nil|hidden|redacted|masked|empty|unknown|omitted|secret)>"
    r"|<set to the key [^>]*>.*"
    r"|\$\{[^{}]*\}|(?-i:\$[A-Z_][A-Z0-9_]*)|\$\([\w.-]+\)|%\w+%|\{\{[^{}]*\}\}"
    r"|(?:secret|env|vault|file|ref)(?:\+\w+)?://\S+"
    r"|/(?:var|run|etc|mnt|opt|tmp|home|usr|vault|secrets|root)/[\w./-]*)$"
)
_PROSE = re.compile(
    rb"(?i)(?:a|all|an|and|any|are|at|auth|authentication|bad|be|but|by|can|cannot|changed|could"
    rb"|denied|did|do|does|empty|err|error|expected|expires|expired|failed|failure|for|found|from"
    rb"|has|have|if|in|incorrect|invalid|is|it|malformed|may|mismatch|missing|must|not|of|ok|only"
    rb"|or|please|rejected|required|reset|returned|should|success|successful|that|the|their|this"
    rb"|to|unable|unauthorized|unexpected|unknown|unsupported|until|used|valid|verification|was"
    rb"|we|were|will|with|without|wrong|you|your)[.,:;!]*\Z"
)


def secrecy(name: str) -> Secrecy | None:
    """How sure it is that a field of this name holds a secret."""
    tail = name[-80:]
    found = _NAME.search(tail)
    if found is None or _REFERENCE.search(tail):
        return None
    return "sure" if found["sure"] is not None else "likely"


def harmless(value: str) -> bool:
    """Whether a value says that there is no secret here: empty, masked, a reference, a switch."""
    text = value.strip()
    return not text or _HARMLESS.match(text) is not None


def looks_secret(value: bytes) -> bool:
    """Whether it is neither a plain word nor a plain number."""
    value = value.rstrip(b".,:;!")
    if len(value) < 6 or value.isdigit():
        return False
    return len(value) >= 16 or not value.isalpha()


def fielded(raw: bytes, low: bytes) -> Iterator[Span]:
    """Where values of secret fields stand, in key=value, YAML, JSON at any level of escaping."""
    for pattern in _PLACES:
        end = 0
        for place in pattern.finditer(low):
            if place.start() < end:  # within what is hidden already
                continue
            before = _BEFORE.search(raw, max(0, place.start() - 80), place.start())
            begin = before.start() if before else place.start()
            word = raw[begin : place.end()].rstrip(b" \t=:>").rstrip(b"\"'`\\] ")
            sure = secrecy(word.decode("ascii", "replace"))
            if sure is None or raw.startswith(b"//", place.end()):
                continue
            if not _MARK.match(raw, place.start() - 1):
                for span in _value(raw, place.start(), place.end(), sure):
                    yield span
                    end = span[1]
    if b"value" in low:
        for pattern in _PAIRS:
            for pair in pattern.finditer(low):
                if secrecy(raw[slice(*pair.span("name"))].decode("ascii", "replace")):
                    yield from _value(raw, pair.start(), pair.end(), "sure")


def _value(raw: bytes, name: int, start: int, sure: Secrecy) -> Iterator[Span]:
    quoted = _QUOTED.match(raw, start)
    if quoted is not None:
        if not _empty(quoted["secret"]) and (sure == "sure" or looks_secret(quoted["secret"])):
            yield quoted.span("secret")
        return
    if block := _BLOCK.match(raw, start):
        yield from _block(raw, name, block.end())
        return
    bare = _BARE.match(raw, start)
    if bare is not None:
        first = bare.group()
        if _empty(first) or _PROSE.match(first) or (sure == "likely" and not looks_secret(first)):
            return
    rest = _REST.match(raw, start)
    if rest is None or _empty(rest.group()):
        return
    whole = _begins_line(raw, name) and (sure == "sure" or b" " not in rest.group().strip())
    if bare is None or (whole and not _MORE_FIELDS.search(rest.group())):
        yield start, start + len(rest.group().rstrip())
    else:
        yield bare.span()


def _empty(value: bytes) -> bool:
    return harmless(value[:400].decode("utf-8", "replace"))


def _begins_line(raw: bytes, name: int) -> bool:
    line = raw.rfind(b"\n", max(0, name - 200), name) + 1
    before = raw[line:name]
    return (
        re.fullmatch(rb"[ \t]*(?:- )?(?:export |set |env |ENV )?[\"']?[\w.-]*", before) is not None
    )


def _block(raw: bytes, name: int, start: int) -> Iterator[Span]:
    """A YAML block scalar: the following lines that are further in than the name."""
    line = raw.rfind(b"\n", 0, name) + 1
    own = len(raw[line:name]) - len(raw[line:name].lstrip(b" \t"))
    end = start
    while end < len(raw) and (more := _BLOCK_LINE.match(raw, end)):
        if more["indent"] is not None and len(more["indent"]) <= own:
            break
        end = more.end()
    text = raw[start:end]
    if text.strip():
        yield end - len(text.lstrip()), start + len(text.rstrip())
