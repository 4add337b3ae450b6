"""Personal facts in text: e-mail addresses, card numbers, telephone numbers.

Addresses of machines are none of them: they are what a diagnosis is made of.
"""

import re
from collections.abc import Iterator

from aiops.toolbelt.secret_forms import Span

_AT = re.compile(rb"@(?P<domain>(?:[A-Za-z0-9-]{1,63}\.){1,8}(?P<top>[A-Za-z]{2,24}))(?![\w@-])")
_LOCAL = re.compile(rb"[\w.%+\x80-\xff-]{1,64}\Z")
# Names of machines, packages and system units that are written like an address.
_NO_PERSON = frozenset(
    b"local internal localhost localdomain lan home corp svc cluster service slice scope socket "
    b"timer target mount device path swap automount js ts py go rs jar war so".split()
)
_ROLES = frozenset({b"git", b"rabbit", b"root", b"system", b"kubelet", b"node"})

# Classes: 0 digit, w letter, p point, d dash, s space, . anything else.
_CLASSES = bytearray(b"." * 256)
for _c in range(256):
    if chr(_c).isalpha() or chr(_c) == "_" or _c >= 128:
        _CLASSES[_c] = ord("w")
_CLASSES[48:58] = b"0" * 10
for _c, _class in ((46, b"p"), (45, b"d"), (32, b"s")):
    _CLASSES[_c] = _class[0]
_SHAPES = bytes(_CLASSES)
_CARDS = tuple(
    re.compile(first + rb"(?<![0wpd]" + first + rb")" + more + rb"(?![0wd]|p0)")
    for first, more in (
        (rb"00000000000000", rb"0{0,2}"),
        (rb"0000d0000d0000", rb"d0000"),
        (rb"0000s0000s0000", rb"s0000"),
        (rb"0000d000000d0000", rb"0"),
        (rb"0000s000000s0000", rb"0"),
    )
)
_IDS = re.compile(rb"(?i:trace|span)|[0-9a-f]{32}")
"""What stands before a number that is the id of a request, whatever its digits."""
_ISSUERS = re.compile(  # ISO/IEC 7812 ranges with their lengths
    rb"(?:4[0-9]{15}|(?:5[1-5]|2[2-7])[0-9]{14}|3[47][0-9]{13}|6(?:011|5[0-9]{2})[0-9]{12}"
    rb"|35[0-9]{14}|3(?:0[0-5]|[68][0-9])[0-9]{11})\Z"
)
_PHONES = (
    re.compile(rb"\+(?<![\w.)+]\+)[1-9][0-9]{0,2}(?:[ .-]?\(?[0-9]{1,4}\)?){2,5}(?![\w+])"),
    re.compile(rb"\((?<![\w.]\()[2-9][0-9]{2}\) ?[2-9][0-9]{2}-[0-9]{4}(?![\w.-])"),
    *(
        re.compile(
            word + rb"(?:[_ -]?(?:no|nr|num|number))?[\"'\\]{0,6}[ \t]{0,4}[:=][ \t]{0,4}"
            rb"[\"'\\]{0,6}(?P<secret>[0-9(][0-9 ()./-]{5,18}[0-9])(?![\w.])"
        )
        for word in (rb"phone", rb"mobile", rb"tel", rb"fax")
    ),
)


def emails(raw: bytes) -> Iterator[Span]:
    """Where addresses of people stand."""
    for at in _AT.finditer(raw):
        local = _LOCAL.search(raw, max(0, at.start() - 64), at.start())
        if local is None or at["top"].lower() in _NO_PERSON or local.group().lower() in _ROLES:
            continue
        if raw[local.start() - 1 : local.start()] != b"/":  # the user of a URL
            yield local.start(), at.end()


def cards(raw: bytes) -> Iterator[Span]:
    """Where numbers stand that an issuer could have given out (ISO/IEC 7812, with Luhn's check)."""
    shapes = raw.translate(_SHAPES)
    for pattern in _CARDS:
        for shape in pattern.finditer(shapes):
            start, end = shape.span()
            digits = re.sub(rb"[ -]", b"", raw[start:end])
            valid = _ISSUERS.match(digits) and _luhn(digits)
            if valid and not _IDS.search(raw, max(0, start - 64), start):
                yield start, end


def phones(raw: bytes, low: bytes) -> Iterator[Span]:
    """Where telephone numbers stand: international, or named as such."""
    for pattern in _PHONES:
        for match in pattern.finditer(low):
            start, end = match.span("secret" if "secret" in pattern.groupindex else 0)
            if 8 <= sum(48 <= c < 58 for c in raw[start:end]) <= 15 and _separated(raw, start, end):
                yield start, end


def _separated(raw: bytes, start: int, end: int) -> bool:
    """Not the exponent or the sign of a number: long enough, or written in groups."""
    number = raw[start:end]
    return number.count(b".") != 1 and (len(number) >= 11 or any(c in b" ()-" for c in number))


def _luhn(digits: bytes) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = digit - 48
        if place % 2:
            value = value * 2 - 9 * (value > 4)
        total += value
    return total % 10 == 0
