"""Which alerts a silence keeps quiet; silences that people make and end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aiops.app.incidents.acts import Person, words
from aiops.app.incidents.expressions import fault_of, matches
from aiops.app.incidents.grouping import value_of
from aiops.errors import InvalidInput, NotKept, WrongState
from aiops.model.alert import Alert, Matcher, Silence
from aiops.model.investigation import AuditEntry
from aiops.ports.ids import Ids

MOST_MATCHERS = 50
LONGEST_VALUE = 1000

_Test = Callable[[Alert], bool]


class Silencing:
    """Finds the silence that keeps an alert quiet.

    Args:
        silences: in force or not. One that cannot be read keeps nothing quiet: an alert too many
            wakes somebody, one too few nobody.
    """

    def __init__(self, silences: Sequence[Silence]) -> None:
        self._tests = [
            (each, [_test(matcher) for matcher in each.matchers])
            for each in silences
            if _readable(each)
        ]

    def in_force(self, at: datetime) -> frozenset[str]:
        """Ids of those in force at ``at``."""
        return frozenset(each.id for each, _ in self._tests if each.starts_at <= at < each.ends_at)

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


@dataclass(frozen=True, slots=True)
class Silenced:
    """A silence as it is now, and the line of the audit log that the caller appends."""

    silence: Silence
    audit: AuditEntry


def create(
    person: Person,
    ids: Ids,
    matchers: Sequence[Matcher],
    starts_at: datetime,
    ends_at: datetime,
    comment: str,
    *,
    maintenance: bool = False,
) -> Silenced:
    """Keep alerts quiet for a while. Incidents that are open stay.

    Raises:
        InvalidInput: the matchers cannot be used (see ``checked``), it ends before it starts or
            in the past, or nobody says why.
    """
    now = person.clock.now()
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise InvalidInput("a silence needs times with a time zone")
    if not max(starts_at, now) < ends_at:
        raise InvalidInput(f"a silence must end after it starts, and after now ({now:%FT%TZ})")
    silence = Silence(
        ids.new("sil"),
        checked(matchers),
        starts_at,
        ends_at,
        person.name,
        words(comment, "the comment of a silence"),
        maintenance,
    )
    return _kept(person, silence, "silence.created", now)


def expire(person: Person, silence_id: str) -> Silenced:
    """End a silence now; alerts that still fire are taken in at the next round.

    Raises:
        NotKept: there is none with this id.
        WrongState: it is over.
    """
    now = person.clock.now()
    found = [each for each in person.repo.silences() if each.id == silence_id]
    if not found:
        raise NotKept("silence", silence_id)
    if found[0].ends_at <= now:
        raise WrongState(f"silence {silence_id}", "is over; create another where one is needed")
    ended = replace(found[0], starts_at=min(found[0].starts_at, now), ends_at=now)
    return _kept(person, ended, "silence.expired", now)


def _kept(person: Person, silence: Silence, action: str, now: datetime) -> Silenced:
    with person.repo.work() as work:
        work.put_silence(silence)
        work.tell(action, silence.id)
    return Silenced(silence, AuditEntry(now, person.name, action, silence.id, "done"))


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
        fault = fault_of(each.value) if each.regex else None
        if fault is not None:
            raise InvalidInput(
                f"matcher on label {each.label!r}: {each.value!r} is no regular expression of RE2, "
                f"which Alertmanager takes, too: {fault}"
            )
    if all(map(_matches_nothing_given, matchers)):
        raise InvalidInput(
            "these matchers match every alert without the labels; "
            "give at least one that does not match an empty value"
        )
    return tuple(matchers)


def _test(matcher: Matcher) -> _Test:
    wanted, negative = matcher.value, matcher.negative
    if not matcher.regex:
        return lambda alert: (value_of(alert, matcher.label) == wanted) != negative
    return lambda alert: matches(wanted, value_of(alert, matcher.label)) != negative


def _matches_nothing_given(matcher: Matcher) -> bool:
    """Whether it matches an alert without the label."""
    found = matches(matcher.value, "") if matcher.regex else matcher.value == ""
    return found != matcher.negative


def _readable(silence: Silence) -> bool:
    """Whether all its expressions can be used; one kept by an earlier version may not."""
    return not any(each.regex and fault_of(each.value) for each in silence.matchers)
