"""The cheapest model first; a dearer one only while the question is not settled."""

from collections.abc import Callable, Sequence

from aiops.llm.apart import Apart
from aiops.model.chat import Answer, ChatQuestion, Usage
from aiops.ports.chat_model import BudgetSpent, ChatModel, Climbed, ModelFailed, OnToken


class Ladder:
    """Models from the cheapest on, as a ``ChatLadder``.

    A model that fails is a rung that settles nothing: the next one may read more, or be up.

    Raises:
        ValueError: there is no model.
    """

    def __init__(self, models: Sequence[ChatModel]) -> None:
        if not models:
            raise ValueError("a ladder needs a model")
        self._models = tuple(models)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(model.name for model in self._models)

    def only(self, name: str) -> "Ladder":
        """As ``ChatLadder.only``."""
        named = [model for model in self._models if model.name == name]
        return Ladder(named or self._models)

    async def climb(
        self,
        question: ChatQuestion,
        *,
        margin: Callable[[Answer], float],
        enough: float,
        on_token: OnToken | None = None,
    ) -> Climbed:
        """As ``ChatLadder.climb``. Each model has the time of ``question.limits`` to itself."""
        best: tuple[Answer, float] | None = None
        failures: list[ModelFailed] = []
        usage = Usage()
        heard = Apart(on_token) if on_token is not None else None
        for model in self._models:
            try:
                answer = await model.complete(
                    question, heard.answer() if heard is not None else None
                )
            except ModelFailed as failure:
                failures.append(failure)
                usage += failure.usage
                if isinstance(failure, BudgetSpent):
                    break
                continue
            usage += answer.usage
            judged = margin(answer)
            if best is None or judged > best[1]:
                best = answer, judged
            if judged >= enough:
                break
        if best is None:
            failures[-1].before = tuple(failures[:-1])
            raise failures[-1].costing(usage)
        return Climbed(*best, tuple(failures), usage)
