"""Characters put right: NFC, line ends, spaces, and what has no business in a text. Quote marks stay as they are."""

import html
import re
import unicodedata

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ROUNDS = 3
"""A feed that escapes what was escaped writes `&amp;quot;`."""
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
_CYRILLIC = "\u0400-\u04ff"
_LOOK_ALIKE = str.maketrans(
    "aceopxyijABCEHIKMOPTXYJáàéèóòýëïÁÉÓÝËÏ",
    "асеорхуіјАВСЕНІКМОРТХУЈааееооуёїАЕОУЁЇ",
)
_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff"
_MIXED_WORD = re.compile(
    rf"(?<![{_LATIN}{_CYRILLIC}])(?:[{_LATIN}]++[{_CYRILLIC}]|[{_CYRILLIC}]++[{_LATIN}])[{_LATIN}{_CYRILLIC}]*+"
)
_LATIN_RUN = re.compile(rf"[{_LATIN}]+")
_ABBREVIATION_WITH_ENDING = re.compile(rf"[A-Z]{{2,}}[а-яёіїєґў]|[{_LATIN}]{{3,}}[{_CYRILLIC}]{{1,3}}\Z")
"""In "HBOшный" and "Macом" the Latin letters are meant."""
_ONLY_CYRILLIC = re.compile(r"[БГДЁЖЗИЙЛПУФЦЧШЩЪЫЬЭЮЯЄҐЎЇбвгджзийклмнптфцчшщъыьэюяєґўї]")
_STRESS = re.compile(rf"(?<=[{_CYRILLIC}])\u0301+")
_SPACES = re.compile(r"[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_NEWLINES = re.compile(r" ?\n[ \n]*")


def clean(text: str) -> tuple[str, bool]:
    """Return the cleaned text and whether control characters were taken out of it.

    Lines are paragraphs: single line feeds between them, none blank, no space at either end. The text is in NFC.
    """
    for _ in range(_ROUNDS):
        if "&" not in text:
            break
        text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    text = _LINE_END.sub("\n", text)
    text, controls = _CONTROL.subn("", text)
    text = _INVISIBLE.sub("", text)
    if "\u200d" in text:
        text = _LONE_JOINER.sub("", text)
    text = _NO_LETTERS.sub(_with_few_marks, text)
    text = unicodedata.normalize("NFC", text)
    if "\u0301" in text:
        # After NFC, which keeps ѓ and ќ: what is left are marks of stress, which no dictionary of names knows.
        text = unicodedata.normalize("NFC", _STRESS.sub("", text))
    text = _MIXED_WORD.sub(_in_one_script, text)
    text = _SPACES.sub(" ", text)
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


def _in_one_script(found: re.Match[str]) -> str:
    """Return a word of Cyrillic letters and Latin ones that look like them in Cyrillic; any other as it is."""
    word = found[0]
    latin = "".join(_LATIN_RUN.findall(word))
    written = word.translate(_LOOK_ALIKE)
    if _LATIN_RUN.search(written) or _ABBREVIATION_WITH_ENDING.match(word):
        return word
    is_cyrillic = 2 * len(latin) < len(word) or _ONLY_CYRILLIC.search(word)
    return written if is_cyrillic else word


def clean_line(text: str) -> tuple[str, bool]:
    """Return `clean(text)` on a single line, for titles and names."""
    text, controls = clean(text)
    return text.replace("\n", " "), controls
