"""How a batch travels through Faust: as the value of one message, which no schema decodes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from faust.serializers.schemas import Schema
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from streams.batch import Batch
from streams.transport.positions import Delivery


class BatchMessage(ConsumerMessage):
    """The message whose value is a batch; its offset is the last one that the batch covers.

    `acked` is a property of the delivery, so that both of Faust's ways to acknowledge (Message.ack and its copy inside
    the compiled stream iterator) reach the commit rule. One of an earlier generation reaches a delivery nobody counts.
    """

    __slots__ = ("delivery",)

    def __init__(self, tp: TP, batch: Batch, delivery: Delivery, generation_id: int) -> None:
        self.delivery = delivery
        super().__init__(
            topic=tp.topic,
            partition=tp.partition,
            offset=batch.next_offset - 1,
            timestamp=(batch.timestamps_ms[-1] if batch.timestamps_ms else 0) / 1000,
            timestamp_type=0,
            headers=None,
            key=None,
            value=cast("Any", batch),  # Faust says bytes; only our schema reads it
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            tp=tp,
            generation_id=generation_id,
        )

    @property
    def acked(self) -> bool:
        return self.delivery.done

    @acked.setter
    def acked(self, done: bool) -> None:
        self.delivery.done = done


class BatchSchema(Schema[Any, Any]):
    """Hands the batch on as the event's value."""

    def compile(self, app: Any, **_options: Any) -> Callable[..., Awaitable[Any]]:
        create_event = app.create_event

        async def decode(message: BatchMessage, **_options: Any) -> Any:
            return create_event(None, message.value, None, message)

        return decode
