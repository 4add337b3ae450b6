"""Reads the public half of a file that also holds answers. Standard library only.

Some benchmarks write the alert time and the answers into one file. The process that ranks must
never open such a file, so it starts this one instead (``read`` below) and gets the public keys:

    python -I -S sealed.py case    FOLDER/case.json
    python -I -S sealed.py target  FOLDER/target.json
    python -I -S sealed.py names   cases.jsonl.gz
    python -I -S sealed.py row     cases.jsonl.gz NAME

The result is one JSON value on stdout. A file that cannot be used leaves status 3 and
``{"key": ..., "reason": ...}``. A key that is not listed here never gets out.
"""

import gzip
import json
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any

# json type names of a key: what a reader may rely on. A leading "!" means the key must be there.
CASE = {
    "dataset": "!string",
    "inject_time": "!number null",
    "inject_time_kind": "string null",
    "sampling_interval_s": "number null",
    "target": "object null",
    "namespace": "string null",
    "query": "string null",
    "scenario": "string null",
    "modalities": "array null",
    "baseline_time_shift_s": "number null",
    "collection_timestamp": "string null",
}
# Keys that must be well formed although they stay here: a case without them cannot be judged.
ANSWERS = {
    "root_cause_service": "string null",
    "root_cause_metric": "string null",
    "root_cause_object": "string null",
    "root_cause_columns": "array null",
    "fault_type": "string",
    "verdict": "string",
    "root_causes": "array",
}
TARGET = {"node": "!string", "metric": "!string", "agg": "!string", "timestamp": "!number"}
ROW = {
    "dataset": "!string",
    "inject_time": "number null",
    "inject_time_kind": "string null",
    "start_time": "string null",
    "end_time": "string null",
    "nodes": "!array",
    "edges": "!array",
    "metric_alerts": "!array",
    "trace_alerts": "!array",
    "log_alerts": "!array",
}
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


class Refused(Exception):  # a message to the parent process, not an error of ours
    """The file cannot be used: which key (None for the whole file) and why."""

    def __init__(self, key: str | None, reason: str) -> None:
        self.key, self.reason = key, reason
        super().__init__(reason)


def _is_a(value: object, types: str) -> bool:
    if isinstance(value, bool) or (isinstance(value, int) and value.bit_length() > 1023):
        return False  # no float is that large
    return any(isinstance(value, TYPES[name]) for name in types.split())


def check(record: object, schema: dict[str, str], *, secret: bool = False) -> dict[str, Any]:
    """The keys of ``record`` that ``schema`` lists, after checking their types.

    The value of a ``secret`` key is not quoted: the message leaves this process.
    """
    if not isinstance(record, dict):
        raise Refused(None, "is not a JSON object")
    found = {}
    for key, types in schema.items():
        required, types = types.startswith("!"), types.lstrip("!")
        if key not in record:
            if required:
                raise Refused(key, "is missing")
            continue
        if not _is_a(record[key], types):
            shown = "something else" if secret else f"{record[key]!r:.60}"
            raise Refused(key, f"must be {types.replace(' ', ' or ')}, is {shown}")
        found[key] = record[key]
    return found


def _text(path: str) -> Iterator[str]:
    opening = gzip.open if path.endswith(".gz") else open
    try:
        with opening(path, "rt", encoding="utf-8") as lines:
            yield from lines
    except UnicodeDecodeError as error:
        raise Refused(None, "is not UTF-8 text") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Refused(None, "is a truncated or broken gzip file") from error
    except OSError as error:
        raise Refused(None, f"cannot be read ({error.strerror})") from error


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Refused(None, f"is not JSON ({error})") from error


def public_case(record: object) -> dict[str, Any]:
    """The public keys of a uniform ``case.json``, with or without answers in it."""
    check(record, ANSWERS, secret=True)
    found = check(record, CASE)
    if isinstance(found.get("target"), dict):
        found["target"] = check(found["target"], TARGET)
    return found


def public_target(record: object) -> dict[str, Any]:
    """The ``target`` of a PetShop ``target.json``."""
    outer = check(record, {"target": "!object"})
    return check(outer["target"], TARGET)


def public_row(record: object) -> dict[str, Any]:
    """The public keys of one row of an alert-list set."""
    check(record, ANSWERS, secret=True)
    return check(record, ROW)


def rows(path: str) -> Iterator[dict[str, Any]]:
    """Every row of a ``cases.jsonl.gz``, answers included."""
    for number, line in enumerate(_text(path), start=1):
        if line.strip():
            row = _json(line)
            if not isinstance(row, dict) or not isinstance(row.get("case_id"), str):
                raise Refused("case_id", f"is missing or not a string in line {number}")
            yield row


def names(path: str) -> list[str]:
    """The names of the cases in a ``cases.jsonl.gz``, in its order."""
    return [row["case_id"] for row in rows(path)]


def row(path: str, name: str) -> dict[str, Any]:
    """One row of a ``cases.jsonl.gz``, answers included."""
    mark = json.dumps(name)
    for line in _text(path):
        if mark in line:  # parse only the lines that can be the one
            record = _json(line)
            if isinstance(record, dict) and record.get("case_id") == name:
                return record
    raise Refused(None, f"holds no case {name!r}")


def whole(path: str) -> Any:
    """The JSON value in ``path``, answers included."""
    return _json("".join(_text(path)))


KINDS: dict[str, Callable[..., Any]] = {
    "case": lambda path: public_case(whole(path)),
    "target": lambda path: public_target(whole(path)),
    "names": names,
    "row": lambda path, name: public_row(row(path, name)),
}


def main(arguments: list[str]) -> int:
    """Run as a child process: see the module's docstring."""
    kind, *rest = arguments
    try:
        answer, status = KINDS[kind](*rest), 0
    except Refused as refused:
        answer, status = {"key": refused.key, "reason": refused.reason}, 3
    sys.stdout.write(json.dumps(answer))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
