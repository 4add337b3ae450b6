"""Work apart takes no more than it may, leaves nothing behind, and knows nothing of the service."""

import asyncio
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from aiops.errors import ToolFailed
from aiops.toolbelt.apart import EXIT_KILLED, Killed, Limits, Ran, call, run

LIMITS = Limits(memory_bytes=200 * 2**20, cpu_s=20, wall_s=60, output_bytes=1_000_000, processes=16)


def python(code: str, limits: Limits = LIMITS, **more: bytes) -> Ran:
    return asyncio.run(run([sys.executable, "-c", code], limits, **more))  # type: ignore[arg-type]


def eventually(condition: Callable[[], bool], within_s: float = 60) -> bool:
    end = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def running(mark: str) -> bool:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in file.read_bytes() and "Z" not in file.with_name("stat").read_text():
                return True
        except OSError:
            continue
    return False


def test_a_command_is_fed_and_read() -> None:
    ran = python("import sys; print(sys.stdin.read().upper()); sys.exit(3)", stdin=b"abc")
    assert (ran.code, ran.stdout) == (3, b"ABC\n")


def test_a_function_answers_from_another_process() -> None:
    assert asyncio.run(call(math.factorial, 20, limits=LIMITS)) == math.factorial(20)


def test_a_function_that_raises_says_what() -> None:
    with pytest.raises(ToolFailed, match="not defined for negative") as failed:
        asyncio.run(call(math.factorial, -1, limits=LIMITS))
    assert failed.value.kind == "failed"


@pytest.mark.parametrize(
    "hog",
    ["a = bytearray(10**10)",
     "a = []\nwhile True: a.append(bytearray(10**6))",
     "import os, time\nos.fork(); os.fork()\na = b'x' * (90 * 2**20); time.sleep(120)"],
    ids=["at once", "little by little", "in many processes"],
)  # fmt: skip
def test_a_memory_hog_is_killed_and_the_memory_is_named(hog: str) -> None:
    with pytest.raises(Killed) as killed:
        python(hog)
    assert (killed.value.kind, killed.value.bound) == ("killed", "memory")
    assert killed.value.exit_code == EXIT_KILLED == 137
    assert "200 MiB" in str(killed.value)


def test_an_endless_loop_is_killed_for_its_processor_time() -> None:
    with pytest.raises(Killed) as killed:
        python("while True: pass", replace(LIMITS, cpu_s=1))
    assert killed.value.bound == "cpu"


def test_an_endless_sleep_is_killed_when_its_time_is_over() -> None:
    with pytest.raises(Killed) as killed:
        python("import time; time.sleep(3600)", replace(LIMITS, wall_s=1))
    assert killed.value.bound == "wall"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_endless_output_is_cut_off(stream: str) -> None:
    with pytest.raises(Killed) as killed:
        python(f"import sys\nwhile True: sys.{stream}.write('x' * 10000)")
    assert killed.value.bound == "output"


def test_a_fork_bomb_stays_small_and_leaves_nothing() -> None:
    mark = f"fork-bomb-{os.getpid()}"
    code = (  # five hundred are enough to see it; none of them goes on by itself
        f"import os, time  # {mark}\n"
        "made = 0\n"
        "try:\n"
        "    while made < 500:\n"
        "        if os.fork() == 0: time.sleep(600)\n"
        "        made += 1\n"
        "except OSError: pass\n"
        "time.sleep(600 if made > 16 else 0)\n"
        "os._exit(0)\n"
    )
    with pytest.raises(Killed) as killed:  # by the kernel's limit its children keep the pipe open
        python(code, replace(LIMITS, wall_s=15, memory_bytes=2**33))
    assert killed.value.bound in {"processes", "wall"}
    assert eventually(lambda: not running(mark))


def test_nothing_of_the_services_environment_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "hunter2")
    ran = python("import os; print(sorted(os.environ))")
    assert b"DB_PASSWORD" not in ran.stdout
    assert b"PATH" in ran.stdout


def test_cancelling_ends_the_process_too() -> None:
    mark = f"cancelled-{os.getpid()}"

    async def cancelled() -> None:
        command = [sys.executable, "-c", f"import time; time.sleep(3600)  # {mark}"]
        task = asyncio.create_task(run(command, LIMITS))
        while not running(mark):
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancelled())
    assert eventually(lambda: not running(mark))


def test_it_does_not_outlive_the_service() -> None:
    mark = f"orphan-{os.getpid()}"
    service = (
        "import asyncio, sys\n"
        "from aiops.toolbelt.apart import Limits, run\n"
        f"command = [sys.executable, '-c', 'import time; time.sleep(3600)  # {mark}']\n"
        "asyncio.run(run(command, Limits(wall_s=3600)))\n"
    )
    import subprocess

    process = subprocess.Popen([sys.executable, "-c", service])
    try:
        assert eventually(lambda: running(f"time.sleep(3600)  # {mark}"))
    finally:
        process.kill()
        process.wait()
    assert eventually(lambda: not running(mark))


def test_a_command_that_is_not_there_says_so() -> None:
    ran = asyncio.run(run(["no-such-command"], LIMITS))
    assert ran.code != 0
    assert b"No such file" in ran.stderr
