"""The level-1 topics: a committed table of codes and names."""

import hashlib
from pathlib import Path

TABLE = Path(__file__).with_name("topics.tsv")
"""IPTC Media Topics, level 1 (© IPTC, CC BY 4.0; the attribution stands in the file)."""

TABLE_NAME = "iptc-media-topics-level-1"
"""The table's name in the provenance."""


def topic_names(table: bytes) -> dict[str, str]:
    """Return code to English name from the content of `TABLE`, in its order.

    Raises:
        ValueError: a line is not `code TAB name`.
    """
    names: dict[str, str] = {}
    for line in table.decode().splitlines():
        if not line.startswith("#"):
            code, name = line.split("\t")
            names[code] = name
    return names


def read_table() -> tuple[dict[str, str], str]:
    """Return the names by code and the table's SHA-256.

    Raises:
        OSError: the table cannot be read.
    """
    content = TABLE.read_bytes()
    return topic_names(content), hashlib.sha256(content).hexdigest()
