"""Kubernetes' ways to write numbers: quantities ("200m", "1Gi") and ages ("2m5s")."""

import re

_SCALE = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "": 1.0,
    "k": 1e3,
    "K": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
    "Ei": 2.0**60,
}
_SECONDS = {"y": 365 * 86400.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]*)?(?:[eE][0-9]{1,2}(?![0-9]))?)([A-Za-z]{0,2})")
_AGE_PART = re.compile(r"([0-9]{1,12})(ms|[ydhms])")


def quantity(text: object) -> float | None:
    """Cores, bytes or a count; None for what is no quantity."""
    found = _QUANTITY.fullmatch(str(text).strip())
    if found is None or found[2] not in _SCALE:
        return None
    return float(found[1]) * _SCALE[found[2]]


def age(text: object) -> float | None:
    """Seconds of "2m5s", "4d20h", "97s ago"; None for what is no age."""
    plain = str(text).strip().removesuffix(" ago").strip("()")
    parts = _AGE_PART.findall(plain)
    if not parts or "".join(number + unit for number, unit in parts) != plain:
        return None
    return sum(float(number) * _SECONDS.get(unit, 0.001) for number, unit in parts)


def whole(text: object) -> int | None:
    """An integer, at most 18 digits; None for what is none."""
    found = re.fullmatch(r"\s*([0-9]{1,18})\s*", str(text))
    return int(found[1]) if found else None
