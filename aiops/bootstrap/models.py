"""The language models of the settings: their ladders for one run, or none."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from aiops.errors import InvalidInput
from aiops.llm.breaker import Breaker
from aiops.llm.connection import Endpoint
from aiops.llm.ladder import Ladder
from aiops.llm.metered import Meter, Metered, ModelBudget
from aiops.llm.openai_compatible import OpenAICompatible, Price
from aiops.llm.recorded import Recorder, Replayed, models_on
from aiops.llm.redacted import Redacted
from aiops.llm.repaired import Repaired
from aiops.llm.tape import Tape
from aiops.model.canonical import canonical
from aiops.model.chat import ChatQuestion, Limits, Message, Usage
from aiops.settings import ModelRungSettings, ModelSettings

_NOBODY: Final = "(none)"
"""Who is asked in the replay of a run that asked no model: it has no answer, and says so."""
_TRIAL: Final = "This is a trial. Say that you are ready."
_TRIAL_SCHEMA: Final = canonical(
    {
        "type": "object",
        "properties": {"ready": {"type": "boolean"}},
        "required": ["ready"],
        "additionalProperties": False,
    }
)
_TRIAL_TOKENS: Final = 512
"""Room for the thoughts of models that think before they answer."""


def ladders_of(
    settings: ModelSettings, *, record: Tape | None = None, replay: Tape | None = None
) -> Callable[[Usage], Ladder] | None:
    """What gives a run its models, the cheaper first, by what it has spent on them so far; None
    where none is configured.

    All ladders are of the same models, which remember what their endpoint takes and whether it
    could be reached.

    Args:
        record: keeps what they answer.
        replay: answers instead of those who are heard on it; nothing is asked over the network.

    Raises:
        InvalidInput: a setting that cannot be used; or a tape that cannot be read.
    """
    models = _models(settings, record, replay)

    def ladder(spent: Usage) -> Ladder:
        meter = meter_of(settings, spent)
        return Ladder([Repaired(Metered(Redacted(one, _hidden), meter)) for one in models])

    return ladder if models else None


def meter_of(settings: ModelSettings, spent: Usage | None = None) -> Meter:
    """A run's account; ``spent`` is what it has cost before, where it goes on."""
    budget = settings.budget
    return Meter(ModelBudget(budget.requests, budget.tokens, budget.usd), spent)


def limits_of(settings: ModelSettings) -> Limits:
    """What one answer may take."""
    return Limits(settings.output_tokens, settings.timeout_s)


def try_model(settings: ModelSettings, rung: ModelRungSettings) -> str:
    """Ask ``rung`` for a small value by a schema; what it did, in words.

    Raises:
        ModelFailed: it gave none.
        InvalidInput: a setting that cannot be used.
    """
    limits = replace(limits_of(settings), output_tokens=_TRIAL_TOKENS)
    question = ChatQuestion((Message("user", _TRIAL),), schema=_TRIAL_SCHEMA, limits=limits)
    answer = asyncio.run(_model(settings, rung, None).complete(question))
    return f"answers by a schema; {answer.usage.tokens} tokens for a trial"


def _hidden(text: str) -> str:
    from aiops.toolbelt.finishing import hidden

    return hidden(text, secrets.token_bytes())


def _models(
    settings: ModelSettings, record: Tape | None, replay: Tape | None
) -> list[Replayed | Recorder | Breaker]:
    rungs = [rung for rung in (settings.small, settings.large) if rung is not None]
    if replay is None:
        return [_model(settings, rung, record) for rung in rungs]
    names = models_on(replay) or tuple(rung.name for rung in rungs) or (_NOBODY,)
    return [Replayed(name, replay) for name in names]


def _model(
    settings: ModelSettings, rung: ModelRungSettings, record: Tape | None
) -> Recorder | Breaker:
    if settings.base_url is None:
        raise InvalidInput("setting 'model.base_url' is missing: nobody can be asked")
    key, proxy = settings.api_key, settings.proxy
    endpoint = Endpoint(
        settings.base_url,
        key.get_secret_value() if key is not None else None,
        settings.attempts,
        settings.longest_pause_s,
        settings.ca_file,
        proxy.get_secret_value() if proxy is not None else None,
    )
    price = Price(rung.input_usd, rung.output_usd)
    asked = Breaker(OpenAICompatible(rung.name, endpoint, price))
    return asked if record is None else Recorder(asked, record)
