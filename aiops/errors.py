"""Named exceptions. The message is for a tired person: what happened, to what, what to do."""


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
        super().__init__(f"unknown {what} {name!r}; choose from: {', '.join(choices)}")


class AnalysisFailed(AiopsError):
    """An analyzer could not rank this case; it is listed as failed, never replaced by a guess."""
