"""Write `countries.tsv`: every country and territory with its Wikidata id, ISO code and names in en, ru and uk.

Run as `python -m streams.entities.build_countries`; needs the extra `models`. Sources: rigour's territory table (MIT)
for codes, Wikidata ids and English names; CLDR's territory names in babel (Unicode licence) for the three languages;
our own `country_aliases.tsv` for what both leave out. The same versions give the same bytes.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from streams.entities.countries import LANGUAGES, TABLE

ALIASES = Path(__file__).with_name("country_aliases.tsv")

# Rigour's codes that name no country or territory in the ISO sense (bodies, parts of islands, the high seas, the
# internet), and former territories that news no longer names.
LEFT_OUT = frozenset(
    ["ac", "an", "aq", "cp", "cq", "csxx", "cshh", "dg", "eu", "ic", "ip", "ta", "um", "un", "yucs", "zr", "zz"]
)
# Former countries that news still names: our code in the alias file, and no ISO code in the table.
FORMER = {"suhh": "SU", "dd": "DD"}


@dataclass(frozen=True, slots=True)
class OwnForms:
    """The alias file: forms by kind, then by (code, language)."""

    qid: dict[str, str]
    name: dict[tuple[str, str], str]
    alias: dict[tuple[str, str], list[str]]
    ambiguous: dict[tuple[str, str], list[str]]
    never: dict[tuple[str, str], list[str]]


def read_own_forms(path: Path = ALIASES) -> OwnForms:
    """Read the alias file.

    Raises:
        ValueError: a line has an unknown kind or language, or the wrong number of fields.
    """
    own = OwnForms({}, {}, defaultdict(list), defaultdict(list), defaultdict(list))
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("#"):
            continue
        code, language, kind, written = line.split("\t")
        if kind not in ("qid", "name", "alias", "ambiguous", "never") or language not in (*LANGUAGES, "-"):
            raise ValueError(f"{path.name}, line {number}: {line!r}")
        if kind == "qid":
            own.qid[code] = written
        elif kind == "name":
            own.name[code, language] = written
        else:
            getattr(own, kind)[code, language].extend(written.split(" | "))
    return own


def territories() -> list[dict[str, Any]]:
    """Return rigour's rows for countries and territories, by code.

    `rigour.territories` would parse them for us, but imports normality, which wants an ICU built from source.
    """
    lines = import_module("rigour._core").territories_jsonl().splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    return sorted((row for row in rows if "-" not in row["code"] and row["code"] not in LEFT_OUT), key=_code)


def _code(row: dict[str, Any]) -> str:
    return str(row["code"])


def _unique(forms: Iterator[str], without: set[str]) -> list[str]:
    return [form for form in dict.fromkeys(forms) if form and form not in without]


def table() -> str:
    """Return the whole table as text: a head line, then one line for each territory, by code."""
    own = read_own_forms()
    locale = import_module("babel").Locale
    cldr = {language: locale(language).territories for language in LANGUAGES}
    columns = ["qid", "code", *LANGUAGES]
    columns += [f"{kind}_{language}" for kind in ("aliases", "ambiguous") for language in LANGUAGES]
    lines = ["\t".join(columns)]
    for row in territories():
        code = FORMER.get(row["code"], row["code"].upper())
        names: list[str] = []
        aliases: list[str] = []
        ambiguous: list[str] = []
        for language in LANGUAGES:
            key = (code, language)
            usual = cldr[language].get(code, "").replace("ʼ", "'").replace("’", "'")
            name = own.name.get(key) or usual
            also = [name, *own.alias[key], usual]
            if language == "en":
                also += [row["name"], row["full_name"], usual.replace(" & ", " and "), usual.replace("St. ", "Saint ")]
            # CLDR's abbreviations and glosses («о-ва Кука», "Hong Kong SAR China") are no names that a text uses.
            written = (form for form in also if not any(mark in form for mark in ("о-в", "(", " - ", " – ", ", ", "&")))
            doubtful = own.ambiguous[key]
            names.append(name)
            aliases.append(" | ".join(_unique(written, {*doubtful, *own.never[key]})))
            ambiguous.append(" | ".join(doubtful))
        iso = "" if row["code"] in FORMER else code
        lines.append("\t".join([own.qid.get(code, row["qid"]), iso, *names, *aliases, *ambiguous]))
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the table."""
    TABLE.write_text(table(), encoding="utf-8")


if __name__ == "__main__":
    main()
