"""Cluster read-outs, recorded tool answers and alert files (JSON, plain or gzip)."""

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiops.analyze.state.alert_list import signals
from aiops.errors import InvalidData
from aiops.model import AlertSignal, Entity, RecordedOutput


def read_json(path: Path) -> Any:
    """The JSON value in ``path``; raises InvalidData."""
    opening = gzip.open if path.suffix == ".gz" else open
    try:
        with opening(path, "rt", encoding="utf-8") as text:
            return json.load(text)
    except UnicodeDecodeError as error:
        raise InvalidData(path, "is not UTF-8 text; save it as UTF-8") from error
    except ValueError as error:
        raise InvalidData(path, f"is not JSON ({error})") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidData(path, "is a truncated or broken gzip file; copy it again") from error
    except OSError as error:
        raise InvalidData(path, f"cannot be read ({error.strerror})") from error


def read_outputs(path: Path) -> tuple[RecordedOutput, ...]:
    """What each call answered: an object of call -> text (other values are kept as JSON)."""
    record = read_json(path)
    if not isinstance(record, dict):
        raise InvalidData(path, "must be an object of call -> output")
    return tuple(
        RecordedOutput(call, text if isinstance(text, str) else json.dumps(text))
        for call, text in record.items()
    )


def node_names(state: tuple[RecordedOutput, ...]) -> tuple[str, ...]:
    """The machines in a recorded ``kubectl get nodes``."""
    for output in state:
        if output.call == "kubectl get nodes":
            lines = output.text.splitlines()
            return tuple(line.split()[0] for line in lines[1:] if line.strip())
    return ()


def read_alerts(
    path: Path, entity: Callable[[str], Entity]
) -> tuple[tuple[AlertSignal, ...], tuple[str, ...]]:
    """The alerts of a recorded alert list, one for each piece of evidence, and what to say."""
    record = read_json(path)
    try:
        found, nameless, unread = signals(record, entity)
    except ValueError as error:
        raise InvalidData(path, str(error)) from error
    counted = (
        (nameless, f"alerts of {path.name} name no service; left out"),
        (unread, f"alerts of {path.name} are not built like one; left out"),
    )
    return found, tuple(f"{count} {what}" for count, what in counted if count)
