"""What faults tell a process and the network to do: it adds up, and it can be taken back."""

import asyncio
import resource
from collections.abc import Callable
from pathlib import Path

from aiops_lab.net.weather import Ends, Link, between
from aiops_lab.pods.store import Volume
from aiops_lab.pods.strain import Strain
from aiops_lab.pods.wall import Wall
from aiops_lab.topology.model import Behaviour


def test_two_departures_add_up_and_neither_order_matters() -> None:
    one = Behaviour(work_factor=2.0, error_rate=0.5, exit_after_s=9.0, cpu_share=0.5)
    other = Behaviour(work_factor=3.0, error_rate=0.5, exit_after_s=4.0, unhealthy=True)
    both = one.beside(other)
    assert both == other.beside(one)
    assert (both.work_factor, both.error_rate, both.exit_after_s) == (6.0, 0.75, 4.0)
    assert both.unhealthy
    assert both.cpu_share == 0.5
    assert one.beside(Behaviour()) == one


def test_two_rules_for_one_call_hold_together() -> None:
    links = (Link("a", "b", delay_s=0.1, bandwidth=10), Link(None, "b", loss=0.5, delay_s=0.2))
    met = between(links, Ends("a", "b"))
    assert met is not None
    assert (round(met.delay_s, 6), met.loss, met.bandwidth) == (0.3, 0.5, 10)
    assert between(links, Ends("c", "b")) == links[1]


def test_ballast_fills_a_volume_to_the_last_byte_and_goes_again(tmp_path: Path) -> None:
    volume = Volume(tmp_path, 1000)
    volume.append("journal", bytes(100))
    for _ in range(5):
        volume.add_ballast(300)
    assert volume.used() == 1000
    volume.drop_ballast()
    assert volume.used() == 100


def test_a_process_that_stops_filling_gives_the_room_back(tmp_path: Path) -> None:
    volume = Volume(tmp_path, 1000)
    strain = Strain(Behaviour(error_rate=0.5), volume, None, Wall())
    volume.add_ballast(500)
    strain.become(Behaviour(fill_bytes_s=10))
    assert volume.used() == 500
    strain.become(Behaviour())
    assert volume.used() == 0


def test_a_process_that_stops_holding_memory_gives_it_back_to_the_system(tmp_path: Path) -> None:
    strain = Strain(Behaviour(), Volume(tmp_path, 1000), None, Wall())

    async def held_and_let_go() -> tuple[int, int]:
        running = asyncio.create_task(strain.run())
        before = resident()
        strain.become(Behaviour(ballast_bytes=64 << 20, leak_bytes_s=8 << 20))
        await until(lambda: resident() > before + (60 << 20))
        peak = resident()
        strain.become(Behaviour())
        after = resident()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return peak, after

    peak, after = asyncio.run(held_and_let_go())
    assert after < peak - (56 << 20)


def resident() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


async def until(seen: Callable[[], bool], within_s: float = 60.0) -> None:
    async with asyncio.timeout(within_s):
        while not seen():
            await asyncio.sleep(0.02)
