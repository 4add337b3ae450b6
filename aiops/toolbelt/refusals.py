"""What the gateway says no with."""

from aiops.errors import AiopsError


class Refused(AiopsError):
    """A call is not carried out.

    Args:
        why: a stable name, ``Outcome.reason``.
        sentence: what was refused, by which rule, what to do.
        approval: the one that stands in the place of the one it was made with.
    """

    def __init__(self, why: str, sentence: str, *, approval: str | None = None) -> None:
        self.why, self.sentence, self.approval = why, sentence, approval
        super().__init__(sentence)
