"""Several answers told to one who reads along."""

from aiops.ports.chat_model import OnToken


class Apart:
    """Hands on what is said by one model after another, each answer from a line of its own."""

    def __init__(self, on_token: OnToken) -> None:
        self._on_token, self._said = on_token, False

    def answer(self) -> OnToken:
        """Takes the pieces of the next answer."""
        lead = "\n" if self._said else ""

        def take(piece: str) -> None:
            nonlocal lead
            self._on_token(lead + piece)
            lead, self._said = "", True

        return take
