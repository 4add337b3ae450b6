"""Which alerts a silence keeps quiet."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from aiops.app.incidents.grouping import value_of
from aiops.errors import InvalidInput
from aiops.model.alert import Alert, Matcher, Silence

MOST_MATCHERS = 50
LONGEST_VALUE = 1000

_Test = Callable[[Alert], bool]


class Silencing:
    """Finds the silence that keeps an alert quiet.

    Args:
        silences: in force or not.
    """

    def __init__(self, silences: Sequence[Silence]) -> None:
        self._tests = [(each, [_test(matcher) for matcher in each.matchers]) for each in silences]

    def of(self, alert: Alert, at: datetime) -> Silence | None:
        """The first silence in force at ``at`` all of whose matchers match; None: it is heard."""
        return next(
            (
                silence
                for silence, tests in self._tests
                if silence.starts_at <= at < silence.ends_at and all(test(alert) for test in tests)
            ),
            None,
        )


def checked(matchers: Sequence[Matcher]) -> tuple[Matcher, ...]:
    """The matchers of a new silence.

    Raises:
        InvalidInput: there is none or there are too many, a regular expression cannot be read, or
            together they would match alerts that have none of the labels, and so everything.
    """
    if not 0 < len(matchers) <= MOST_MATCHERS:
        raise InvalidInput(f"a silence needs 1 to {MOST_MATCHERS} matchers, not {len(matchers)}")
    for each in matchers:
        if not each.label or len(each.value) > LONGEST_VALUE:
            raise InvalidInput(
                f"matcher on label {each.label!r}: give a label, and a value of at most "
                f"{LONGEST_VALUE} characters"
            )
    if all((_pattern(each).fullmatch("") is not None) != each.negative for each in matchers):
        raise InvalidInput(
            "these matchers match every alert without the labels; "
            "give at least one that does not match an empty value"
        )
    return tuple(matchers)


def _test(matcher: Matcher) -> _Test:
    if not matcher.regex:  # compared, not compiled: most matchers, and every alert meets all
        return lambda alert: (value_of(alert, matcher.label) == matcher.value) != matcher.negative
    found = _pattern(matcher).fullmatch
    return lambda alert: (found(value_of(alert, matcher.label)) is not None) != matcher.negative


def _pattern(matcher: Matcher) -> re.Pattern[str]:
    try:
        return re.compile(matcher.value if matcher.regex else re.escape(matcher.value), re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidInput(
            f"matcher on label {matcher.label!r}: {matcher.value!r} is no regular expression: "
            f"{error}"
        ) from error
