"""Many tasks over a process pool that survives the death of its workers.

Knows nothing about cases. Workers are spawned, so no lock or thread of the parent is copied, and
single-threaded, so that the times they measure are those of one core.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Done(Generic[Task, Result]):
    """A task that will not be looked at again.

    Attributes:
        results: what it returned; of its parts, where it had to be split.
        lost: the parts whose worker died even when they ran alone.
    """

    task: Task
    results: tuple[Result, ...]
    lost: tuple[Task, ...] = ()


def sweep(
    tasks: Iterable[Task],
    work: Callable[[Task], Result],
    *,
    jobs: int,
    split: Callable[[Task], Sequence[Task]],
) -> Iterator[Done[Task, Result]]:
    """Runs ``work`` on every task, ``jobs`` at a time, and yields each when it is done.

    When a worker dies, nobody can tell which of the tasks then running killed it. So each of those
    runs again alone; one that kills its worker again is split and its parts run alone, and what is
    then left is ``lost``. Every other task of the sweep is unharmed.

    Args:
        tasks: picklable; taken one by one, as workers become free.
        work: a module-level function. What it raises is raised here.
        split: the parts of a task, each a task; () or (task,) where it has none.
    """
    waiting = iter(tasks)
    while batch := list(islice(waiting, jobs)):
        survivors: list[Task] = []
        yield from _until_a_death(batch, waiting, work, jobs, survivors)
        for task in survivors:
            yield _alone(task, work, split)


def _until_a_death(
    batch: list[Task],
    waiting: Iterator[Task],
    work: Callable[[Task], Result],
    jobs: int,
    unfinished: list[Task],
) -> Iterator[Done[Task, Result]]:
    """One pool's life. What was running when a worker died is left in ``unfinished``."""
    with _pool(jobs) as pool:
        running: dict[Future[Result], Task] = {pool.submit(work, task): task for task in batch}
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                task = running.pop(future)
                try:
                    result = future.result()
                except BrokenProcessPool:
                    unfinished.append(task)
                    continue
                yield Done(task, (result,))
            if unfinished:
                continue  # the pool is broken: every other future ends the same way
            for task in islice(waiting, jobs - len(running)):
                try:
                    running[pool.submit(work, task)] = task
                except BrokenProcessPool:
                    unfinished.append(task)


def _alone(
    task: Task, work: Callable[[Task], Result], split: Callable[[Task], Sequence[Task]]
) -> Done[Task, Result]:
    try:
        return Done(task, (_in_own_process(task, work),))
    except BrokenProcessPool:
        parts = split(task)
    if len(parts) < 2:
        return Done(task, (), (task,))
    results, lost = [], []
    for part in parts:
        try:
            results.append(_in_own_process(part, work))
        except BrokenProcessPool:
            lost.append(part)
    return Done(task, tuple(results), tuple(lost))


def _in_own_process(task: Task, work: Callable[[Task], Result]) -> Result:
    with _pool(1) as pool:
        return pool.submit(work, task).result()


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """A pool that, left by an exception (Ctrl-C), ends its workers instead of waiting for them."""
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        jobs, multiprocessing.get_context("spawn"), initializer=_start_worker
    )
    left_early = True
    try:
        yield pool
        left_early = False
    finally:
        if left_early:
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    """Ctrl-C ends a worker without a traceback; numerical libraries keep to one core."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
