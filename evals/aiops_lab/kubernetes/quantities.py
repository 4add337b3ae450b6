"""Kubernetes quantities: "250m", "1Gi", "1e3" (apimachinery/pkg/api/resource)."""

import re
from decimal import ROUND_CEILING, Decimal

from aiops.errors import InvalidInput

_SYNTAX = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE])|)$")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


class InvalidQuantity(InvalidInput):
    """Text that is no quantity."""

    def __init__(self, text: str) -> None:
        super().__init__(f"unable to parse quantity {text!r}; write it like 250m, 1.5 or 64Mi")


def parse_quantity(text: str | float) -> Decimal:
    """The exact value of a quantity.

    Raises:
        InvalidQuantity: it is none.
    """
    found = _SYNTAX.match(str(text))
    if found is None:
        raise InvalidQuantity(str(text))
    number = Decimal(found[1])
    if found[2]:
        return number.scaleb(int(found[2][1:]))
    suffix = found[3] or ""
    if suffix in _BINARY:
        return number * Decimal(1024 ** _BINARY[suffix])
    return number.scaleb(_DECIMAL[suffix])


def cores(value: Decimal | float) -> str:
    """CPU cores as text: whole where they are whole, else millicores, rounded up."""
    milli = int((Decimal(value) * 1000).to_integral_value(ROUND_CEILING))
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"


def size(value: Decimal | int) -> str:
    """Bytes as text with the largest binary suffix that loses nothing."""
    number = int(value)
    for suffix, power in reversed(_BINARY.items()):
        unit = 1024**power
        if number and number % unit == 0:
            return f"{number // unit}{suffix}"
    return str(number)


def canonical(resource: str, value: Decimal) -> str:
    """A total of a resource as text: CPU in cores, sizes in bytes, counts as they are."""
    if resource.endswith("cpu"):
        return cores(value)
    return size(value) if resource.endswith(("memory", "storage")) else str(int(value))
