"""From bytes to text: which character set a raw body is in, and whether it is text at all.

Order: the `content-type` header, a byte order mark, UTF-8, the page's own `<meta charset>`, detection. Nothing is
decoded "with errors ignored": a body that is text in no character set is refused rather than turned into mojibake.
"""

import codecs
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

from schemas import DeadLetterReason, Warning_
from streams.errors import ArticleRejected

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its first two bytes are UTF-16's mark
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What a header or a page may ask for. Python also knows "rot13", "unicode_escape", "idna" and the like, which turn
# bytes into something nobody wrote.
_ALLOWED = re.compile(
    r"utf-(?:8|8-sig|16|16-le|16-be|32|32-le|32-be)|ascii|koi8-[rut]|kz1048|ptcp154"
    r"|cp(?:125\d|437|737|775|85\d|86\d|87[45]|932|949|950|1125)|iso8859-\d+|mac-(?:cyrillic|roman|latin2)"
    r"|gb2312|gbk|gb18030|big5|shift_jis|euc_jp|euc_kr|iso2022_jp"
)
# As browsers do: pages that say Latin-1 or ASCII are in windows-1252.
_READ_AS = {"iso8859-1": "cp1252", "ascii": "cp1252"}
_DETECTED = ["cp1251", "koi8_r", "koi8_u", "cp866", "iso8859_5", "cp1252"]
_META_CHARSET = re.compile(
    rb"<meta[^<>]{0,200}?charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([A-Za-z0-9._:-]{1,40})", re.IGNORECASE
)
_META_WITHIN = 4096
_DETECT_WITHIN = 20_000
_LATIN_LETTER = re.compile(rb"[A-Za-z]")
_HIGH_WORD = re.compile(rb"[\x80-\xff]{3}")
_LATIN_PER_HIGH = 4

_BINARY = (
    b"\x89PNG",
    b"PK\x03\x04",
    b"GIF8",
    b"\xff\xd8\xff",
    b"%PDF-",
    b"\x1f\x8b",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x7fELF",
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_CONTROL_BYTE = re.compile(rb"[\x00-\x08\x0e-\x1f\xfe\xff]")
_C1 = re.compile(r"[\x80-\x84\x86-\x9f]")
_MAX_CONTROL_SHARE = 0.05
_FEW_CONTROLS = 2
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
_HIGH = re.compile(rb"[\x80-\xff]")
_SURE_UTF8 = 8
_REPAIR_RATIO = 20

_BOX_DRAWING = re.compile(r"[\u2500-\u259f]")
_ORDINARY = re.compile(r"[\w\s.,:;!?()\"'«»„“”‘’–—…№%/+-]")
_MIN_ORDINARY = 0.9
_LOWER_THEN_UPPER = re.compile(r"[а-яёіїєґўa-z][А-ЯЁІЇЄҐЎA-Z]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A body as text, without its byte order mark, and what was odd about its character set."""

    text: str
    warnings: tuple[Warning_, ...]


def decode(body: bytes, declared: str | None) -> Decoded:
    """Return the body as text.

    Args:
        body: the raw record.
        declared: the charset parameter of the `content-type` header, None where it has none.

    Raises:
        ArticleRejected: UNDECODABLE, the bytes are text in none of the character sets.
    """
    warnings: list[Warning_] = []
    if body.startswith(_BINARY):
        raise _undecodable("they begin like an image, an archive or a program")
    text = None
    if declared:
        text, reason = _as_declared(body, declared)
        if reason:
            warnings.append(Warning_(field="content-type", reason=reason, value=declared[:100]))
    if text is None:
        text = _by_mark(body)
    if text is None:
        # Before UTF-8: UTF-16 of Cyrillic or English text without its mark is valid UTF-8 full of control characters.
        text = _utf16_without_mark(body)
    if text is None:
        text = _strictly(body, "utf-8")
    if text is None and (damaged := _damaged_utf8(body)) is not None:
        text = damaged
        warnings.append(Warning_(field="body", reason="bytes_replaced", value=None))
    if text is None and (named := _META_CHARSET.search(body[:_META_WITHIN])):
        text, _ = _as_declared(body, named[1].decode("ascii"))
    if text is None:
        text = _detect(body)
    if text is None:
        raise _undecodable("no character set fits")
    controls = len(_CONTROL.findall(text))
    if controls > _FEW_CONTROLS and controls > _MAX_CONTROL_SHARE * len(text):
        raise _undecodable(f"{controls} of {len(text)} characters are control characters")
    return Decoded(text.removeprefix("\ufeff"), tuple(warnings))


def _undecodable(why: str) -> ArticleRejected:
    return ArticleRejected(DeadLetterReason.UNDECODABLE, f"The bytes are no text: {why}.")


def _as_declared(body: bytes, declared: str) -> tuple[str | None, str | None]:
    """Return the text, None where it does not decode; and the warning's reason, None where all is well."""
    try:
        name = codecs.lookup(declared).name if re.fullmatch(r"[A-Za-z0-9._:-]{1,40}", declared) else ""
    except LookupError:
        name = ""
    if not _ALLOWED.fullmatch(name):
        return None, "unknown_charset"
    name = _READ_AS.get(name, name)
    if (
        name.startswith(("utf-16", "utf-32"))
        and not _CONTROL_BYTE.search(body)
        and _strictly(body, "utf-8") is not None
    ):
        return None, "wrong_charset"  # half of the bytes of UTF-16 would be control characters
    if not name.startswith("utf"):
        # Eight and more flawless UTF-8 sequences and not one stray byte never happen by chance in another set.
        sure = (found := _MULTIBYTE.findall(body[:_DETECT_WITHIN])) and len(found) >= _SURE_UTF8
        if sure and _strictly(body, "utf-8") is not None:
            return None, "wrong_charset"
    text = _strictly(body, name)
    return (text, None) if text is not None else (None, "wrong_charset")


def _strictly(body: bytes, charset: str) -> str | None:
    try:
        return body.decode(charset)
    except (UnicodeDecodeError, ValueError):  # some codecs raise the plain ValueError
        return None


def _by_mark(body: bytes) -> str | None:
    for mark, charset in _BOMS:
        if body.startswith(mark) and (text := _strictly(body, charset)) is not None:
            return text
    return None


def _damaged_utf8(body: bytes) -> str | None:
    """Return UTF-8 with a few bad bytes as text (U+FFFD for them); None where it is not UTF-8 at all."""
    good = len(_MULTIBYTE.findall(body))
    if good < _REPAIR_RATIO:
        return None
    text = body.decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    return text if bad * _REPAIR_RATIO <= good else None


def _detect(body: bytes) -> str | None:
    if b"\x00" in body:
        return None
    high = _HIGH.search(body)
    begin = max(0, (high.start() if high else 0) - 200)
    sample = body[begin : begin + _DETECT_WITHIN]
    if _is_western(sample) and (text := _strictly(body, "cp1252")) is not None:
        return text
    names = [match.encoding for match in from_bytes(sample, cp_isolation=_DETECTED)]
    # charset-normalizer has nothing to say about a word or two; the order of the list is then the prior.
    candidates = [*names, *(n for n in _DETECTED if n not in names)]
    best: tuple[float, str] | None = None
    for rank, name in enumerate(candidates):
        decoded = _strictly(sample, name)
        if decoded is None:
            continue
        score = _plausibility(decoded) - 0.002 * rank
        if best is None or score > best[0]:
            best = (score, name)
    if best is None or best[0] < _MIN_ORDINARY:
        return None
    return _strictly(body, best[1])


def _is_western(sample: bytes) -> bool:
    """Return whether the bytes are Latin text with an accent or a typographic quote here and there.

    Text in Cyrillic has words of three letters and more, all of them outside ASCII.
    """
    high = len(_HIGH.findall(sample))
    return len(_LATIN_LETTER.findall(sample)) >= _LATIN_PER_HIGH * high and not _HIGH_WORD.search(sample)


def _plausibility(text: str) -> float:
    """Return the share of ordinary characters among those outside ASCII, less what real text never shows (<= 1)."""
    high = [c for c in text if c > "\x7f"]
    if not high:
        return 1.0
    joined = "".join(high)
    ordinary = len(_ORDINARY.findall(joined))
    odd = len(_C1.findall(text)) + len(_CONTROL.findall(text)) + len(_BOX_DRAWING.findall(joined))
    flips = len(_LOWER_THEN_UPPER.findall(text))
    rare = sum(c not in _COMMON for c in high)
    return (ordinary - odd - flips) / len(high) - 0.3 * rare / len(high)


# Letters and signs that make up nearly all text in the languages these character sets are used for.
_COMMON = frozenset(
    "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґўАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЭЮЯЁІЇЄҐЎ«»“”„‘’–—…№\u00a0àâçèéêëîïôùûüäößñáíóúÄÖÜÉ"
)


def _utf16_without_mark(body: bytes) -> str | None:
    """Return UTF-16 text without a byte order mark: every other byte is then one of few (the block's number)."""
    start = body[:_DETECT_WITHIN]
    if len(body) < 4 or len(body) % 2 or not (b"\x00" in start or b"\x04" in start):
        return None
    for charset, offset in (("utf-16-le", 1), ("utf-16-be", 0)):
        high = body[offset:_DETECT_WITHIN:2]
        if sum(high.count(block) for block in (0x00, 0x04, 0x20)) >= 0.95 * len(high) and (
            high.count(0x00) or high.count(0x04) == len(high)
        ):
            text = _strictly(body, charset)
            low = body[1 - offset : _DETECT_WITHIN : 2]
            if text is not None and low.count(0x00) <= 0.05 * len(low):
                return text
    return None
