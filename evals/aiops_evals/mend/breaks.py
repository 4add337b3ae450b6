"""What is broken, and where: faults of the lab's catalogue, and what people do with kubectl."""

from dataclasses import dataclass
from typing import Final, Literal

from aiops.errors import UnknownName

Ending = Literal["mended", "taken back", "left to people"]
"""How it should end: an action helps; one does not, and is undone; none is proposed."""


@dataclass(frozen=True, slots=True)
class Break:
    """One way to break the lab.

    Attributes:
        steps: command lines that begin with "inject" (of ``aiops lab``) or "kubectl"; the last one
            breaks it, those before only look as if they did.
    """

    name: str
    says: str
    steps: tuple[tuple[str, ...], ...]
    ends: Ending = "mended"


_SELECTS_NOBODY: Final = (
    "kubectl",
    "patch",
    "service",
    "carts",
    "--type=merge",
    '--patch={"spec":{"selector":{"name":"carts-new"}}}',
)
_LEADS_NOWHERE: Final = '--patch=[{"op":"replace","path":"/spec/ports/0/targetPort","value":9999}]'

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
        ends="taken back",
    ),
    Break(
        "wrong-selector",
        "a Service selects labels that no pod has",
        (("inject", "payment/wrong-selector"),),
    ),
    Break(
        "wrong-port",
        "a Service leads to a port on which nobody listens",
        (("inject", "user/wrong-port"),),
    ),
    Break(
        "memory-leak",
        "memory leaks until the container is killed at its limit, again and again",
        (("inject", "carts/memory-leak", "--set", "rate=16"),),
    ),
    Break(
        "pool-exhaustion",
        "connections leak until none is free",
        (("inject", "orders/pool-exhaustion"),),
    ),
    Break(
        "traffic",
        "users send many times their requests",
        (("inject", "front-end/traffic"),),
    ),
    Break(
        "quota",
        "pods go, and a quota refuses those that should follow",
        (("inject", "payment/quota"),),
        ends="left to people",
    ),
    Break(
        "expired-credential",
        "the credential of a store has ended",
        (("inject", "carts-db/expired-credential"),),
        ends="left to people",
    ),
    Break(
        "wrong-fix-selector",
        "a Service selects nothing, and the pods it is for fail, too",
        (_SELECTS_NOBODY, ("inject", "carts/errors", "--intensity", "1")),
        ends="taken back",
    ),
    Break(
        "wrong-fix-port",
        "a Service leads nowhere, and the pods it is for fail, too",
        (
            ("kubectl", "patch", "service", "user", "--type=json", _LEADS_NOWHERE),
            ("inject", "user/errors", "--intensity", "1"),
        ),
        ends="taken back",
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
