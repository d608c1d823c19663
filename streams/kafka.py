"""How Newsflow's own Kafka clients are made: one place for addresses, credentials and TLS."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from streams.errors import BrokerUnavailable, SettingsError
from streams.settings import Settings

SHORTEST_PATIENCE = 40.0
"""Seconds that a request to a broker may take at least; aiokafka's own default."""
LONGEST_TRANSACTION = 900.0
"""Seconds that a broker lets a transaction be open at most (`transaction.max.timeout.ms`, Kafka's default)."""

FETCHED_BYTES = {"fetch_max_bytes": 4_194_304, "max_partition_fetch_bytes": 1_048_576}
"""How much a consumer fetches at once, of all partitions and of one: no more than comes over a slow link in time, and
than memory has room for. A record that is larger comes all the same, by itself."""

CLOSED_WITHIN = 10.0
"""Seconds that a client may take to close: a producer with records in hand would wait for a lost broker for ever."""
BATCH_BYTES = 16_384
"""Largest batch of several records where nothing else is said."""
COMMITTED_WITHIN = 30.0
"""Seconds within which a group's coordinator must tell a committed offset."""


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Return the TLS context for the brokers; None where the protocol has no TLS.

    Raises:
        SettingsError: a certificate or key cannot be read.
    """
    if settings.security_protocol not in ("SSL", "SASL_SSL"):
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ssl_cafile)
        if settings.ssl_certfile:
            password = settings.ssl_password.get_secret_value() if settings.ssl_password else None
            context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile, password)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"TLS: {error}. Look at NEWSFLOW_SSL_CAFILE, NEWSFLOW_SSL_CERTFILE and NEWSFLOW_SSL_KEYFILE."
        ) from None
    return context


def connection(settings: Settings) -> dict[str, Any]:
    """Return the keyword arguments that every aiokafka client of ours takes.

    Raises:
        SettingsError: SASL without user or password, or TLS files that cannot be read.
    """
    arguments: dict[str, Any] = {
        "bootstrap_servers": settings.brokers,
        "security_protocol": settings.security_protocol,
        "ssl_context": tls_context(settings),
    }
    if settings.security_protocol.startswith("SASL"):
        if not settings.sasl_username or not settings.sasl_password:
            raise SettingsError(
                f"{settings.security_protocol} needs NEWSFLOW_SASL_USERNAME and NEWSFLOW_SASL_PASSWORD."
            )
        arguments |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_username,
            "sasl_plain_password": settings.sasl_password.get_secret_value(),
        }
    return arguments


def patience(settings: Settings) -> float:
    """Return how long a request to a broker may take, seconds: as long as the worker counts as live meanwhile.

    By default that is a minute: a record of 16 MiB takes 45 s over a link of 3 Mbit/s that nothing else uses.
    """
    return max(SHORTEST_PATIENCE, settings.live_timeout)


def fetching(settings: Settings) -> dict[str, Any]:
    """Return a consumer's arguments about fetches."""
    return FETCHED_BYTES | {"request_timeout_ms": int(1000 * patience(settings))}


def unavailable(settings: Settings, error: BaseException | str) -> BrokerUnavailable:
    """Return the error that tells the user that no broker answers."""
    return BrokerUnavailable(
        f"No Kafka broker answers at {settings.brokers} ({settings.security_protocol}): {error}. "
        "Start one with `newsflow broker`, or point NEWSFLOW_BROKERS at yours."
    )


@asynccontextmanager
async def _started(settings: Settings, client: Any, close: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:  # noqa: ANN401  # aiokafka's clients share no type
    try:
        try:
            await client.start()
        except (KafkaError, OSError) as error:
            raise unavailable(settings, error) from None
        yield
    finally:
        with suppress(TimeoutError):
            await asyncio.wait_for(close(), CLOSED_WITHIN)


@asynccontextmanager
async def admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Yield a started admin client.

    Raises:
        BrokerUnavailable: no broker answers, or the one that was asked is just going.
    """
    client = AIOKafkaAdminClient(**connection(settings))
    async with _started(settings, client, client.close):
        try:
            yield client
        except KafkaError as error:
            raise unavailable(settings, error) from error


async def committed(
    client: AIOKafkaAdminClient, group: str, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, OffsetAndMetadata]:
    """Return a group's committed offsets with their metadata as the broker has them; offset -1 where there is none.

    A coordinator that is loading or moving answers with an error and no partitions, which aiokafka does not report: an
    answer without the partition is never "no offset", it is asked again.

    Raises:
        BrokerUnavailable: no coordinator gave an answer in time.
    """
    deadline = time.monotonic() + COMMITTED_WITHIN
    problem = "the coordinator is not ready"
    while time.monotonic() < deadline:
        try:
            offsets = await client.list_consumer_group_offsets(group, partitions=list(partitions))
        except KafkaError as error:
            problem = str(error)
        else:
            if all(partition in offsets for partition in partitions):
                return {partition: offsets[partition] for partition in partitions}
        await asyncio.sleep(0.1)
    raise BrokerUnavailable(
        f"The committed offsets of {', '.join(f'{p.topic}/{p.partition}' for p in partitions)} are not to be had: "
        f"{problem}"
    )


@asynccontextmanager
async def producer(
    settings: Settings, transactional_id: str | None = None, max_batch_bytes: int = BATCH_BYTES
) -> AsyncIterator[AIOKafkaProducer]:
    """Yield a started producer (idempotent, `acks=all`); with `transactional_id` a transactional one.

    Raises:
        BrokerUnavailable: no broker answers.
    """
    client = new_producer(settings, transactional_id, max_batch_bytes)
    async with _started(settings, client, client.stop):
        yield client


def new_producer(
    settings: Settings, transactional_id: str | None = None, max_batch_bytes: int = BATCH_BYTES
) -> AIOKafkaProducer:
    """Return a producer that is not started yet.

    `max_batch_bytes` bounds a batch of several records; Kafka compares a topic's `max.message.bytes` with batches.
    """
    return AIOKafkaProducer(
        **connection(settings),
        acks="all",
        enable_idempotence=True,
        max_batch_size=max_batch_bytes,
        transactional_id=transactional_id,
        request_timeout_ms=int(1000 * patience(settings)),
        # A dead worker's open transaction hides what lies behind it from read_committed readers until its successor
        # starts and aborts it; only without any successor it is for this long.
        transaction_timeout_ms=int(1000 * min(2 * patience(settings), LONGEST_TRANSACTION)),
        # The topics' own max.message.bytes is the limit that counts; this one must only not be in its way.
        max_request_size=2**30,
    )


@asynccontextmanager
async def consumer(settings: Settings, *topics: str, **arguments: Any) -> AsyncIterator[AIOKafkaConsumer]:  # noqa: ANN401  # aiokafka's own options
    """Yield a started read_committed consumer without automatic commits.

    Raises:
        BrokerUnavailable: no broker answers.
    """
    client = AIOKafkaConsumer(
        *topics,
        **connection(settings),
        **fetching(settings),
        isolation_level="read_committed",
        enable_auto_commit=False,
        **{"auto_offset_reset": "earliest"} | arguments,
    )
    async with _started(settings, client, client.stop):
        yield client
