"""What a raw body is: JSON, HTML or plain text, by its `content-type` header, else by its first characters."""

import json
import re
from enum import Enum

_JSON_TYPE = re.compile(r"(?:application|text)/(?:json|[\w.+-]*\+json)")
_HTML_TYPES = {"text/html", "application/xhtml+xml"}
_CHARSET = re.compile(r"\s*charset\s*=\s*[\"']?([^\"';\s]+)", re.IGNORECASE)
_MARKUP_START = re.compile(
    r"\s*(?:<\?xml[^<>]*>\s*)?<(?:!doctype\b|!--|(?:html|head|body|article|main|section|header|nav|div|p|h[1-6]|span|table"
    r"|ul|ol|blockquote|figure|meta|title|script|style|br|center)(?:\s[^<>]*)?/?>|(?:p|div|body|html)\s)",
    re.IGNORECASE,
)
_TAG = re.compile(
    r"</?(?:p|div|br|article|section|span|a|b|i|em|strong|h[1-6]|ul|ol|li|blockquote|figure|img|table|tr|td)"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_SEVERAL_TAGS = 3
# What begins like this was meant to be JSON even where it breaks off or has a fault; "{Updated} …" and `["Zenit" won …`
# are sentences.
_OBJECT_START = re.compile(r"\{\s*(?:[\"}]|'[^']{1,100}'\s*:|\Z)")
_STRING = r'"(?:[^"\\]|\\.)*+'
_ARRAY_START = re.compile(
    r"\[(?:\s*\[)*+\s*(?:\Z|\{\s*[\"}]"
    rf"|{_STRING}(?:\Z|\"\s*(?:\Z|\]|,\s*(?:\Z|[\[{{\"\d-]))))|\[(?:\s*\[)+\s*\]",
    re.DOTALL,
)
_VALUE_START = '["-0123456789tfn'


class Kind(Enum):
    """Form of a raw body."""

    JSON = "json"
    HTML = "html"
    TEXT = "text"


def declared_kind(content_type: str | None) -> tuple[Kind | None, str | None]:
    """Return kind and charset as the `content-type` header has them; None for what it does not say."""
    if not content_type:
        return None, None
    media_type, *parameters = content_type.split(";")
    charset = next((found[1] for p in parameters if (found := _CHARSET.match(p))), None)
    media_type = media_type.strip().lower()
    if _JSON_TYPE.fullmatch(media_type):
        return Kind.JSON, charset
    if media_type in _HTML_TYPES:
        return Kind.HTML, charset
    return (Kind.TEXT if media_type == "text/plain" else None), charset


def sniffed_kind(text: str) -> Kind:
    """Return the kind that the text looks like."""
    start = text.lstrip()
    if _OBJECT_START.match(start) or _ARRAY_START.match(start) or _is_json(start):
        return Kind.JSON
    return Kind.HTML if looks_like_markup(text) else Kind.TEXT


def looks_like_markup(text: str) -> bool:
    """Return whether the text begins like HTML or has several HTML tags."""
    if "<" not in text:
        return False
    if _MARKUP_START.match(text):
        return True
    return sum(1 for _, _ in zip(_TAG.finditer(text), range(_SEVERAL_TAGS), strict=False)) == _SEVERAL_TAGS


def _is_json(start: str) -> bool:
    """Return whether the whole of it is a JSON array, string, number, boolean or null."""
    if start[:1] not in _VALUE_START or not start:
        return False
    try:
        json.loads(start, strict=False, parse_int=str)
    except (ValueError, RecursionError):
        return False
    return True
