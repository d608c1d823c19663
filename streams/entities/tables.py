"""The tables of known places, organisations and people: one readable file per kind, each row a Wikidata id.

Columns: `qid`, `kind` (of what sort), `country` (ISO 3166-1 alpha-2), `lat` and `lon` (decimal degrees) where the table
has them, then by language the display name, the certain names (this one wherever they stand with their capitals) and
the doubtful ones (this one only where the article says more), all in the nominative, separated by " | ".
"""

import csv
from pathlib import Path

from schemas import EntityName, EntityType, ModelReference
from streams.entities import weights
from streams.entities.countries import LANGUAGES, Known, Row, split_cell

FOLDER = Path(__file__).with_name("knowledge")
TABLES = {"places": EntityType.LOC, "organisations": EntityType.ORG, "people": EntityType.PER}


def read_rows() -> list[Row]:
    """Read the tables."""
    rows = []
    for table, kind in TABLES.items():
        with (FOLDER / f"{table}.tsv").open(encoding="utf-8", newline="") as lines:
            rows += [_row(line, kind) for line in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]
    return rows


def _row(line: dict[str, str], kind: EntityType) -> Row:
    position = (float(line["lat"]), float(line["lon"])) if line.get("lat") and line.get("lon") else None
    name = EntityName(en=line["en"] or None, ru=line["ru"] or None, uk=line["uk"] or None)
    return Row(
        Known(line["qid"], kind, line["country"] or None, name, line.get("kind") or "person", position),
        {language: split_cell(line[f"aliases_{language}"]) for language in LANGUAGES},
        {language: split_cell(line[f"doubtful_{language}"]) for language in LANGUAGES},
    )


def references() -> tuple[ModelReference, ...]:
    """Return the tables for the provenance."""
    return tuple(weights.file_reference(f"newsflow-{table}", FOLDER / f"{table}.tsv") for table in TABLES)
