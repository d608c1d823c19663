"""Raw articles in files: what `publish`, `enrich`, `demo` and `bench` take on the command line.

`.txt`, `.html` (`.htm`) and `.json` hold one article each, `.jsonl` one a line. `-` is standard input: one JSON
article, one a line where it begins with `{` but is not a single one, else one plain text. Bodies are passed on byte for
byte, broken ones too: it is the line's business to say what is wrong with them.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from streams.errors import InputError
from streams.stage import RawArticle

CONTENT_TYPES = {
    ".txt": "text/plain",
    ".html": "text/html",
    ".htm": "text/html",
    ".json": "application/json",
    ".jsonl": "application/json",
}
"""Media type by the ending of a file's name. None names a character set: files do not tell theirs."""


@dataclass(frozen=True, slots=True)
class ArticleFile:
    """One raw article and where it stands, e.g. `wire.jsonl:3`."""

    place: str
    raw: RawArticle

    def key(self) -> bytes | None:
        """Return the key for `articles.raw`: the id or URL that a JSON article gives: its versions stay in order."""
        if self.raw.content_type != "application/json":
            return None
        try:
            body = json.loads(self.raw.value)
        except (ValueError, RecursionError):
            return None
        if not isinstance(body, dict):
            return None
        for field in ("id", "url"):
            value = body.get(field)
            if isinstance(value, str) and value.strip():
                return value.strip().encode("utf-8", "replace")
            if isinstance(value, int) and not isinstance(value, bool):
                return str(value).encode()
        return None


def read(paths: Iterable[str]) -> list[ArticleFile]:
    """Return the articles of all files, in order.

    Raises:
        InputError: a file does not exist, cannot be read, or has an ending that says nothing about its content.
    """
    return [article for path in paths for article in _read_one(path)]


def _read_one(path: str) -> Iterator[ArticleFile]:
    if path == "-":
        body = sys.stdin.buffer.read()
        if not body.lstrip().startswith(b"{"):
            yield ArticleFile("-", RawArticle(body, "text/plain"))
        elif _is_json(body):
            yield ArticleFile("-", RawArticle(body, "application/json"))
        else:
            yield from _lines("-", body)
        return
    file = Path(path)
    content_type = CONTENT_TYPES.get(file.suffix.lower())
    if content_type is None:
        raise InputError(f"{path}: cannot tell what this file holds; name it {', '.join(CONTENT_TYPES)}.")
    try:
        body = file.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}.") from None
    if file.suffix.lower() == ".jsonl":
        yield from _lines(path, body)
    else:
        yield ArticleFile(path, RawArticle(body, content_type))


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _lines(path: str, body: bytes) -> Iterator[ArticleFile]:
    for number, line in enumerate(body.split(b"\n"), start=1):
        if line.strip():
            yield ArticleFile(f"{path}:{number}", RawArticle(line.rstrip(b"\r"), "application/json"))
