"""The same story in Russian, Ukrainian and English names the same entities: consumers join on the id."""

import json
from pathlib import Path

import pytest

from streams.entities import Entities
from tests.test_entities import prepared

STORIES = [json.loads(line) for line in Path(__file__).with_name("triples.jsonl").read_text("utf-8").splitlines()]
LANGUAGES = ("ru", "uk", "en")
ENOUGH = 0.9
"""The share of linked ids that all three languages must have."""
FEWEST = 5
"""Linked ids that a story must have, so that finding nothing is no agreement."""


@pytest.fixture(scope="module")
def names() -> dict[str, dict[str, dict[str, str]]]:
    """Return for each story and language the linked ids, each with its first mention."""
    stage = Entities()
    stage.load()
    return {
        story["id"]: {
            language: {
                entity.id: entity.mentions[0].text
                for entity in stage.enrich(prepared(story[language], language)).entities
                if entity.linked
            }
            for language in LANGUAGES
        }
        for story in STORIES
    }


def test_there_are_fifteen_stories_of_a_news_texts_length() -> None:
    assert len({story["id"] for story in STORIES}) == len(STORIES) >= 15
    for story in STORIES:
        for language in LANGUAGES:
            assert 400 <= len(story[language]) <= 800, (story["id"], language)


def test_a_story_links_the_same_entities_in_three_languages(names: dict[str, dict[str, dict[str, str]]]) -> None:
    common = together = 0
    offenders = []
    for story, languages in names.items():
        sets = [languages[language].keys() for language in LANGUAGES]
        common += len(set.intersection(*map(set, sets)))
        together += len(set.union(*map(set, sets)))
        for qid in sorted(set.union(*map(set, sets))):
            found = {language: languages[language][qid] for language in LANGUAGES if qid in languages[language]}
            if len(found) < len(LANGUAGES):
                offenders.append(f"{story}: {qid} only {found}")
    assert common >= ENOUGH * together, f"{common} of {together}\n" + "\n".join(offenders)


def test_no_story_agrees_because_little_is_found(names: dict[str, dict[str, dict[str, str]]]) -> None:
    few = [
        f"{story} ({language}): {found}"
        for story, languages in names.items()
        for language, found in languages.items()
        if len(found) < FEWEST
    ]
    assert few == []
