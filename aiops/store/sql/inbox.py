"""The inbox of alerts in the database. Many who put at once share one commit."""

from collections.abc import Sequence
from datetime import datetime
from threading import Event, Lock
from typing import Any

from sqlalchemy import Engine, func, insert, select

from aiops.errors import StoreUnavailable
from aiops.model.alert import Delivery, RefusedDelivery
from aiops.store.codec import Codec
from aiops.store.sql.columns import digest, insert_new
from aiops.store.sql.engine import reading, writing
from aiops.store.sql.operations_tables import DELIVERIES, REFUSED

DELIVERY = Codec(Delivery)
_REFUSED = Codec(RefusedDelivery)


class _Batch:
    """Deliveries that will be committed together, for all who wait for them."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.ended = Event()
        self.failure: StoreUnavailable | None = StoreUnavailable(
            "the deliveries that were to be kept with this one failed; send it again"
        )


class SqlInbox:
    """An AlertInbox; see ``ports.incidents``.

    The first to put after a batch was closed leads the next one: it waits for the batch before to
    be committed, and whoever comes in that time goes with it. So the rate follows the load, and a
    single delivery waits for nobody. What was put survives the end of any process; on SQLite a
    power cut may cost the last moment (see ``engine``: synchronous = NORMAL).
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._gathering = _Batch()
        self._gate = Lock()
        self._commits = Lock()

    def put(self, deliveries: Sequence[Delivery]) -> None:
        """Keep those with an unknown id, in their order; raises StoreUnavailable."""
        if not deliveries:
            return
        rows = [_row(each) for each in deliveries]
        with self._gate:
            batch, leads = self._gathering, not self._gathering.rows
            batch.rows += rows
        if leads:
            self._commit(batch)
        else:
            batch.ended.wait()
        if batch.failure is not None:
            raise StoreUnavailable(batch.failure.reason) from batch.failure

    def _commit(self, batch: _Batch) -> None:
        """Close the batch and keep it; the others learn how that went, however it went."""
        try:
            with self._commits:
                self._close(batch)
                with writing(self._engine) as connection:
                    connection.execute(
                        insert_new(DELIVERIES, connection.dialect, "key"), batch.rows
                    )
            batch.failure = None
        except StoreUnavailable as error:
            batch.failure = error
        finally:
            self._close(batch)
            batch.ended.set()

    def _close(self, batch: _Batch) -> None:
        with self._gate:
            if self._gathering is batch:
                self._gathering = _Batch()

    def refuse(self, delivery: RefusedDelivery) -> None:
        """Keep what could not be understood; raises StoreUnavailable."""
        with writing(self._engine) as connection:
            connection.execute(
                insert(REFUSED),
                {
                    "received_at": delivery.received_at,
                    "blob": delivery.body,
                    "body": _REFUSED.write(delivery),
                },
            )

    def refused(self, *, limit: int = 50) -> tuple[RefusedDelivery, ...]:
        """What could not be understood, newest first."""
        newest = select(REFUSED.c.body).order_by(REFUSED.c.number.desc()).limit(limit)
        with reading(self._engine) as connection:
            return tuple(_REFUSED.read(body) for body in connection.scalars(newest))

    def waiting(self) -> int:
        """How many wait."""
        count = select(func.count()).where(DELIVERIES.c.taken_at.is_(None))
        with reading(self._engine) as connection:
            return connection.scalar(count) or 0

    def oldest_waiting(self) -> datetime | None:
        """When the oldest was received."""
        waiting = select(DELIVERIES.c.received_at).where(DELIVERIES.c.taken_at.is_(None))
        with reading(self._engine) as connection:
            return connection.scalar(waiting.order_by(DELIVERIES.c.number).limit(1))


def _row(delivery: Delivery) -> dict[str, Any]:
    return {
        "key": digest(delivery.id),
        "received_at": delivery.received_at,
        "body": DELIVERY.write(delivery),
    }
