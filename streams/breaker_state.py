"""The breakers of the line, closed again by a person who has looked."""

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from streams import kafka, topics
from streams.delivery.partition import transactional_id
from streams.line import newsflow_line
from streams.settings import Settings


async def close(settings: Settings) -> int:
    """Forget what the stages' latest outcomes were, offsets as they are; return how many partitions had any.

    Raises:
        BrokerUnavailable: no broker answers.
        TopicsMissing: the line's topics do not exist.
    """
    line = newsflow_line(settings)
    states = await topics.check(settings, line)
    closed = 0
    async with kafka.admin(settings) as admin:
        for stage in line.stages:
            state = states[line.reads(stage)]
            for number in range(state.partitions):
                partition = TopicPartition(state.name, number)
                # Like a worker that takes the partition over: whoever has it open is fenced, then the offset is final.
                async with kafka.producer(settings, transactional_id(settings, partition)) as producer:
                    committed = (await kafka.committed(admin, settings.app_id, [partition]))[partition]
                    if committed.offset < 0 or not committed.metadata:
                        continue
                    async with producer.transaction():
                        await producer.send_offsets_to_transaction(
                            {partition: OffsetAndMetadata(committed.offset, "")}, settings.app_id
                        )
                    closed += 1
    return closed
