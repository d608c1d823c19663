"""Which entity a mention is: decided by what else its article says; no link rather than a wrong one."""

from itertools import combinations

import pytest

from schemas import Entity, EntityType
from streams.entities import Entities
from tests.test_entities import found, linked, prepared

PUTIN, ZELENSKY, NATO, EU = "Q7747", "Q3874799", "Q7184", "Q458"


@pytest.fixture(scope="module")
def stage() -> Entities:
    stage = Entities()
    stage.load()
    return stage


def entities(stage: Entities, text: str, language: str) -> tuple[Entity, ...]:
    return stage.enrich(prepared(text, language)).entities


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ru", "Владимир Путин прилетел в Минск. {} ждали утром."),
        ("uk", "Володимир Путін прилетів до Мінська. {} чекали зранку."),
    ],
)
def test_a_surname_after_the_full_name_is_the_same_person_in_every_case(
    stage: Entities, language: str, text: str
) -> None:
    forms = {
        "ru": ["Путин", "Путина", "Путину", "Путиным", "Путине"],
        "uk": ["Путін", "Путіна", "Путіну", "Путіним", "Путіні"],
    }
    for form in forms[language]:
        mentions = found(stage, text.format(form), language)
        assert form in mentions, form
        assert mentions[form].id == PUTIN, form
        assert len(mentions[form].mentions) == 2, form


@pytest.mark.parametrize(
    ("language", "full", "form", "sentence"),
    [
        ("ru", "Валентина Матвиенко", "Матвиенко", "Валентина Матвиенко выступила в Москве. Слушали и {}."),
        ("ru", "Эльвира Набиуллина", "Набиуллину", "Эльвира Набиуллина выступила в Москве. Депутаты выслушали {}."),
        ("uk", "Юлія Тимошенко", "Тимошенко", "Юлія Тимошенко виступила в Києві. Депутати вислухали {}."),
        ("uk", "Ірина Верещук", "Верещук", "Ірина Верещук виступила в Києві. Слова {} цитують у Львові."),
        ("en", "Angela Merkel", "Merkel", "Angela Merkel spoke in Berlin. Reporters asked {} about Paris."),
    ],
)
def test_a_womans_surname_is_hers(stage: Entities, language: str, full: str, form: str, sentence: str) -> None:
    mentions = found(stage, sentence.format(form), language)
    assert mentions[full].linked
    assert mentions[form].id == mentions[full].id


@pytest.mark.parametrize(
    ("language", "text", "form"),
    [
        ("ru", "Сергей Лавренов и Павел Лавренов прибыли в Тулу. Встречу вёл Лавренов.", "Лавренов"),
        ("uk", "Сергій Лавренюк та Павло Лавренюк прибули до Полтави. Зустріч вів Лавренюк.", "Лавренюк"),
        ("en", "George Bush and Jeb Bush came to Dallas. Later Bush left for Austin.", "Bush"),
    ],
)
def test_a_surname_of_two_people_in_the_article_is_neither(
    stage: Entities, language: str, text: str, form: str
) -> None:
    mentions = found(stage, text, language)
    assert form in mentions
    assert not mentions[form].linked
    full = {entity.id for words, entity in mentions.items() if words.endswith(f" {form}")}
    assert len(full) == 2
    assert mentions[form].id not in full


@pytest.mark.parametrize(
    ("language", "text", "form"),
    [
        ("ru", "По словам Иванова, завод в Туле откроют весной.", "Иванова"),
        ("uk", "За словами Шевченка, завод у Полтаві відкриють навесні.", "Шевченка"),
        ("en", "The plant in Dallas will open in spring, Johnson said.", "Johnson"),
    ],
)
def test_a_bare_common_surname_is_nobody_known(stage: Entities, language: str, text: str, form: str) -> None:
    mentions = found(stage, text, language)
    assert form in mentions
    assert not mentions[form].linked
    assert mentions[form].id.startswith("urn:newsflow:entity:")


@pytest.mark.parametrize(
    ("language", "with_nato", "without", "word"),
    [
        (
            "ru",
            "Страны НАТО собрались в Брюсселе. В Альянсе заявили, что встреча удалась.",
            "Партии собрались в Брюсселе. В Альянсе заявили, что встреча удалась.",
            "Альянсе",
        ),
        (
            "uk",
            "Країни НАТО зібралися у Брюсселі. В Альянсі заявили, що зустріч вдалася.",
            "Партії зібралися у Брюсселі. В Альянсі заявили, що зустріч вдалася.",
            "Альянсі",
        ),
        (
            "en",
            "NATO ministers met in Brussels. The Alliance is pleased with the meeting.",
            "Several parties met in Brussels. The Alliance is pleased with the meeting.",
            "Alliance",
        ),
    ],
)
def test_the_alliance_is_nato_only_where_nato_is_named(
    stage: Entities, language: str, with_nato: str, without: str, word: str
) -> None:
    assert linked(stage, with_nato, language).get(word) == NATO
    assert NATO not in linked(stage, without, language).values()


@pytest.mark.parametrize("text", ["ЄС ухвалив рішення.", "Іспанія та ЄС домовилися.", "Саміт Україна — ЄС відклали."])
def test_the_ukrainian_acronym_of_the_union_is_never_spain(stage: Entities, text: str) -> None:
    links = linked(stage, text, "uk")
    assert links["ЄС"] == EU
    assert links.get("Іспанія", "Q29") == "Q29"


@pytest.mark.parametrize(
    ("language", "texts", "word"),
    [
        (
            "ru",
            {
                "Q1146492": "Россия отвергла обвинения, в Москве ждут ответа. В Минобороны отказались от комментариев.",
                None: "Погода портится. В Минобороны отказались от комментариев.",
            },
            "Минобороны",
        ),
        (
            "ru",
            {None: "Погода портится. В МИД отказались от комментариев."},
            "МИД",
        ),
        (
            "en",
            {
                "Q11201": "The United States awaits a ruling. The Supreme Court heard American lawyers in Washington.",
                None: "The weather is getting worse. The Supreme Court heard the lawyers.",
            },
            "Supreme Court",
        ),
    ],
)
def test_a_body_that_every_state_has_needs_its_state(
    stage: Entities, language: str, texts: dict[str | None, str], word: str
) -> None:
    for qid, text in texts.items():
        mentions = found(stage, text, language)
        assert word in mentions, text
        assert (mentions[word].id if mentions[word].linked else None) == qid, text


@pytest.mark.parametrize(
    ("language", "text", "wrong"),
    [
        ("en", "Russia and China protested in Moscow. Japan's Ministry of Defense answered Russia.", "Q1146492"),
        ("en", "American troops left Washington. South Korea's Joint Chiefs of Staff thanked America.", "Q609474"),
        ("ru", "Россия протестует, ждут ответа и в Москве. Японское Минобороны ответило России.", "Q1146492"),
        ("uk", "Росія протестує, чекають відповіді й у Москві. Японське Міноборони відповіло Росії.", "Q1146492"),
    ],
)
def test_a_body_beside_one_state_is_not_anothers(stage: Entities, language: str, text: str, wrong: str) -> None:
    assert wrong not in linked(stage, text, language).values()


@pytest.mark.parametrize(
    ("text", "word", "qid"),
    [
        ("The president returned to Washington from Ohio.", "Washington", "Q61"),
        ("Wildfires spread across Washington state on Friday, firefighters in Seattle said.", "Washington", "Q1223"),
        ("Officials in New York and Chicago reported a storm.", "New York", "Q60"),
        ("A storm hit Buffalo, New York, late on Friday, and reached Chicago.", "New York", "Q1384"),
        ("Georgia Governor Brian Kemp spoke in Atlanta, in the United States.", "Georgia", "Q1428"),
        ("Protesters gathered in Tbilisi as Georgia froze its talks with Brussels.", "Georgia", "Q230"),
    ],
)
def test_homonyms_of_places_are_told_apart_by_the_words_around(stage: Entities, text: str, word: str, qid: str) -> None:
    assert {found for words, found in linked(stage, text, "en").items() if word in words} == {qid}


@pytest.mark.parametrize(
    ("language", "text", "word"),
    [
        ("ru", "В секторе Газа ждут помощи из Каира.", "Газа"),
        ("uk", "У секторі Гази чекають допомоги з Каїра.", "Гази"),
        ("en", "People in the Gaza Strip await help from Cairo.", "Gaza Strip"),
    ],
)
def test_the_gaza_strip_is_not_its_city(stage: Entities, language: str, text: str, word: str) -> None:
    links = linked(stage, text, language)
    assert {qid for words, qid in links.items() if word in words} == {"Q39760"}


@pytest.mark.parametrize(
    ("language", "text", "city"),
    [
        ("ru", "«Барселона» уступила мадридскому «Реалу» со счётом 0:3.", "Q1492"),
        ("ru", "Нападающий «Милана» забил «Ювентусу» дважды.", "Q490"),
        ("uk", "«Барселона» поступилася мадридському «Реалу» з рахунком 0:3.", "Q1492"),
        ("uk", "Нападник «Мілана» двічі забив «Ювентусу».", "Q490"),
    ],
)
def test_a_club_in_quotes_is_not_its_city(stage: Entities, language: str, text: str, city: str) -> None:
    assert city not in linked(stage, text, language).values()


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("ru", "В ООН, ВОЗ и МАГАТЭ ждут ответа.", {"ООН": "Q1065", "ВОЗ": "Q7817", "МАГАТЭ": "Q41984"}),
        ("uk", "В ООН, ВООЗ та МАГАТЕ чекають на відповідь.", {"ООН": "Q1065", "ВООЗ": "Q7817", "МАГАТЕ": "Q41984"}),
        ("en", "The UN, the IMF and the IAEA await an answer.", {"UN": "Q1065", "IMF": "Q7804", "IAEA": "Q41984"}),
        ("en", "Fighters of al-Qaeda left Yemen.", {"al-Qaeda": "Q34490"}),
        ("ru", "Боевики «Аль-Каиды» покинули Йемен.", {"Аль-Каиды": "Q34490"}),
        ("ru", "Акции Microsoft и Tesla подорожали, пишет The New York Times.", {"Microsoft": "Q2283"}),
        ("uk", "Акції Microsoft і Tesla подорожчали, пише The New York Times.", {"Tesla": "Q478214"}),
        ("ru", "Об этом пишет The New York Times.", {"The New York Times": "Q9684"}),
    ],
)
def test_acronyms_and_foreign_letters_are_linked(
    stage: Entities, language: str, text: str, expected: dict[str, str]
) -> None:
    links = linked(stage, text, language)
    assert {words: links.get(words) for words in expected} == expected


def test_an_acronym_and_its_full_name_are_one_entity(stage: Entities) -> None:
    text = "Всемирная организация здравоохранения направила врачей. В ВОЗ ждут денег."
    assert [entity.id for entity in entities(stage, text, "ru")] == ["Q7817"]


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("ru", ["Фонд помог Егору Лавренову.", "Егора Лавренова ждут дома.", "Вчера выступил Егор Лавренов."]),
        ("uk", ["Фонд допоміг Єгору Лавренюку.", "Єгора Лавренюка чекають.", "Учора виступив Єгор Лавренюк."]),
    ],
)
def test_what_no_table_knows_has_one_id_in_every_article(stage: Entities, language: str, texts: list[str]) -> None:
    ids = {entity.id for text in texts for entity in entities(stage, text, language) if entity.type is EntityType.PER}
    assert len(ids) == 1
    assert ids.pop().startswith("urn:newsflow:entity:per:")


def test_the_same_name_of_another_type_has_another_id(stage: Entities) -> None:
    texts = ["Приехал Егор Лавренов.", "Приехал Пётр Лавренов.", "Приехал Егор Лавренюк."]
    ids = [entities(stage, text, "ru")[0].id for text in texts]
    assert all(one != other for one, other in combinations(ids, 2))


TEXTS = [
    ("ru", "Президент России Владимир Путин прилетел в Пекин. В Кремле довольны. Путин встретился с Си Цзиньпином."),
    ("uk", "Президент України Володимир Зеленський прилетів до Варшави. Зеленський зустрівся з Дональдом Туском."),
    ("en", "Volodymyr Zelensky came to Warsaw. Zelensky met Donald Tusk, the prime minister of Poland."),
]


@pytest.mark.parametrize(("language", "text"), TEXTS)
def test_salience_is_a_share_of_the_article(stage: Entities, language: str, text: str) -> None:
    whole = entities(stage, text, language)
    assert sum(entity.salience for entity in whole) == pytest.approx(1, abs=1e-4)
    assert all(0 < entity.salience <= 1 for entity in whole)
    twice = max(whole, key=lambda entity: len(entity.mentions))
    assert len(twice.mentions) == 2
    assert twice.salience == max(entity.salience for entity in whole)


@pytest.mark.parametrize(("language", "text"), TEXTS)
def test_confidence_is_a_probability(stage: Entities, language: str, text: str) -> None:
    for entity in entities(stage, text, language):
        assert all(0 <= mention.confidence <= 1 for mention in entity.mentions)
        assert entity.confidence == max(mention.confidence for mention in entity.mentions)


@pytest.mark.parametrize(
    ("language", "text"),
    [("ru", "Поезд ушёл из Варшавы."), ("uk", "Потяг вирушив з Варшави."), ("en", "The train left Warsaw.")],
)
def test_a_city_has_its_country_and_coordinates(stage: Entities, language: str, text: str) -> None:
    (city,) = entities(stage, text, language)
    assert (city.id, city.country, city.type) == ("Q270", "PL", EntityType.LOC)
    assert city.coordinates is not None
    assert city.coordinates.latitude == pytest.approx(52.23, abs=0.2)
    assert city.coordinates.longitude == pytest.approx(21.01, abs=0.2)


def test_a_town_named_like_a_surname_is_found_after_a_preposition(stage: Entities) -> None:
    assert linked(stage, "Поезд из Москвы прибыл в Иваново. В Иванове тепло.", "ru") == {
        "Москвы": "Q649",
        "Иваново": "Q2630",
        "Иванове": "Q2630",
    }


def test_a_surname_that_the_tagger_takes_for_a_place_is_its_persons(stage: Entities) -> None:
    text = "Віцепрезидент Джей Ді Венс виступив у Техасі. Гарріс випереджає Венса в Огайо."
    mentions = found(stage, text, "uk")
    assert mentions["Венса"].id == mentions["Джей Ді Венс"].id


@pytest.mark.parametrize(
    ("text", "word", "qid"),
    [
        ("Turkey's President Recep Tayyip Erdogan acted as mediator.", "Turkey", "Q43"),
        ("US Secretary of State Marco Rubio came to Doha.", "US", "Q30"),
        ("Israel's Prime Minister Benjamin Netanyahu came to Berlin.", "Israel", "Q801"),
    ],
)
def test_a_country_before_a_title_is_a_mention_of_its_own(stage: Entities, text: str, word: str, qid: str) -> None:
    assert linked(stage, text, "en").get(word) == qid


def test_in_a_text_on_clubs_a_citys_bare_name_is_its_club(stage: Entities) -> None:
    mentions = [
        (entity.id, mention.start)
        for entity in entities(
            stage, "Real Madrid thrashed Barcelona 4-0 at home. They play in Barcelona in May.", "en"
        )
        for mention in entity.mentions
        if mention.text == "Barcelona"
    ]
    assert [qid for qid, _ in sorted(mentions, key=lambda one: one[1])] == ["Q7156", "Q1492"]
