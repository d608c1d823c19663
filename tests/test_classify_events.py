"""Event types: the trigger lexicon, the model, and the main event of an article."""

import os

import numpy as np
import pytest

from schemas import MainEvent, Topic
from streams.classify import Classify, event_model, event_train, event_triggers, features, vectors
from streams.classify.event_triggers import NONE, QUAD_CLASSES, Triggers
from streams.classify.evidence import ReadText
from streams.classify.labelled import LANGUAGES
from streams.classify.main_event import main_event
from streams.errors import InputError
from streams.evaluation import events
from streams.evaluation.gold import LabelledText


@pytest.fixture(scope="module")
def model() -> event_model.EventModel:
    return event_model.load(vectors.load())


LEXICON = Triggers(
    "SANCTION\ten\timpos* .. sanction* | sanction*\nCONCEDE\ten\tlift* .. sanction*\nAGREE\ten\tagree* to\n"
    "FIGHT\tru\tобстрел*\nTHREATEN\ten\tthreaten*\nSANCTION\ten\tthreaten*\nREFUSE\ten\trefus* to\n"
)


def kinds(text: str, lexicon: Triggers = LEXICON) -> list[str]:
    return [hit.kind for hit in lexicon.hits(features.words(text))]


def test_patterns() -> None:
    assert kinds("They imposed new sanctions") == ["SANCTION"]
    assert kinds("They lifted the old sanctions") == ["CONCEDE"], "the longer pattern counts"
    assert kinds("lifted one two three four five sanctions") == ["SANCTION"], "the gap has four words"
    assert kinds("agreed to agree to") == ["AGREE", "AGREE"]
    assert kinds("disagreed to") == []
    assert kinds("Город обстреляли") == ["FIGHT"]
    assert kinds("threatened") == ["SANCTION", "THREATEN"], "two kinds of one pattern"


def test_features_of_a_sentence() -> None:
    found = LEXICON.features(features.words("The parties refused to agree to lift sanctions"))
    assert {"first AGREE", "second CONCEDE", "REFUSE AGREE", "REFUSE verbal_cooperation", "any CONCEDE"} <= set(found)
    assert LEXICON.features(["nothing"]) == ["no trigger"]


@pytest.mark.parametrize("broken", ["FIGHTS\ten\ta", "FIGHT\ten\t.. a", "FIGHT\ten\ta ..", "FIGHT\ten\t"])
def test_a_broken_lexicon_is_refused(broken: str) -> None:
    with pytest.raises(ValueError, match=f"{event_triggers.LEXICON.name}:1"):
        Triggers(broken)


def test_every_type_has_triggers_in_every_language() -> None:
    lines = [line.split("\t")[:2] for line in event_triggers.LEXICON.read_text("utf-8").splitlines()[3:]]
    assert {(kind, language) for kind, language in lines} >= {
        (kind, language) for kind in QUAD_CLASSES for language in ("ru", "uk", "en")
    }


def test_types_are_those_of_the_contract(model: event_model.EventModel) -> None:
    (named, _) = MainEvent.model_fields["type"].annotation.__args__  # type: ignore[union-attr]  # Annotated | None
    assert set(named.__origin__.__args__) | {NONE} == set(model.types)
    assert set(QUAD_CLASSES) | {NONE} == set(model.types)


CASES = [
    ("en", "FIGHT", "Government troops shelled rebel positions north of the town on Monday."),
    ("en", "SANCTION", "The European Union imposed sanctions on two Syrian banks on Thursday."),
    ("en", "CONSULT", "The foreign ministers of Egypt and Sudan held talks in Cairo on Sunday."),
    ("ru", "PROTEST", "Тысячи рабочих вышли на митинг против закрытия завода."),
    ("ru", "DEMAND", "Лондон потребовал от Тегерана немедленно освободить танкер."),
    ("uk", "COERCE", "Поліція затримала трьох опозиціонерів під час обшуку в штабі партії."),
    ("uk", "AID", "Норвегія передала Україні двадцять машин швидкої допомоги та ліки."),
]


@pytest.mark.parametrize(("language", "kind", "text"), CASES)
def test_plain_sentences(model: event_model.EventModel, language: str, kind: str, text: str) -> None:
    assert language in LANGUAGES
    event = main_event(ReadText(None, text), (), model)
    assert event is not None
    assert (event.type, event.quad_class) == (kind, QUAD_CLASSES[kind])
    assert event.quad_score >= (event.score or 0)
    assert (event.sentence.part, event.sentence.text) == ("text", text)


@pytest.mark.parametrize(
    "text",
    [
        "Рецепт дня: яблочный пирог с корицей. Тесто раскатать тонко, яблоки нарезать дольками.",
        "Temperatures will reach 25 degrees with light rain in the evening.",
        "Прем'єра фільму відбудеться в кінотеатрах наступної осені.",
        "",
    ],
)
def test_no_event(model: event_model.EventModel, text: str) -> None:
    assert main_event(ReadText(None, text), (), model) is None


def test_the_sentence_is_found_behind_a_title(model: event_model.EventModel) -> None:
    text = "Погода была ясной. Армия обстреляла позиции противника у реки. Дождь начался вечером."
    event = main_event(ReadText("Новости к этому часу", text), (), model)
    assert event is not None
    assert event.type == "FIGHT"
    assert event.sentence.part == "text"
    assert text[event.sentence.start : event.sentence.stop] == event.sentence.text
    assert event.sentence.text == "Армия обстреляла позиции противника у реки."


def test_a_sentence_that_is_cut_is_not_taken(model: event_model.EventModel) -> None:
    first = "Армия обстреляла позиции противника у реки. "
    endless = "Силы отступили за реку и " + "далее на восток, " * 200
    event = main_event(ReadText(None, first + endless), (), model)
    assert event is not None
    assert event.sentence.text == first.strip()
    alone = main_event(ReadText(None, "Армия обстреляла позиции, " + "сообщили в штабе вчера, " * 200), (), model)
    assert alone is not None
    assert alone.sentence.text.split()[-1] in {"сообщили", "в", "штабе", "вчера,"}


def test_a_giant_title_leaves_the_text_its_turn(model: event_model.EventModel) -> None:
    text = "Армия обстреляла позиции противника у реки."
    event = main_event(ReadText("сводка дня " * 500, text), (), model)
    assert event is not None
    assert (event.sentence.part, event.sentence.text) == ("text", text)


def test_an_unsure_type_leaves_the_quad_class(model: event_model.EventModel) -> None:
    """Over all our sentences: where the type is null its score is, too, and the class is still there."""
    found = [
        main_event(ReadText(None, " ".join(sentence.words)), (), model)
        for sentence in event_train.read_sentences(event_train.HELD_OUT)
    ]
    given = [event for event in found if event]
    assert all((event.type is None) == (event.score is None) for event in given)
    assert any(event.type is None for event in given)
    assert len(given) > 300


def test_probabilities_sum_to_one(model: event_model.EventModel) -> None:
    for text in ("", "слово", "Troops shelled the town."):
        assert model.probabilities(features.words(text)).sum() == pytest.approx(1)


def test_damaged_artefact_is_refused() -> None:
    content = event_model.ARTEFACT.read_bytes()
    for damaged in (b"", content[:500]):
        with pytest.raises(ValueError, match="event model"):
            event_model.EventModel(damaged, LEXICON, vectors.load())


def test_temperature_undoes_overconfidence() -> None:
    rng = np.random.default_rng(0)
    right = rng.integers(0, 3, 2_000)
    scores = np.eye(3)[np.where(rng.random(2_000) < 0.7, right, rng.integers(0, 3, 2_000))] * 10
    assert event_train.temperature(scores, right) < 0.5


@pytest.mark.skipif("NEWSFLOW_SLOW_TESTS" not in os.environ, reason="trains the model, 15 s of CPU")
@pytest.mark.timeout(300)
def test_repository_rebuilds_the_artefact() -> None:
    trained = event_train.train(lambda: None)
    assert trained.content == event_model.ARTEFACT.read_bytes(), "run: newsflow topics-model train"


def test_a_match_is_no_fight(model: event_model.EventModel) -> None:
    def topic(code: str, score: float) -> Topic:
        return Topic(code=f"medtop:{code}000000", name="any", score=score, level=1, parent=None, evidence=())

    text = CASES[0][2]
    assert main_event(ReadText(None, text), (), model) is not None
    assert main_event(ReadText(None, text), (topic("15", 0.95),), model) is None
    assert main_event(ReadText(None, text), (topic("15", 0.95), topic("16", 0.4)), model) is not None
    assert main_event(ReadText(None, text), (topic("15", 0.5),), model) is not None
    assert main_event(ReadText(None, text), (topic("15", 0.95), topic("07", 0.9)), model) is not None


def test_eval_counts_types_classes_and_none() -> None:
    stage = Classify()
    stage.load()
    texts = [LabelledText("f:1", "en", text, kind) for language, kind, text in CASES if language == "en"]
    none = LabelledText("f:9", "en", "Temperatures will reach 25 degrees with light rain in the evening.", NONE)
    wrong = LabelledText("f:8", "en", texts[0].text, "ASSAULT")
    figures = events.measure(stage, [*texts, none, wrong]).as_json()
    assert (figures["n"], figures["accuracy"], figures["quad_accuracy"], figures["coverage"]) == (5, 0.8, 1.0, 1.0)
    with pytest.raises(InputError, match="f:7: `label` is 'WAR'"):
        events.measure(stage, [LabelledText("f:7", "en", "text", "WAR")])
