"""Raw articles onto `articles.raw`: idempotent, in the order given."""

import asyncio
from collections.abc import Callable, Sequence

from aiokafka.errors import MessageSizeTooLargeError

from schemas.headers import RAW
from streams import kafka
from streams.article_files import ArticleFile
from streams.errors import InputError
from streams.settings import Settings

IN_FLIGHT = 200
"""Records that are sent before the first of them must be acknowledged."""


async def publish(
    settings: Settings,
    articles: Sequence[ArticleFile],
    done: Callable[[int], None] = lambda _: None,
    headers: Callable[[int], list[tuple[str, bytes]]] = lambda _: [],
) -> None:
    """Append the articles to `articles.raw`; `done` hears how many more are acknowledged.

    `headers` gives extra headers for the article at an index.

    Raises:
        BrokerUnavailable: no broker answers.
        InputError: an article is larger than the topic takes.
    """
    async with kafka.producer(settings) as producer:
        for first in range(0, len(articles), IN_FLIGHT):
            part = articles[first : first + IN_FLIGHT]
            futures = []
            for index, article in enumerate(part, start=first):
                content_type = article.raw.content_type
                stated = [("content-type", content_type.encode())] if content_type else []
                futures.append(
                    await producer.send(
                        settings.topic(RAW), article.raw.value, article.key(), headers=[*stated, *headers(index)]
                    )
                )
            for article, future in zip(part, futures, strict=True):
                try:
                    await asyncio.wait_for(future, 60)
                except MessageSizeTooLargeError:
                    raise InputError(
                        f"{article.place}: {len(article.raw.value)} bytes are more than {settings.topic(RAW)} takes "
                        "(max.message.bytes). Articles before it were published."
                    ) from None
            done(len(part))
