"""What has to be finished is finished, also where whoever waits for it is told to stop."""

import asyncio

import pytest

from aiops.toolbelt.undisturbed import undisturbed


@pytest.mark.parametrize("times", [0, 1, 3])
def test_work_comes_to_its_end_however_often_its_caller_is_cancelled(times: int) -> None:
    done: list[str] = []

    async def run() -> bool:
        free = asyncio.Event()

        async def work() -> None:
            await free.wait()
            done.append("buried")

        caller = asyncio.create_task(undisturbed(work()))
        for _ in range(times):
            await asyncio.sleep(0)
            caller.cancel()
            await asyncio.sleep(0)
        assert not caller.done()
        free.set()
        await asyncio.gather(caller, return_exceptions=True)
        return caller.cancelled()

    assert asyncio.run(run()) is bool(times)
    assert done == ["buried"]


def test_it_gives_what_the_work_gives() -> None:
    async def seven() -> int:
        return 7

    async def broken() -> None:
        raise ValueError("as it is")

    assert asyncio.run(undisturbed(seven())) == 7
    with pytest.raises(ValueError, match="as it is"):
        asyncio.run(undisturbed(broken()))


def test_an_event_loop_that_ends_ends_the_work_too() -> None:
    async def run() -> None:
        forever = asyncio.create_task(undisturbed(asyncio.sleep(3600)))
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.gather(forever, return_exceptions=True)
        assert forever.cancelled()

    asyncio.run(run())
