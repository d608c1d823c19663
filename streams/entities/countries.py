"""What the line knows by name: countries, territories and world-wide bodies, with their ids, and how to match them.

`countries.tsv` is built by `build_countries.py`; the bodies are rows of `tables.py`. Matching is exact on case
forms that are generated from the tables: a wrong id is worse than none, so nothing here is fuzzy.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas import EntityName, EntityType, ModelReference
from streams.entities import weights
from streams.entities.names import Names
from streams.entities.spans import Span, without_overlap

LANGUAGES = ("en", "ru", "uk")
TABLE = Path(__file__).with_name("countries.tsv")

# Letters and marks that texts write either way. One character stays one character: offsets must not move.
_SAME = str.maketrans("ёЁ’ʼ`‐‑–—−\u00a0\u202f", "еЕ'''-----  ")
_START = re.compile(r"(?<!\w)[^\W\d_]\w*")
_AFTER_HYPHEN = re.compile(r"(?<=\w[-‐‑])")
# Before a single word these make another name of it: «Новая Гвинея», «Северная Ирландия», "New Mexico".
_ANOTHER = re.compile(
    r"(?:Нов|Северн|Южн|Западн|Восточн|Внутренн|Верхн|Нижн|Мал|Российск|Британск|Французск|Північн|Південн|Західн|Східн|"
    r"Внутрішн|Нижн|Британськ|Французьк)\w+ $|(?:New|North|Northern|South|Southern|West|Western|East|Eastern|"
    r"Upper|Lower|Inner|Outer|Saint|St\.|San|Little) $"
)
# What else a text must say before a name means the known one: Georgia is a state of the USA too, ICC a cricket council.
CUES = {
    ("en", "Georgia"): re.compile(
        r"Tbilisi|Georgians\b|Georgian (?:President|Prime Minister|parliament|government|Dream)|Ossetia|Abkhazia|"
        r"Batumi|Saakashvili|\bCaucasus"
    ),
    ("en", "ICC"): re.compile(r"\bHague\b|[Pp]rosecutor|\b[Ww]arrant|Criminal Court|\bwar crimes\b"),
    ("en", "ECB"): re.compile(r"\b[Ee]uros?\b|\b[Ee]urozone\b|Frankfurt|\brates\b|\bCentral Bank\b|\bcentral bank\b"),
    ("en", "IOC"): re.compile(r"\bOlympi"),
    ("en", "CIS"): re.compile(r"Commonwealth of Independent"),
    ("uk", "НДР"): re.compile(r"Німе|німе|Берлін|НІМЕ"),
}
# Mali's name is the plural of «малий»: at a word's place where only a name can stand, or in a text about Africa.
_MALI = re.compile(r"Бамако|[Аа]фрик|малійськ")
_PREPOSITION = re.compile(r"(?<!\w)(?:[УуВвЗз]|[Дд]о|[Пп]ро|[Іі]з|[Дд]ля|[Нн]а)[ \u00a0]$")
# A town: `PERU, Ind. (AP)`, "Poland, Maine".
_IN_A_STATE = re.compile(
    r",[ \u00a0](?:Ala|Ariz|Ark|Calif|Colo|Conn|Del|Fla|Ga|Ill|Ind|Kan|Ky|La|Md|Mass|Mich|Minn|Miss|Mo|Mont|Neb|Nev|"
    r"N\.H|N\.J|N\.M|N\.Y|N\.C|N\.D|Okla|Ore|Pa|R\.I|S\.C|S\.D|Tenn|Vt|Va|Wash|W\.Va|Wis|Wyo)\.|"
    r",[ \u00a0](?:Alabama|Arizona|Arkansas|California|"
    r"Colorado|Connecticut|Florida|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|"
    r"Massachusetts|Michigan|Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|New Hampshire|New York|New Mexico|"
    r"North Carolina|North Dakota|Ohio|Oklahoma|Oregon|Pennsylvania|South Carolina|South Dakota|Tennessee|Texas|Utah|"
    r"Vermont|Virginia|Wisconsin|Wyoming)\b"
)
_THING = {
    "guinea": "pigs?|fowls?|hens?",
    "panama": "hats?",
    "turkey": "burgers?|sandwich(?:es)?|breasts?|legs?|dinners?|trots?|meat|bacon",
    "brazil": "nuts?",
    "china": "cabinets?|shops?|dolls?|cups?|plates?",
    "poland": "Spring",
}
# "TRUST US", "tell US": the pronoun in capitals.
_PRONOUN = re.compile(r"(?<!\w)(?i:help|join|give|tell|about|contact|trust|follow|let)[ \u00a0]$")
_THINGS = {name: re.compile(rf"[ \u00a0-](?i:{words})\b") for name, words in _THING.items()}
# Ukrainian media write these without the capital on purpose.
_SMALL = {"uk": frozenset(["росія", "росії", "росію", "росією", "рф", "білорусь", "білорусі", "білоруссю"])}
_CAPITALISED_NEXT = re.compile(r" (?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class Known:
    """A row of the tables; `kind` is the table's own word for what it is, `position` latitude and longitude."""

    qid: str
    type: EntityType
    country: str | None
    name: EntityName
    kind: str = "country"
    position: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """A form in which a known name can stand in a text."""

    known: Known
    base: str
    certain: bool
    """Whether the form means this one wherever it stands with its capital letter."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row with its names: `certain` and `doubtful` are the nominatives by language."""

    known: Known
    certain: Mapping[str, tuple[str, ...]]
    doubtful: Mapping[str, tuple[str, ...]]


def read_rows() -> list[Row]:
    """Read the table of countries and territories."""
    rows = []
    with TABLE.open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            name = EntityName(en=line["en"] or None, ru=line["ru"] or None, uk=line["uk"] or None)
            rows.append(
                Row(
                    Known(line["qid"], EntityType.LOC, line["code"] or None, name),
                    {language: split_cell(line[f"aliases_{language}"]) for language in LANGUAGES},
                    {language: split_cell(line[f"ambiguous_{language}"]) for language in LANGUAGES},
                )
            )
    return rows


def with_bodies(countries: list[Row], others: Iterable[Row]) -> list[Row]:
    """Return the countries and those of the other rows that are bodies of no country, by their certain names alone.

    A doubtful name with a cue of its own («ICC») counts as certain here: the cue decides.
    """
    bodies = []
    for row in others:
        if row.known.type is EntityType.ORG and row.known.country is None:
            certain = {
                language: (*names, *(name for name in row.doubtful[language] if (language, name) in CUES))
                for language, names in row.certain.items()
            }
            bodies.append(Row(row.known, certain, dict.fromkeys(LANGUAGES, ())))
    return [*countries, *bodies]


def split_cell(cell: str) -> tuple[str, ...]:
    """Return the names in a cell of a table."""
    return tuple(cell.split(" | ")) if cell else ()


def written_alike(text: str) -> str:
    """Return the text with one kind of е, apostrophe, dash and space; no offset moves."""
    return text.translate(_SAME)


def lower(text: str) -> str:
    """Return the text in lower case, character for character (a few letters grow by `str.lower`)."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(mark.lower() if len(mark.lower()) == 1 else mark for mark in text)


def written_like(base: str, words: str) -> str:
    """Return the nominative that words of a text come from, with ё only where the text writes it."""
    return base if "ё" in words.lower() else base.replace("ё", "е").replace("Ё", "Е")


def is_acronym(name: str) -> bool:
    """Return whether a name is at most six letters, all of them capitals: its case counts then."""
    letters = [mark for mark in name if mark.isalpha()]
    return len(letters) <= 6 and all(mark.isupper() for mark in letters)


class Gazetteer:
    """The known names of one language with all their case forms."""

    def __init__(self, language: str, names: Names, rows: list[Row]) -> None:
        """Index the rows' names in `language`.

        Raises:
            ValueError: a nominative belongs to two rows.
        """
        self.language = language
        self._exact: dict[str, Form] = {}
        self._folded: dict[str, Form] = {}
        self.dropped: frozenset[str] = frozenset()
        """Case forms that two rows share: «Доминики» could not be told apart, so it names neither."""
        derived: dict[str, Form] = {}
        clashing: set[str] = set()
        for row in rows:
            for base, certain in self._bases(row, language):
                index = self._exact if is_acronym(base) else self._folded
                key = written_alike(base) if is_acronym(base) else lower(written_alike(base))
                if key in index and index[key].known != row.known:
                    raise ValueError(f"{base!r} ({language}) names {index[key].known.qid} and {row.known.qid}")
                index.setdefault(key, Form(row.known, base, certain))
                if is_acronym(base) or not re.search("[а-яіїєґ]", base.lower()):
                    continue
                for form in names.case_forms(base):
                    key = lower(written_alike(form))
                    if key in derived and derived[key].known != row.known:
                        clashing.add(key)
                    if key not in derived or not certain:
                        derived[key] = Form(row.known, base, certain)
        for key, made in derived.items():
            if key not in clashing:
                self._folded.setdefault(key, made)
        self.dropped = frozenset(clashing - self._folded.keys())
        self._starts: dict[str, tuple[str, ...]] = {}
        starts: dict[str, set[str]] = {}
        for key in (*self._exact, *self._folded):
            first = re.match(r"\w+", key)
            assert first, f"{key!r} begins with no letter"
            starts.setdefault(lower(first[0]), set()).add(key)
        self._starts = {first: tuple(sorted(keys, key=lambda key: (-len(key), key))) for first, keys in starts.items()}

    @staticmethod
    def _bases(row: Row, language: str) -> Iterator[tuple[str, bool]]:
        for base in row.doubtful[language]:
            yield base, False
        for base in row.certain[language]:
            yield base, True
        if language != "en" and row.known.type is EntityType.ORG:
            # «NATO» stands in Russian and Ukrainian texts too.
            yield from ((base, True) for base in row.certain["en"] if base not in row.certain[language])

    def _is_small(self, word: str) -> bool:
        return word in _SMALL.get(self.language, ())

    def link(self, mention: str, kind: EntityType, text: str = "") -> Form | None:
        """Return what a mention in `text` names, None where that is not certain."""
        written = written_alike(mention)
        form = self._exact.get(written.upper() if self._is_small(written) else written)
        if form is None and (mention[:1].isupper() or self._is_small(written)):
            form = self._folded.get(lower(written))
        if form is None or not (
            form.certain or kind is form.known.type or (kind is not EntityType.PER and is_acronym(mention))
        ):
            # Taggers take a country's acronym for a body: «ПАР».
            return None
        cue = CUES.get((self.language, form.base))
        return form if cue is None or cue.search(text) else None

    def find(self, text: str, taken: list[Span]) -> list[Span]:
        """Return where the text certainly names a known one.

        Args:
            text: The whole text.
            taken: Spans of the tagger; a capitalised word in none of them next to an English name makes it doubtful.

        Returns:
            Spans by start, without overlap.
        """
        written = written_alike(text)
        low = lower(written)
        starts = {span.start for span in taken}
        found: list[Span] = []
        for match in _START.finditer(text):
            if self._is_small(match[0]):
                found.append(Span(match.start(), match.end(), EntityType.LOC))
                continue
            if not match[0][0].isupper():
                continue
            # «Россия-США» names two, «Корея-град» and «Пост-США» none.
            joined = _AFTER_HYPHEN.match(text, match.start())
            if joined and not (found and found[-1].stop == match.start() - 1):
                continue
            for key in self._starts.get(lower(match[0]), ()):
                start, stop = match.start(), match.start() + len(key)
                form = self._exact.get(key) if written.startswith(key, start) else None
                if form is None and low.startswith(key, start):
                    form = self._folded.get(key)
                if form is None or not self._ends(text, stop):
                    continue
                if form.certain and not (
                    self.is_homonym(text, start, stop) or self._within_another(written, start, stop, key, starts)
                ):
                    found.append(Span(start, stop, form.known.type))
                break
        return without_overlap(found)

    def is_homonym(self, text: str, start: int, stop: int) -> bool:
        """Return whether a country's name stands for something else here: a town, a thing, «малі»."""
        low = text[start:stop].lower()
        if self.language == "uk" and low == "малі":
            return not (_PREPOSITION.search(text, max(0, start - 5), start) or _MALI.search(text))
        if self.language != "en":
            return False
        if text[start:stop] == "US" and _PRONOUN.search(text, max(0, start - 9), start):
            return True
        thing = _THINGS.get(low)
        return bool(_IN_A_STATE.match(text, stop) or (thing and thing.match(text, stop)))

    @staticmethod
    def _ends(text: str, stop: int) -> bool:
        """Whether a name can end here: "UK-based" and «США-Китай» yes, «Корея-град» and «США-шный» no."""
        mark, after = text[stop : stop + 1], text[stop + 1 : stop + 2]
        if mark.isalnum() or mark == "_":
            return False
        return not (mark and mark in "-‐‑" and after.islower() and not after.isascii())

    @staticmethod
    def _within_another(text: str, start: int, stop: int, key: str, starts: set[int]) -> bool:
        if " " not in key and _ANOTHER.search(text, max(0, start - 24), start):
            return True
        if key.isupper():
            # In a line of capitals a word looks like an acronym; a hundred characters tell.
            before, after = text[max(0, start - 100) : start], text[stop : stop + 100]
            line = before.rpartition("\n")[2] + after.partition("\n")[0]
            if line.isupper():
                return True
        following = _CAPITALISED_NEXT.match(text, stop)
        return bool(key.isascii() and following and following.end() not in starts)


def references() -> tuple[ModelReference, ...]:
    """Return the table for the provenance."""
    return (weights.file_reference("newsflow-countries", TABLE),)
