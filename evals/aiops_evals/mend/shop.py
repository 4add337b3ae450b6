"""The lab as a process with all that watches it, seen and handled from outside."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from aiops.errors import AiopsError, InvalidInput

UP_S: Final = 180.0
_MAIN: Final = "import sys; from aiops.cli import main; sys.argv[0] = 'aiops'; main()"
_COUNT: Final = "request_duration_seconds_count"
T = TypeVar("T")


class LabFailed(AiopsError):
    """The lab did not come up, or does not answer; the text says which."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A lab that is up.

    Attributes:
        api: of its ``aiops serve``.
        entry: the service that users call.
    """

    folder: Path
    api: httpx.Client
    prometheus: httpx.Client
    entry: str
    namespace: str

    def do(self, step: tuple[str, ...]) -> None:
        """Carry out a step of a Break; raises LabFailed."""
        verb, *rest = step
        if verb == "kubectl":
            config = self.folder / "kubernetes" / "admin.kubeconfig"
            program = shutil.which("kubectl") or "kubectl"
            line = [program, "--kubeconfig", str(config), "-n", self.namespace, *rest]
        else:
            line = [*_aiops(), "lab", verb, "--dir", str(self.folder), *rest]
        done = subprocess.run(line, capture_output=True, text=True, timeout=UP_S, check=False)
        if done.returncode != 0:
            raise LabFailed(f"{' '.join(step)}: {(done.stderr or done.stdout).strip()}")

    def ask(self, path: str, **query: str) -> Any:
        """What its aiops answers; raises LabFailed."""
        found = self.kept(path, **query)
        if found is None:
            raise LabFailed(f"aiops has no {path}")
        return found

    def kept(self, path: str, **query: str) -> Any:
        """The same; None of what it does not have."""
        try:
            answer = self.api.get(f"/api/v1/{path}", params=query)
            if answer.status_code == httpx.codes.NOT_FOUND:
                return None
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise LabFailed(f"aiops does not answer: {error}") from error
        return answer.json()

    def approve(self, approval: dict[str, Any]) -> None:
        """As a person does; raises LabFailed."""
        answer = self.api.post(
            f"/api/v1/approvals/{approval['id']}",
            json={"decision": "approve", "action_hash": approval["action_hash"]},
        )
        if answer.status_code != 200:
            raise LabFailed(f"approval {approval['id']}: {answer.text[:300]}")

    def served_well(self) -> bool:
        """Whether users are served as promised: under 5 % fail, nine in ten within 250 ms."""
        own = f'service="{self.entry}"'
        failed = f'sum(rate({_COUNT}{{{own},status_code=~"5.."}}[5s]))'
        every = f"sum(rate({_COUNT}{{{own}}}[5s]))"
        buckets = f"sum by (le) (rate(request_duration_seconds_bucket{{{own}}}[5s]))"
        share = self._number(f"({failed} or vector(0)) / {every}")
        slow = self._number(f"histogram_quantile(0.9, {buckets})")
        return share is not None and share < 0.05 and (slow is None or slow < 0.25)

    def _number(self, query: str) -> float | None:
        try:
            found = self.prometheus.get("/api/v1/query", params={"query": query}).json()
        except (httpx.HTTPError, ValueError):
            return None
        values = [float(one["value"][1]) for one in found.get("data", {}).get("result", ())]
        return values[0] if values and values[0] == values[0] else None


@contextmanager
def up(folder: Path) -> Iterator[Shop]:
    """A lab in ``folder``, with Prometheus, Alertmanager and aiops; ended afterwards.

    Raises:
        LabFailed: it does not come up.
        InvalidInput: kubectl is not on the PATH.
    """
    if shutil.which("kubectl") is None:
        raise InvalidInput("kubectl is not on the PATH; some ways to break the lab need it")
    line = [*_aiops(), "lab", "up", "--with-monitoring", "--dir", str(folder)]
    log = folder.with_suffix(".log")
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        state = _until(lambda: _state(folder, process, log), "the lab", log)
        urls = {one["name"]: one["url"] for one in state["programs"]}
        with (
            httpx.Client(base_url=urls["aiops"], trust_env=False, timeout=60) as api,
            httpx.Client(base_url=urls["prometheus"], trust_env=False, timeout=10) as prometheus,
        ):
            # The first service of a lab is the one that users call.
            entry = state["services"][0]["name"]
            yield Shop(folder, api, prometheus, entry, state["topology"])
    finally:
        process.terminate()
        try:
            process.wait(UP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _state(folder: Path, process: "subprocess.Popen[bytes]", log: Path) -> Any:
    """What the lab says of itself once all is ready; None before."""
    if process.poll() is not None:
        raise LabFailed(f"the lab ended: {log.read_text(encoding='utf-8')[-500:]}")
    try:
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    programs = state.get("programs") or []
    return state if state["ready"] and programs and all(one["up"] for one in programs) else None


def _until(seen: Callable[[], T | None], what: str, log: Path) -> T:
    end = time.monotonic() + UP_S
    while time.monotonic() < end:
        found = seen()
        if found is not None:
            return found
        time.sleep(0.2)
    raise LabFailed(f"{what} is not ready after {UP_S:g} s; see {log}")


def _aiops() -> tuple[str, ...]:
    return sys.executable, "-c", _MAIN
