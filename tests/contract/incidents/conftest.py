"""Every inbox and incident repository; a new adapter joins by one more param."""

from collections.abc import Callable

import pytest
from kept_incidents import NOON
from sqlalchemy import Engine

from aiops.events.in_process import InProcessEvents
from aiops.ports.events import EventBus
from aiops.ports.incidents import AlertInbox, IncidentRepo
from aiops.store.clock import ManualClock
from aiops.store.inbox import MemoryInbox
from aiops.store.incidents import MemoryIncidents
from aiops.store.sql.events import SqlEvents
from aiops.store.sql.inbox import SqlInbox
from aiops.store.sql.incidents import SqlIncidents

Stores = tuple[AlertInbox, IncidentRepo, EventBus]


def memory() -> Stores:
    inbox, bus = MemoryInbox(), InProcessEvents(ManualClock(NOON))
    return inbox, MemoryIncidents(inbox, bus), bus


def sql(engine: Engine) -> Stores:
    bus = SqlEvents(engine, ManualClock(NOON))
    return SqlInbox(engine), SqlIncidents(engine, ManualClock(NOON), bus), bus


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def stores(request: pytest.FixtureRequest, engine_on: Callable[[str], Engine]) -> Stores:
    """An empty inbox, an empty repository that takes from it, and the bus that it tells."""
    return memory() if request.param == "memory" else sql(engine_on(request.param))


@pytest.fixture
def inbox(stores: Stores) -> AlertInbox:
    return stores[0]


@pytest.fixture
def repo(stores: Stores) -> IncidentRepo:
    return stores[1]


@pytest.fixture
def bus(stores: Stores) -> EventBus:
    return stores[2]
