"""How commands speak to the faults of a running lab: a socket in its folder, a line each way."""

from __future__ import annotations

import json
import os
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiops.errors import AiopsError, InvalidInput
from aiops_lab.faults.listing import listing
from aiops_lab.faults.orders import Order, truth_to_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aiops_lab.faults.engine import Engine
    from aiops_lab.faults.orders import Truth
    from aiops_lab.faults.ports import Ground

SOCKET = "control"
ANSWER_S = 30.0
_LINE = 1 << 20


class NoAnswer(AiopsError):
    """The lab does not take orders."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"the lab in {folder} does not answer ({reason}); see it with: "
            f"aiops lab status --dir {folder}"
        )


class Door:
    """The lab's side, from ``open`` to ``close``."""

    def __init__(self, engine: Engine, ground: Ground, folder: Path) -> None:
        self._engine, self._ground, self._folder = engine, ground, folder
        self._listener = socket.socket(socket.AF_UNIX)
        self._thread = threading.Thread(target=self._serve, name="lab-door", daemon=True)

    def open(self) -> None:
        """Take orders."""
        with _near(self._folder) as path:
            with suppress(FileNotFoundError):
                os.unlink(path)  # noqa: PTH108 - a path by descriptor
            self._listener.bind(path)
        self._listener.listen(8)
        self._thread.start()

    def close(self) -> None:
        """Take no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        (self._folder / SOCKET).unlink(missing_ok=True)

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            with caller, suppress(OSError):  # who has left needs no answer
                caller.settimeout(ANSWER_S)
                line = caller.makefile("rb").readline(_LINE)
                caller.sendall(json.dumps(self._answer(line)).encode() + b"\n")

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            return self._do(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            return {"refused": f"an order that cannot be read: {error}", "wrong": True}
        except AiopsError as error:
            return {"refused": str(error), "wrong": isinstance(error, InvalidInput)}

    def _do(self, said: dict[str, Any]) -> dict[str, Any]:
        engine = self._engine
        done: tuple[Truth, ...]
        match said["do"]:
            case "inject":
                order = {**said["order"], "settings": tuple(said["order"]["settings"])}
                done = (engine.inject(Order(**order)),)
            case "revert":
                done = (engine.revert(said["id"]),)
            case "revert-all":
                done = engine.revert_all()
            case "list":
                return {"kinds": listing(self._ground), "truths": _json(engine.active())}
            case unknown:
                raise ValueError(f"nobody knows how to {unknown}")
        return {"truths": _json(done)}


def _json(truths: tuple[Truth, ...]) -> list[dict[str, Any]]:
    return [truth_to_json(one) for one in truths]


@contextmanager
def _near(folder: Path) -> Iterator[str]:
    """The socket's path by a descriptor of its folder: the kernel takes 107 bytes at most."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)


def ask(folder: Path, **said: Any) -> dict[str, Any]:
    """What the lab in a folder answers.

    Raises:
        InvalidInput: it cannot do that; the text is the lab's.
        AiopsError: it tried and failed.
        NoAnswer: it does not listen, or not in time.
    """
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(ANSWER_S)
        try:
            with _near(folder) as path:
                door.connect(path)
            door.sendall(json.dumps(said).encode() + b"\n")
            answer: dict[str, Any] = json.loads(door.makefile("rb").readline())
        except OSError as error:
            raise NoAnswer(folder, error.strerror or str(error)) from None
        except ValueError:
            raise NoAnswer(folder, "it ended meanwhile") from None
    if "refused" in answer:
        raise (InvalidInput if answer["wrong"] else AiopsError)(answer["refused"])
    return answer


def ask_to_inject(folder: Path, order: Order) -> dict[str, Any]:
    """Inject; the truth, as JSON. Raises as ``ask`` does."""
    truth: dict[str, Any] = ask(folder, do="inject", order=asdict(order))["truths"][0]
    return truth
