"""Ask a broker whether it serves: a request of Kafka's protocol, as an open port says nothing yet."""

import socket
import struct

_METADATA = 3
_VERSION = 1  # of the request; every Kafka since 0.10 answers it
_CORRELATION = 0x6E66
_NULL_CLIENT = -1


def serves(host: str, port: int, timeout: float = 2.0) -> bool:
    """Return whether the broker answers a Metadata request and names at least one live broker.

    Args:
        host: name or address.
        port: TCP port.
        timeout: seconds for connecting and for each wait on the answer.
    """
    # No topics asked for (an empty array): only the brokers and the controller come back.
    body = struct.pack(">hhihi", _METADATA, _VERSION, _CORRELATION, _NULL_CLIENT, 0)
    try:
        with socket.create_connection((host, port), timeout=timeout) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            (size,) = struct.unpack(">i", _exactly(connection, 4))
            if not 8 <= size <= 65_536:
                return False  # not Kafka
            correlation, brokers = struct.unpack_from(">ii", _exactly(connection, size))
            return bool(correlation == _CORRELATION and brokers >= 1)
    except OSError:
        return False


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("closed in the middle of an answer")
        data += part
    return data
