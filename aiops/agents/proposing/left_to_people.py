"""What no rule mends, and who has to decide about it: the other half of what is proposed.

An action is left out here not for want of a tool but because it cannot be taken back, or because
it weighs what no telemetry shows: money, data, security, somebody else's work.
"""

from collections.abc import Mapping
from typing import Final

from aiops.model.faults import FaultType

_ANYBODY: Final = "what to do is for people to say"
_WHO: Final[Mapping[FaultType, str]] = {
    FaultType.QUOTA: "whoever owns the quota decides whether it grows or what else gives way",
    FaultType.CERTIFICATE: "whoever issues the certificate renews it; secrets are not changed here",
    FaultType.CREDENTIAL: "whoever keeps the credential renews it; secrets are not changed here",
    FaultType.DISK: "its owner decides what data may go, or adds room: volumes do not shrink again",
    FaultType.STORAGE: "whoever runs the storage decides: what is done to a volume is not undone",
    FaultType.NETWORK_PARTITION: "whoever answers for security or the network opens the way",
    FaultType.NETWORK_DELAY: "whoever runs the network or its nodes looks at the link",
    FaultType.NETWORK_LOSS: "whoever runs the network or its nodes looks at the link",
    FaultType.DNS: "whoever runs the name servers looks at them",
    FaultType.IMAGE: "somebody publishes the image, or rolls out one that exists",
    FaultType.BAD_CONFIG: "whoever set it knows the right value; none of before is kept here",
    FaultType.NODE: "whoever runs the node repairs it; emptying it moves the pods of others",
    FaultType.SCHEDULING: "whoever pays for nodes decides whether pods ask for less or nodes are "
    "added",
    FaultType.CRASH: "it is started again already; what ends it is for its owners to find",
    FaultType.ERROR: "no change stands out that could be taken back; its owners know the program",
    FaultType.LATENCY: "no change stands out that could be taken back; its owners know the program",
    FaultType.RETRY_STORM: "whoever owns the callers makes them back off; more copies feed it",
}


def who_decides(fault: FaultType | None) -> str:
    """Who does, and about what, as a clause."""
    return _ANYBODY if fault is None else _WHO.get(fault, _ANYBODY)
