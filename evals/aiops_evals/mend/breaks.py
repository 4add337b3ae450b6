"""What is broken, and where: faults of the lab's catalogue, and what people do with kubectl."""

from dataclasses import dataclass
from typing import Final

from aiops.errors import UnknownName


@dataclass(frozen=True, slots=True)
class Break:
    """One way to break the lab.

    Attributes:
        steps: command lines that begin with "inject" (of ``aiops lab``) or "kubectl"; the last one
            breaks it, those before only look as if they did.
        curable: whether an action that aiops may propose mends it.
    """

    name: str
    says: str
    steps: tuple[tuple[str, ...], ...]
    curable: bool = True


BREAKS: Final[tuple[Break, ...]] = (
    Break(
        "bad-deploy",
        "a version that fails requests is rolled out",
        (("inject", "carts/bad-deploy", "--set", "version=1.1.0-errors"),),
    ),
    Break(
        "bad-image",
        "an image that cannot be pulled is rolled out",
        (("inject", "user/bad-image"),),
    ),
    Break(
        "bad-config",
        "a setting names a service that is not there",
        (("inject", "orders/bad-config"),),
    ),
    Break(
        "cpu",
        "something burns CPU beside the work, up to the limit",
        (("inject", "catalogue/cpu", "--intensity", "1"),),
    ),
    Break(
        "scaled-to-zero",
        "somebody scales a service to nothing",
        (("kubectl", "scale", "deployment/payment", "--replicas=0"),),
    ),
    Break(
        "hpa-limit",
        "an autoscaler wants more pods than it may have",
        (("inject", "catalogue/hpa-limit"),),
    ),
    Break(
        "wrong-fix",
        "a harmless version is rolled out, and then the service fails for another reason",
        (
            ("kubectl", "set", "image", "deployment/carts", "*=lab/carts:1.0.1"),
            ("inject", "carts/errors", "--intensity", "1"),
        ),
        curable=False,
    ),
)


def chosen(names: str) -> tuple[Break, ...]:
    """Those named, comma-separated; all where none is.

    Raises:
        UnknownName: there is none of that name.
    """
    known = {each.name: each for each in BREAKS}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in known:
            raise UnknownName("way to break the lab", name, tuple(known))
    return tuple(known[name] for name in wanted) or BREAKS
