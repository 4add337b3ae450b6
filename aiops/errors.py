"""Named exceptions. The message is for a tired person: what happened, to what, what to do."""

from difflib import get_close_matches


class AiopsError(Exception):
    """Anything aiops raises on purpose; its text is fit to print."""


class InvalidInput(AiopsError):
    """What we were given cannot be used: a file, an option, a name. The command exits with 2."""


class InvalidData(InvalidInput):
    """A file of telemetry or a case cannot be used.

    Args:
        path: the file, as the user named it.
        reason: what is wrong, in one clause.
        column: the column it is in, where there is one.
        row: the row it is in, counted from 1 after the header, where known.
    """

    def __init__(
        self, path: object, reason: str, *, column: str | None = None, row: int | None = None
    ) -> None:
        self.path, self.reason, self.column, self.row = str(path), reason, column, row
        place = "".join(
            [
                f", column {column!r}" if column is not None else "",
                f", row {row}" if row is not None else "",
            ]
        )
        super().__init__(f"{path}{place}: {reason}")


class UnknownName(InvalidInput):
    """A name that nothing answers to; says what would.

    Args:
        what: the kind of thing asked for, such as "method".
        name: what was asked.
        choices: the valid names.
    """

    def __init__(self, what: str, name: str, choices: tuple[str, ...]) -> None:
        self.name, self.choices = name, choices
        near = get_close_matches(name.rpartition(".")[2], choices, n=1)
        meant = f" (did you mean {near[0]!r}?)" if near else ""
        super().__init__(f"unknown {what} {name!r}; choose from: {', '.join(choices)}{meant}")


class AnalysisFailed(AiopsError):
    """An analyzer could not rank this case; it is listed as failed, never replaced by a guess."""


class InvalidWindow(InvalidInput):
    """A stretch of time that cannot be read: a bound without a time zone, or an end at its start.

    Args:
        start, end: as they were asked for.
    """

    def __init__(self, start: object, end: object) -> None:
        self.start, self.end = start, end
        super().__init__(
            f"no window from {start} to {end}: give a start, and an end after it, with time zones"
        )


class SourceUnavailable(AiopsError):
    """A source of telemetry cannot answer: not reachable, refused, cut off, or never recorded.

    An answer without rows is another thing: the source looked and there is nothing.

    Args:
        source: which one, as the user configured or named it.
        reason: what is wrong and what to do, in one clause.
    """

    def __init__(self, source: str, reason: str) -> None:
        self.source, self.reason = source, reason
        super().__init__(f"{source}: {reason}")


class NotKept(InvalidInput):
    """Nothing is kept under that name.

    Args:
        what: the kind of thing asked for, such as "investigation".
        name: what was asked.
    """

    def __init__(self, what: str, name: str) -> None:
        self.name = name
        super().__init__(f"no {what} {name!r} is kept here; check the id")


class AlreadyKept(AiopsError):
    """Something else is kept under that name, and what is kept is never changed.

    Args:
        what: the kind of thing, such as "investigation".
        name: the name that is taken.
    """

    def __init__(self, what: str, name: str) -> None:
        self.name = name
        super().__init__(f"{what} {name!r} is kept already and differs; keep this under a new id")


class EventsForgotten(AiopsError):
    """Events between the one last seen and the oldest one kept are gone.

    Args:
        after: the number last seen.
        oldest: the first number that can still be read.
    """

    def __init__(self, after: int, oldest: int) -> None:
        self.after, self.oldest = after, oldest
        super().__init__(
            f"events {after + 1} to {oldest - 1} are no longer kept; read the current state anew"
        )


class NotDelivered(AiopsError):
    """A notification did not reach its channel.

    Args:
        notifier: the channel's name.
        reason: what is wrong and what to do, in one clause.
    """

    def __init__(self, notifier: str, reason: str) -> None:
        self.notifier, self.reason = notifier, reason
        super().__init__(f"{notifier}: not delivered: {reason}")


class StoreUnavailable(AiopsError):
    """The database cannot be read or written: down, locked, or its disk is full.

    Args:
        reason: what is wrong and what to do, in one clause.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the store is not available: {reason}")


class Backlogged(StoreUnavailable):
    """So much waits to be taken in that nothing more is kept until some of it was."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.args = (f"this is not taken in: {reason}",)


class ChangedMeanwhile(AiopsError):
    """Somebody else changed it after it was read; read it again and decide anew.

    Args:
        what: the kind of thing, such as "incident".
        name: its id.
    """

    def __init__(self, what: str, name: str) -> None:
        self.name = name
        super().__init__(f"{what} {name!r} was changed meanwhile; read it again and repeat")


class WrongState(InvalidInput):
    """What was asked for cannot be done to it as it is now: resolved, merged, expired.

    Args:
        what: the thing, such as "incident inc-1".
        reason: its state and what can be done instead, in one clause.
    """

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what} {reason}")


class BadPayload(InvalidInput):
    """A webhook's body cannot be understood.

    Args:
        reason: what is wrong, in one clause.
        place: where: a JSON pointer ("/alerts/0/startsAt") or "line 1, column 14".
    """

    def __init__(self, reason: str, place: str | None = None) -> None:
        self.reason, self.place = reason, place
        super().__init__(f"{place}: {reason}" if place else reason)


class NotAuthentic(AiopsError):
    """A request does not prove that it comes from whom it says; the reason names no secret."""


class NotAllowed(AiopsError):
    """Somebody who is known asks for what they may not; the reason says who may."""


class ToolFailed(AiopsError):
    """A tool could not do what was asked; nothing was changed, or the reason says what.

    Args:
        kind: a stable name: "unauthorized", "forbidden", "not_found", "conflict", "throttled",
            "timeout", "unreachable", "invalid", "killed", "failed".
        reason: what happened, to what, what to do, in a sentence.
        retryable: whether the same call may succeed later.
    """

    def __init__(self, kind: str, reason: str, *, retryable: bool = False) -> None:
        self.kind, self.reason, self.retryable = kind, reason, retryable
        super().__init__(reason)


class Drifted(ToolFailed):
    """What a write was previewed on has changed since; it has to be looked at and approved anew."""

    def __init__(self, reason: str) -> None:
        super().__init__("stale", reason)
