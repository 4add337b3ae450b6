"""Connections through the lab's network, in good weather and bad, within one process."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from aiops_lab.net.proxy import Balancer, Table
from aiops_lab.net.weather import Link

PATIENCE_S = 60.0
"""How long a busy machine may take for what is a matter of a moment otherwise."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def proxied(*links: Link) -> AsyncIterator[tuple[Table, Balancer, int]]:
    """An echo behind a balancer: the table of weather, the balancer, the port to connect to."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionResetError):
            while data := await reader.read(1 << 16):
                writer.write(data)
        writer.close()

    loop = asyncio.get_running_loop()
    behind = await asyncio.start_server(echo, "127.0.0.1", 0)
    table = Table({"127.0.0.1": "caller"}, tuple(links))
    balancer = Balancer("echo", table, random.Random(1))  # noqa: S311 - the same each time
    balancer.targets = [("127.0.0.1", behind.sockets[0].getsockname()[1])]
    front = await loop.create_server(balancer.accept, "127.0.0.1", 0)
    try:
        yield table, balancer, front.sockets[0].getsockname()[1]
    finally:
        front.close()
        behind.close()
        for passage in list(table.open):
            passage.reset()
        await asyncio.sleep(0.01)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


@pytest.mark.anyio
async def test_bytes_arrive_whole_and_in_order_whatever_the_jitter_and_loss() -> None:
    sent = bytes(range(256)) * 40
    async with (
        proxied(Link(None, None, jitter_s=0.02, loss=0.02)) as (_, _, port),
        connected(port) as (reader, writer),
    ):
        for start in range(0, len(sent), 512):
            writer.write(sent[start : start + 512])
            await asyncio.sleep(0.001)
        assert await reader.readexactly(len(sent)) == sent


@pytest.mark.anyio
async def test_a_narrow_link_takes_as_long_as_its_bytes_need() -> None:
    async with (
        proxied(Link(None, "echo", bandwidth=20_000)) as (_, _, port),
        connected(port) as (reader, writer),
    ):
        began = time.monotonic()
        for _ in range(4):
            writer.write(bytes(500))
            await asyncio.sleep(0.001)
        await reader.readexactly(2_000)
        assert time.monotonic() - began >= 0.1  # 2,000 bytes at 20,000 a second


@pytest.mark.anyio
async def test_stalled_answers_come_when_the_weather_ends() -> None:
    async with (
        proxied(Link("caller", "echo", stall=True)) as (table, _, port),
        connected(port) as (reader, writer),
    ):
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(5), 0.1)
        table.change(())
        assert await asyncio.wait_for(reader.readexactly(5), PATIENCE_S) == b"hello"


@pytest.mark.anyio
async def test_a_connection_caught_in_a_partition_is_reset_when_it_ends() -> None:
    async with proxied() as (table, _, port), connected(port) as (reader, writer):
        writer.write(b"before")
        assert await reader.readexactly(6) == b"before"
        table.change((Link("caller", None, partition=True),))
        writer.write(b"lost")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(4), 0.1)
        table.change(())
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(4), PATIENCE_S)


@pytest.mark.anyio
async def test_a_caller_who_left_during_a_partition_leaves_nothing_behind() -> None:
    async with proxied() as (table, _, port):
        async with connected(port) as (reader, writer):
            writer.write(b"x")
            await reader.readexactly(1)
            table.change((Link(None, None, partition=True),))
        await asyncio.sleep(0.02)
        table.change(())
        async with asyncio.timeout(PATIENCE_S):
            while table.open:
                await asyncio.sleep(0.001)


@pytest.mark.anyio
async def test_weather_for_others_is_not_felt() -> None:
    async with (
        proxied(Link("somebody", "echo", partition=True)) as (_, _, port),
        connected(port) as (reader, writer),
    ):
        writer.write(b"hello")
        assert await asyncio.wait_for(reader.readexactly(5), PATIENCE_S) == b"hello"


@pytest.mark.anyio
async def test_with_nothing_ready_a_connection_is_reset() -> None:
    async with proxied() as (_, balancer, port):
        balancer.targets = []
        async with connected(port) as (reader, _):
            with pytest.raises(ConnectionResetError):
                await reader.read(5)


@pytest.mark.anyio
async def test_a_share_of_requests_on_an_open_connection_ends_in_a_reset() -> None:
    async with proxied() as (table, _, port), connected(port) as (reader, writer):
        writer.write(b"before")
        assert await reader.readexactly(6) == b"before"
        table.change((Link("caller", "echo", reset=0.3),))
        assert 0 < await served_until_reset(reader, writer) < 100


async def served_until_reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    served = 0
    with suppress(ConnectionResetError):
        while True:
            writer.write(b"during")
            await reader.readexactly(6)
            served += 1
    return served
