"""Which port a worker's health endpoints get, where several workers run on one machine."""

import errno
import socket

from streams.errors import PortTaken
from streams.settings import Settings

ATTEMPTS = 100
"""How many ports above the default one are tried."""

_reserved: list[socket.socket] = []


def choose(settings: Settings, number: int) -> int:
    """Return the port for worker process `number` (from 0); 0 where there shall be none.

    A port that was asked for is taken or refused; the default one gives way to the next free one, so that any number of
    workers can be started on one machine without a thought.

    Raises:
        PortTaken: NEWSFLOW_WEB_PORT is set and the port belongs to another process.
    """
    if settings.web_port == 0:
        return 0
    asked = "web_port" in settings.model_fields_set
    first = settings.web_port + number
    for port in range(first, first + (1 if asked else ATTEMPTS)):
        if port <= 65535 and _reserve(settings.web_host, port):
            return port
    raise PortTaken(
        f"Port {first} for the health endpoints is taken on {settings.web_host}. "
        "Set NEWSFLOW_WEB_PORT to a free one, or to 0 for none."
    )


def _reserve(host: str, port: int) -> bool:
    """Return whether the port is free, and keep other workers from choosing it before the web server has it."""
    # A name in Linux' abstract namespace belongs to one process and is gone with it.
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0newsflow-web-{port}")
    except OSError:
        claim.close()
        return False
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            claim.close()
            if error.errno == errno.EADDRINUSE:
                return False
            raise PortTaken(f"The health endpoints cannot listen on {host}:{port}: {error.strerror}.") from None
    _reserved.append(claim)
    return True
