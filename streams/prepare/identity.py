"""Who an article is: its id and the hash of its text."""

import hashlib
import uuid

_TEXT_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:newsflow:article-text")


def article_id(given: str | None, url: str | None, text: str) -> str:
    """Return the given id, else a UUIDv5 of the URL, else of the cleaned text."""
    if given:
        return given
    return str(uuid.uuid5(uuid.NAMESPACE_URL, url) if url else uuid.uuid5(_TEXT_NAMESPACE, text))


def text_sha256(text: str) -> str:
    """Return the SHA-256 of the text in UTF-8, lower-case hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
