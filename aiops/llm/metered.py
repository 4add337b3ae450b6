"""What a run spends on models: counted answer by answer, and ended at its budget."""

from dataclasses import dataclass

from aiops.model.chat import Answer, ChatQuestion, Usage
from aiops.ports.chat_model import BudgetSpent, ChatModel, ModelFailed, OnToken


@dataclass(frozen=True, slots=True)
class ModelBudget:
    """The most that one run spends. Looked at before each answer, so one answer may pass it."""

    requests: int
    tokens: int
    usd: float

    def spent_by(self, usage: Usage) -> str | None:
        """What of it is used up, in words; None while there is some of everything."""
        if usage.requests >= self.requests:
            return f"{usage.requests} answers of {self.requests}"
        if usage.tokens >= self.tokens:
            return f"{usage.tokens} tokens of {self.tokens}"
        if usage.usd >= self.usd > 0:
            return f"{usage.usd:.4f} of {self.usd:.4f} US dollars"
        return None


class Meter:
    """One run's account, shared by all models it asks."""

    def __init__(self, budget: ModelBudget, spent: Usage | None = None) -> None:
        self._budget, self._spent = budget, spent or Usage()

    @property
    def spent(self) -> Usage:
        """So far."""
        return self._spent

    def check(self, model: str) -> None:
        """Raises BudgetSpent where nothing is left."""
        gone = self._budget.spent_by(self._spent)
        if gone is not None:
            why = f"not asked: this run has spent {gone}; see 'model.budget'"
            raise BudgetSpent(model, why, spent=gone)

    def count(self, usage: Usage) -> None:
        """Add what one answer, or one failure, has cost."""
        self._spent += usage


class Metered:
    """A ``ChatModel`` whose every answer, good or bad, is put on a run's account."""

    def __init__(self, model: ChatModel, meter: Meter) -> None:
        self._model, self._meter = model, meter

    @property
    def name(self) -> str:
        return self._model.name

    async def complete(self, question: ChatQuestion, on_token: OnToken | None = None) -> Answer:
        """As ``ChatModel.complete``; raises BudgetSpent, unasked, once nothing is left."""
        self._meter.check(self.name)
        try:
            answer = await self._model.complete(question, on_token)
        except ModelFailed as failure:
            self._meter.count(failure.usage)
            raise
        self._meter.count(answer.usage)
        return answer
