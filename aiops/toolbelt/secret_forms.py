"""What secrets look like in text: by their own form, or by the words they stand beside.

All patterns are over bytes. They begin with a literal wherever that can be, so that text without
secrets is passed at the speed of a substring search, and their repetitions are bounded, so that no
text makes the search more than linear. The group "secret" is what has to go.
"""

import base64
import binascii
import re
from collections.abc import Iterator

Span = tuple[int, int]

# Prefixes as their issuers publish them (the same that secret scanners look for). What may not
# stand before a prefix is looked at after it: a pattern that begins with a literal is a search.
_ISSUED = tuple(
    re.compile(pattern)
    for pattern in (
        rb"eyJ(?<!\weyJ)[\w-]{8,4096}\.[\w-]{2,8192}(?:\.[\w-]{0,8192}){0,3}",  # JWT, JWE
        rb"AKIA(?<!\wAKIA)[A-Z0-9]{16}(?!\w)",
        rb"ASIA(?<!\wASIA)[A-Z0-9]{16}(?!\w)",
        rb"gh[pousr]_(?<!\w....)[A-Za-z0-9]{20,255}",
        rb"github_pat_\w{20,255}",
        rb"glpat-[\w-]{16,255}",
        rb"glsa_\w{20,255}",
        rb"xox[abeoprs]-[A-Za-z0-9-]{10,255}",
        rb"xapp-(?<!\wxapp-)[A-Za-z0-9-]{10,255}",
        rb"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[\w/-]{8,255})",
        rb"AIza(?<!\wAIza)[\w-]{35}",
        rb"ya29\.[\w-]{10,2048}",
        rb"sk_(?<!\wsk_)(?:live|test)_[A-Za-z0-9]{10,255}",
        rb"rk_(?<!\wrk_)(?:live|test)_[A-Za-z0-9]{10,255}",
        rb"whsec_[A-Za-z0-9+/=]{10,255}",
        rb"sk-(?<![\w-]sk-)(?=[\w-]{0,80}[0-9])(?=[\w-]{0,80}[A-Z])[\w-]{20,255}",
        rb"npm_(?<!\wnpm_)[A-Za-z0-9]{30,255}",
        rb"pypi-[\w-]{32,2048}",
        rb"dop_v1_[a-f0-9]{32,255}",
        rb"hv[sbr]\.[\w-]{20,512}",
        rb"SG\.(?<!\wSG\.)[\w-]{16,64}\.[\w-]{16,128}",
        rb"AGE-SECRET-KEY-[A-Z0-9]{50,70}",
        rb"LS0tLS1[A-Za-z0-9+/_-]{20,1000000}={0,2}",  # base64 of "-----B": a key, a certificate
        rb"H4sI(?<![\w+/]H4sI)[A-Za-z0-9+/]{80,4000000}={0,2}",  # base64 of gzip: a Helm release
        rb"SDRzSU(?<![\w+/]SDRzSU)[A-Za-z0-9+/]{80,4000000}={0,2}",  # the same within a Secret
    )
)
_URLS = (
    re.compile(
        rb"://[^\s/:@\"'<>\[\]{}]{0,256}:(?![0-9]{1,5}(?:[/?#\s,;\"'<>)\]]|\Z))"
        rb"(?P<secret>[^\s\"'`]{1,1024})@(?=[A-Za-z0-9\[.$_{%-])"
    ),
    re.compile(rb"://(?P<secret>(?=[\w.~-]{0,80}[0-9])[\w.~-]{20,255}):?@(?=\w)"),
)
_HEADERS = (  # over lower case
    re.compile(
        rb"authorization[\"'\\]{0,6}[ \t]{0,8}[:=][ \t]{0,8}[\"'\\\[]{0,6}"
        rb"(?:(?:bearer|basic|digest|token|negotiate|apikey|splunk)[ \t]{1,8})"
        rb"(?P<secret>[^\s\"'\\]{1,8192})"
    ),
    re.compile(
        rb"authorization[\"'\\]{0,6}[ \t]{0,8}[:=][ \t]{0,8}[\"'\\\[]{0,6}"
        rb"(?P<secret>aws4-[^\r\n\"']{1,4096}|(?=[^\s\"']{0,200}[0-9])[^\s\"'\\]{16,8192})"
    ),
    re.compile(
        rb"cookie[\"'\\]{0,6}[ \t]{0,8}:[ \t]{0,8}[\"'\\\[]{0,6}"
        rb"(?P<secret>[\w.-]{1,200}=[^\r\n\"']{1,8192})"
    ),
    *(
        re.compile(
            words + rb"[ \t]{1,4}(?:is |was |set to |= )?"
            rb"(?P<quote>[\"'`])(?P<secret>[^\r\n]{1,512}?)(?P=quote)"
        )
        for words in (rb"password", rb"passphrase", rb"identified by")
    ),
    re.compile(
        rb"password[ \t](?:is|was|set to)[ \t](?P<secret>[^\s\"']{0,200}[0-9][^\s\"']{0,200})"
    ),
    re.compile(
        rb"--[a-z0-9-]{0,40}(?:password|passwd|pass|token|secret|api-key|access-key|secret-key)"
        rb"[\"'\\]{0,9}(?:[ \t]{1,8}|,(?:\s|\\{1,8}n){0,200}|\n[ \t]{0,40}-[ \t]{1,8})[\"'\\]{0,9}"
        rb"(?P<secret>[^\s\"',\[\]\\-][^\s\"',\\]{0,1024})"
    ),
    re.compile(
        rb"curl\b[^\n]{0,500}?\s-u[ \t]{0,4}[\"']?[^\s:\"']{1,100}:(?P<secret>[^\s\"']{1,512})"
    ),
    re.compile(rb"mysql[a-z]{0,8}\b[^\n]{0,500}?\s-p(?P<secret>[^\s\"'-][^\s\"']{2,512})"),
    re.compile(rb"sshpass[ \t]-p[ \t]{0,4}(?P<secret>[^\s\"']{1,512})"),
    re.compile(rb"redis-cli\b[^\n]{0,200}?\s-a[ \t]{0,4}(?P<secret>[^\s\"']{1,512})"),
)
_BEARER = re.compile(rb"bearer[ \t]{1,8}(?P<secret>[\w.~+/=-]{8,8192})")
_BASIC = re.compile(rb"basic[ \t]{1,8}(?P<secret>[\w+/=-]{8,2048})")
_PEM = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}-----")
_PEM_END = re.compile(rb"-----END [A-Z0-9 ]{0,40}-----")
_PEM_BODY = re.compile(rb"(?:[A-Za-z0-9+/=\s:,.>|-]|\\{1,8}[nr])*")

_IN_BASE64 = bytes(
    97 if chr(c).isascii() and (chr(c).isalnum() or chr(c) in "+/_-") else 32 for c in range(256)
)
ENCODED_BYTES = 40
"""Length from which a run of base64 letters is decoded and looked into."""


def formed(raw: bytes, low: bytes) -> Iterator[Span]:
    """Where secrets stand that show by their own form, or by the header before them.

    Args:
        raw: the text.
        low: the same in lower case.
    """
    for pattern in _ISSUED:
        yield from _spans(pattern, raw)
    if b"://" in raw:
        for pattern in _URLS:
            yield from _spans(pattern, raw)
    for pattern in _HEADERS:
        yield from _spans(pattern, low)
    yield from (span for span in _spans(_BEARER, low) if _mixed(raw[slice(*span)]))
    yield from (span for span in _spans(_BASIC, low) if b":" in decoded(raw[slice(*span)]))
    yield from _armoured(raw)


def encoded_runs(raw: bytes) -> Iterator[Span]:
    """Runs of base64 letters long enough to hide something."""
    classes = raw.translate(_IN_BASE64)
    run, end = b"a" * ENCODED_BYTES, 0
    while (start := classes.find(run, end)) >= 0:
        end = classes.find(b" ", start)
        end = len(raw) if end < 0 else end
        yield start, end


def decoded(letters: bytes) -> bytes:
    """What base64 stands for, in either alphabet; empty where it is none."""
    body = letters.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(body + b"=" * (-len(body) % 4), validate=True)
    except binascii.Error:
        return b""


def _spans(pattern: re.Pattern[bytes], text: bytes) -> Iterator[Span]:
    group = "secret" if "secret" in pattern.groupindex else 0
    return (match.span(group) for match in pattern.finditer(text))


def _mixed(value: bytes) -> bool:
    """Whether it is no word of prose."""
    return any(48 <= c < 58 for c in value) or not (value.islower() or value.istitle())


def _armoured(raw: bytes) -> Iterator[Span]:
    end = 0
    while begin := _PEM.search(raw, end):
        closing = _PEM_END.search(raw, begin.end())
        following = _PEM.search(raw, begin.end())
        if closing and not (following and following.start() < closing.start()):
            end = closing.end()
        else:  # cut off
            body = _PEM_BODY.match(raw, begin.end())
            end = body.end() if body else begin.end()
        yield begin.start(), end
