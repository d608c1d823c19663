"""Countries and persons that the taggers run together are told apart."""

import pytest

from streams.entities import Entities
from tests.test_entities import found, linked


@pytest.fixture(scope="module")
def stage() -> Entities:
    stage = Entities()
    stage.load()
    return stage


@pytest.mark.parametrize(
    ("text", "country", "qid", "person"),
    [
        ("Про це заявив канцлер Німеччини Фрідріх Мерц.", "Німеччини", "Q183", "Фрідріх Мерц"),
        ("Президенту Росії Володимиру Путіну відповіли.", "Росії", "Q159", "Володимиру Путіну"),
        ("Прем'єр-міністр Польщі Дональд Туск прибув до Києва.", "Польщі", "Q36", "Дональд Туск"),
    ],
)
def test_a_ukrainian_person_does_not_swallow_the_country(
    stage: Entities, text: str, country: str, qid: str, person: str
) -> None:
    entities = found(stage, text, "uk")
    assert entities[country].id == qid
    assert person in entities


def test_a_first_name_that_is_a_countrys_stays_a_persons(stage: Entities) -> None:
    assert not linked(stage, "Про це сказали Чад Сміт і Кенія Мур.", "uk")
