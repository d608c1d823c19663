"""Characters put right: NFC, line ends, spaces, and what has no business in a text. Quote marks stay as they are."""

import html
import re
import unicodedata

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LINE_END = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
# Soft hyphen, zero-width characters, word joiner, byte order mark, bidirectional marks, invisible operators,
# interlinear annotation. The zero-width joiner has its own rule below.
_INVISIBLE = re.compile(
    r"[\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)
_EMOJI = r"\u00a9\u00ae\u2190-\u2bff\u3030\u303d\ufe0f\U0001f000-\U0001faff"
_LONE_JOINER = re.compile(rf"(?<![{_EMOJI}])\u200d|\u200d(?![{_EMOJI}])")
_NO_LETTERS = re.compile(r"[^\w\x00-\x7f]{31,}")
_MARKS_ON_A_LETTER = 30
"""As in Unicode's Stream-Safe Text Format (UAX #15): normalisation takes quadratic time over a longer run of marks."""
_SPACES = re.compile(r"[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_NEWLINES = re.compile(r" ?\n[ \n]*")


def clean(text: str) -> tuple[str, bool]:
    """Return the cleaned text and whether control characters were taken out of it.

    Lines are paragraphs: single line feeds between them, none blank, no space at either end. The text is in NFC.
    """
    if "&" in text:
        text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    text = _LINE_END.sub("\n", text)
    text, controls = _CONTROL.subn("", text)
    text = _INVISIBLE.sub("", text)
    if "\u200d" in text:
        text = _LONE_JOINER.sub("", text)
    text = _NO_LETTERS.sub(_with_few_marks, text)
    text = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    text = _NEWLINES.sub("\n", text).strip(" \n")
    return text, controls > 0


def _with_few_marks(found: re.Match[str]) -> str:
    """Return a stretch without letters, its runs of combining marks cut to 30."""
    kept: list[str] = []
    marks = 0
    for character in found[0]:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MARKS_ON_A_LETTER:
            kept.append(character)
    return "".join(kept)


def clean_line(text: str) -> tuple[str, bool]:
    """Return `clean(text)` on a single line, for titles and names."""
    text, controls = clean(text)
    return text.replace("\n", " "), controls
