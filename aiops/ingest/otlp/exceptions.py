"""Exceptions as the conventions record them, as one log line."""

from collections.abc import Mapping


def exception_text(attributes: Mapping[str, str]) -> str:
    """ "ERROR type: message" and the stack trace below it; "" where none of them is said.

    A stack trace that begins with type and message does not get them twice.
    """
    kind, said = attributes.get("exception.type", ""), attributes.get("exception.message", "")
    trace = attributes.get("exception.stacktrace", "").strip()
    head = ": ".join(part for part in (kind, said) if part)
    if trace.startswith(head):
        head = ""
    whole = "\n".join(part for part in (head, trace) if part)
    return f"ERROR {whole}" if whole else ""
