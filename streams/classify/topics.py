"""The topics: a committed table of codes, parents and names."""

import hashlib
from pathlib import Path

TABLE = Path(__file__).with_name("topics.tsv")
"""IPTC Media Topics, levels 1 and 2 (© IPTC, CC BY 4.0; the attribution stands in the file)."""

TABLE_NAME = "iptc-media-topics-levels-1-and-2"
"""The table's name in the provenance."""


class TopicTable:
    """The table in memory: level 1 sorted by code, then level 2 sorted by code."""

    def __init__(self, content: bytes) -> None:
        """Read the content of `TABLE`.

        Raises:
            ValueError: a line is not `code TAB parent TAB name`, or a parent is none of level 1.
        """
        self.sha256 = hashlib.sha256(content).hexdigest()
        self.names: dict[str, str] = {}
        """Code to English name, both levels."""
        self.parents: dict[str, str] = {}
        """Code of level 2 to that of its parent."""
        for line in content.decode().splitlines():
            if line.startswith("#"):
                continue
            code, parent, name = line.split("\t")
            self.names[code] = name
            if parent:
                self.parents[code] = parent
        if not set(self.parents.values()) <= set(self.codes):
            raise ValueError(f"{TABLE.name}: a parent that is no topic of level 1")

    @property
    def codes(self) -> list[str]:
        """Codes of level 1, sorted."""
        return sorted(code for code in self.names if code not in self.parents)

    @property
    def child_codes(self) -> list[str]:
        """Codes of level 2, sorted by parent, then by code: the children of a topic stand together."""
        return sorted(self.parents, key=lambda code: (self.parents[code], code))


def read_table() -> TopicTable:
    """Return the committed table.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged.
    """
    return TopicTable(TABLE.read_bytes())
