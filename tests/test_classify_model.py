"""The topic model: its examples, its features, its file, and that the repository rebuilds it."""

import os
import re
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.classify import distil, features, figures, labelled_news, model, topics, train, vectors
from streams.classify.labelled import DIRECTORY, LANGUAGES, Example, read_child_examples, read_examples
from streams.classify.labelled_news import ARTICLE, SENTENCE, read_news

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return read_examples()


@pytest.fixture(scope="module")
def news() -> list[Example]:
    return read_news()


def test_examples_are_identified_and_labelled(examples: list[Example]) -> None:
    table = topics.read_table()
    every = examples + read_child_examples()
    assert len({example.id for example in every}) == len(every)
    for path in DIRECTORY.glob("*/*.jsonl"):
        assert f"medtop:{path.stem}" in table.codes
    for example in every:
        assert re.fullmatch(rf"{example.language}-\d\d-\d{{3}}", example.id)
        assert example.codes, example.id
        assert set(example.codes) <= set(table.codes), example.id
        assert {table.parents[child] for child in example.children} <= set(example.codes), example.id
        assert len(set(example.children)) == len(example.children), example.id
        assert len(set(example.codes)) == len(example.codes), example.id
        assert f"medtop:{example.id[3:5]}000000" in example.codes, example.id
        assert example.form in {"headline", "sentence", "lead", "short", "long"}, example.id


def test_enough_examples_of_every_topic_and_language(examples: list[Example]) -> None:
    counts = Counter((example.language, code) for example in examples for code in example.codes)
    assert all(counts[language, code] >= 25 for language in LANGUAGES for code in topics.read_table().codes)


def test_enough_examples_of_every_topic_of_level_2(examples: list[Example]) -> None:
    every = examples + read_child_examples()
    counts = Counter((example.language, child) for example in every for child in example.children)
    assert all(counts[language, child] >= 5 for language in LANGUAGES for child in topics.read_table().child_codes)


def test_no_example_twice(examples: list[Example], news: list[Example]) -> None:
    every = examples + [example for example in news if example.form == ARTICLE]
    assert len({example.text.casefold() for example in every}) == len(every)
    for language in LANGUAGES:
        words = [frozenset(features.words(example.text)) for example in every if example.language == language]
        words.sort(key=len)
        for i, longer in enumerate(words):
            for shorter in reversed(words[:i]):
                if len(shorter) <= 0.6 * len(longer):
                    break
                assert len(longer & shorter) <= 0.6 * len(longer | shorter)


def test_news_is_identified_and_labelled(news: list[Example]) -> None:
    codes = set(topics.read_table().codes)
    assert len({example.id for example in news}) == len(news)
    for example in news:
        assert re.fullmatch(rf"{example.language}-news-\d{{3,4}}(-\d)?", example.id)
        assert set(example.codes) <= codes and len(set(example.codes)) == len(example.codes) <= 3, example.id
    for language in LANGUAGES:
        own = [example for example in news if example.language == language]
        counts = Counter(code for example in own if example.form == ARTICLE for code in example.codes)
        assert min(counts[code] for code in codes) >= 5
        assert sum(not example.codes for example in own) >= 50


def test_sentences_of_news_stand_in_their_articles(news: list[Example]) -> None:
    articles = {example.id: example.text for example in news if example.form == ARTICLE}
    sentences = [example for example in news if example.form == SENTENCE]
    assert len(sentences) > len(articles)
    for sentence in sentences:
        article = articles[sentence.id.rsplit("-", 1)[0]]
        before, found, after = article.partition(sentence.text)
        assert found
        assert before[-1:] in ("", " ", "\n") and after[:1] in ("", " ", "\n"), sentence.id


def test_a_damaged_line_of_news_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for language in LANGUAGES:
        (tmp_path / f"{language}.jsonl").write_text("")
    (tmp_path / "uk.jsonl").write_text('{"id": "uk-news-9999", "codes": [], "sentences": []}\n')
    monkeypatch.setattr(labelled_news, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"uk\.jsonl:1: not a labelled article"):
        read_news()


def test_examples_are_in_their_language(examples: list[Example], news: list[Example]) -> None:
    for language in LANGUAGES:
        text = "".join(example.text for example in examples + news if example.language == language).lower()
        letters = [character for character in text if character.isalpha()]
        ukrainian = sum(letter in "іїєґ" for letter in letters) / len(letters)
        russian = sum(letter in "ыэёъ" for letter in letters) / len(letters)
        latin = sum("a" <= letter <= "z" for letter in letters) / len(letters)
        # Typical shares: и- and ы-like letters are frequent in running text, Latin brand names are not.
        assert (ukrainian > 0.05) == (language == "uk")
        assert (russian > 0.02) == (language == "ru")
        assert (latin > 0.98) == (language == "en")
    for example in examples:
        foreign = {"ru": "іїєґ", "uk": "ыэёъ", "en": "абвгдеиіїє"}[example.language]
        assert not set(foreign) & set(example.text.lower()), example.id


def test_cues_are_of_known_topics() -> None:
    codes = topics.read_table().codes
    cues = features.cue_topics()
    assert {code for of_cue in cues.values() for code in of_cue} == set(codes)
    assert not [cue for cue in cues if not re.fullmatch(r"[^\W_]+(-[^\W_]+)*=?", cue)]


def test_child_cues_are_of_known_topics() -> None:
    cues = Counter(code for code, _ in train.read_child_cues())
    assert set(cues) == set(topics.read_table().child_codes)
    assert min(cues.values()) >= 60


def test_topic_table_is_attributed() -> None:
    content = topics.TABLE.read_text("utf-8")
    assert "IPTC" in content.splitlines()[0]
    assert "CC BY 4.0" in "".join(content.splitlines()[:2])
    table = topics.TopicTable(content.encode())
    assert (len(table.codes), len(table.child_codes)) == (17, 121)
    assert table.names["medtop:16000000"] == "conflict, war and peace"
    assert table.parents["medtop:20000056"] == "medtop:16000000"


def test_damaged_topic_table_is_refused() -> None:
    for damaged in (b"medtop:20000056\tmedtop:16000000\tarmed conflict\n", b"medtop:16000000\tconflict\n"):
        with pytest.raises(ValueError):
            topics.TopicTable(damaged)


def test_words_share_one_alphabet() -> None:
    assert features.words("Під'їзд, ПІД’ЇЗД 12,5 e-mail") == ["пидизд", "пидизд", "0", "0", "e-mail"]
    assert features.words("Объём") == features.words("обем")


def test_parts_of_a_word() -> None:
    assert features.parts("аб") == ["=аб", "<аб", "аб>", "<аб>"]
    assert "^парла" in features.parts("парламент")


def test_longest_cue_counts() -> None:
    cues = {"газ": 0, "газет": 1, "газ=": 2}
    assert features.cue_of("газета", cues) == "газет"
    assert features.cue_of("газ", cues) == "газ="
    assert features.cue_of("газовый", cues) == "газ"
    assert features.cue_of("г", cues) is None


def test_what_is_shipped_is_small() -> None:
    root = Path(__file__).parents[1]
    packages = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]["find"]
    left_out = [root / name.rstrip("*").replace(".", "/") for name in packages["exclude"]]
    assert all(folder.is_dir() for folder in left_out)
    shipped = [
        path
        for path in model.ARTEFACT.parent.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and not any(path.is_relative_to(folder) for folder in left_out)
    ]
    assert model.ARTEFACT in shipped
    assert sum(path.stat().st_size for path in shipped) < 20 * MEGABYTE


@pytest.mark.skipif("NEWSFLOW_SLOW_TESTS" not in os.environ, reason="trains the model, 20 minutes of CPU")
@pytest.mark.timeout(3600)
def test_repository_rebuilds_the_artefact() -> None:
    steps: list[None] = []
    trained = train.train(lambda: steps.append(None))
    assert trained.content == model.ARTEFACT.read_bytes(), "run: newsflow topics-model train"
    assert len(steps) == train.STEPS


def test_damaged_artefact_is_refused() -> None:
    content = model.ARTEFACT.read_bytes()
    for damaged in (b"", content[:1000], model.pack({"topics": model.pack_strings(["a"])})):
        with pytest.raises(ValueError, match="topic model"):
            model.TopicModel(damaged, vectors.load())


def test_model_belongs_to_its_table() -> None:
    other = vectors.WordVectors(
        model.pack({"stems": model.pack_strings(["a"]), "vectors": np.ones((1, 128), np.int8), "scale": np.ones(1)})
    )
    with pytest.raises(ValueError, match="train it anew"):
        model.TopicModel(model.ARTEFACT.read_bytes(), other)


def test_damaged_table_is_refused() -> None:
    content = vectors.TABLE.read_bytes()
    for damaged in (b"", content[:1000], model.pack({"stems": model.pack_strings(["a"])})):
        with pytest.raises(ValueError, match="word vectors"):
            vectors.WordVectors(damaged)


def test_table_is_of_the_word_lists() -> None:
    with np.load(vectors.TABLE) as archive:
        stems = model.unpack_strings(archive["stems"])
    assert stems == sorted({entry.stem for entry in distil.vocabulary()}), "run: newsflow topics-model train"


def test_compressing_gives_the_same_bytes_and_keeps_what_sentences_mean() -> None:
    # Each word has a meaning (the first dimensions) and a spelling (the others) three times as loud.
    words = distil.vocabulary()[::100]
    random = np.random.default_rng(0)
    meaning = random.normal(size=(len(words), 384)) * (np.arange(384) < distil.DIMENSIONS)
    spelling = 3 * random.normal(size=(len(words), 384)) * (np.arange(384) >= distil.DIMENSIONS)
    picked = random.integers(len(words), size=(2_000, 5))
    texts = [(words[row[0]].language, " ".join(words[one].form for one in row)) for row in picked]
    found, meant = meaning + spelling, meaning[picked].sum(axis=1)
    first = model.pack(distil.compress(words, found, texts, meant))
    assert first == model.pack(distil.compress(words, found.copy(), texts, meant.copy()))
    table = vectors.WordVectors(first)
    assert table.dimensions == distil.DIMENSIONS
    kept = table.of_rows(np.array([table.row_of(features.words(word.form)[0]) for word in words]))[1]

    def likeness(rows: model.Floats) -> model.Floats:
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        cosines: model.Floats = unit @ unit.T
        return cosines[np.triu_indices(len(rows), 1)]

    as_meant, as_spelled = (np.corrcoef(likeness(kept), likeness(rows))[0, 1] for rows in (meaning, spelling))
    # Principal components would keep the spelling alone.
    assert as_meant > 2 * as_spelled


def test_what_a_sentence_means_has_no_mean_of_its_language() -> None:
    languages = ["ru", "ru", "uk", "en", "en", "uk"]
    rows = np.random.default_rng(0).normal(size=(6, 384)).astype(np.float32) + 5
    made = distil.centred(rows, languages)
    assert np.allclose(np.linalg.norm(made, axis=1), 1)
    assert np.allclose(made[0], -made[1]), "of two texts of a language what differs is left"


@pytest.mark.parametrize(
    "forms",
    [
        ("парламент", "парламента", "парламенту", "парламентом"),
        ("больница", "больницы", "больницей", "больницах"),
        ("match", "matches"),
        ("election", "elections"),
        ("company", "companies"),
    ],
)
def test_forms_of_a_word_share_a_stem(forms: tuple[str, ...]) -> None:
    assert len({vectors.stem(word) for form in forms for word in features.words(form)}) == 1


def test_a_stem_has_three_letters_or_is_the_word() -> None:
    for entry in distil.vocabulary():
        word = features.words(entry.form)[0]
        assert vectors.stem(word) == entry.stem
        assert len(entry.stem) >= min(3, len(word)), word


def mean(table: vectors.WordVectors, rows: list[int]) -> NDArray[np.float64]:
    """Return the direction of words with these rows, length 1; zero where there are none."""
    weights, found = table.of_rows(np.array(rows, dtype=np.int64))
    return model.unit(weights @ found)


def test_words_of_one_meaning_are_close_across_languages() -> None:
    table = vectors.load()

    def of(word: str) -> NDArray[np.float64]:
        row = table.row_of(features.words(word)[0])
        assert row is not None, word
        return mean(table, [row])

    meanings = [
        ("больница", "лікарня", "hospital"),
        ("выборы", "вибори", "elections"),
        ("футбол", "футбол", "football"),
        ("забастовка", "страйк", "strike"),
        ("учитель", "вчитель", "teacher"),
    ]
    for i, words in enumerate(meanings):
        for a in words:
            for j, others in enumerate(meanings):
                for b, c in zip(words, others, strict=True):
                    if i != j and a != b:
                        assert of(a) @ of(b) > of(a) @ of(c), (a, b, c)


def test_unknown_words() -> None:
    table = vectors.load()
    assert table.row_of("ъ") is None
    assert table.row_of("qqqqzzzzxxxx") is None
    assert not mean(table, []).any()
    # An unknown compound is looked up by its beginning.
    assert table.row_of("парламентгг") == table.row_of("парламент")


def test_placed_words_stand_where_they_say() -> None:
    text = "İstanbul’da, «Під'їзд» e-mail 12,5 Объём"
    words, places = features.placed_words(text)
    assert words == features.words(text)
    stretches = [text[start:stop] for start, stop in places]
    assert stretches == ["İstanbul’da", "Під'їзд", "e-mail", "12", "5", "Объём"]


def test_the_order_of_words_does_not_count() -> None:
    loaded = model.load(vectors.load())
    words = features.words("парламент голосование больница парламент")
    assert np.allclose(loaded.probabilities(loaded.read(words)), loaded.probabilities(loaded.read(words[::-1])))


def test_drops_are_what_happens_without_a_word() -> None:
    """To first order: the word whose drop is largest is among those whose absence costs most."""
    loaded = model.load(vectors.load())
    words = features.words(
        "Президент подписал закон о выборах. Парламент утвердил бюджет, оппозиция вышла из зала во время голосования."
    )
    reading = loaded.read(words)
    topic = loaded.codes.index("medtop:11000000")
    before = loaded.probabilities(reading)[topic]
    drops = loaded.drops(reading, topic)
    costs = [
        before - loaded.probabilities(loaded.read([other for other in words if other != word]))[topic]
        for word in reading.words
    ]
    assert np.corrcoef(drops, costs)[0, 1] > 0.9


def test_first_sentence() -> None:
    assert train.first_sentence("Совет вчера утвердил новый бюджет. Подробности позже.") == (
        "Совет вчера утвердил новый бюджет."
    )
    assert train.first_sentence("One sentence that stands alone.") is None
    assert train.first_sentence("Too short. Then a longer one follows here.") is None


def test_concepts_are_attributed_and_of_known_topics() -> None:
    lines = train.CONCEPTS.read_text("utf-8").splitlines()
    assert "IPTC" in lines[0]
    assert "CC BY 4.0" in "".join(lines[:2])
    table = topics.read_table()
    concepts = train.read_concepts()
    assert {topic for topic, _, _ in concepts} == set(table.codes)
    assert {child for _, child, _ in concepts if child} == set(table.child_codes)
    assert all(table.parents[child] == topic for topic, child, _ in concepts if child)


def test_length_is_bounded() -> None:
    lengths = model.length_of(np.array([0, 5, 25, 10_000, 100_000]))
    assert lengths[0] == lengths[1] < lengths[2] == 0 < lengths[3] == lengths[4]


def test_packing_does_not_depend_on_order() -> None:
    a, b = np.arange(3), np.ones(2)
    assert model.pack({"a": a, "b": b}) == model.pack({"b": b, "a": a})
    assert model.unpack_strings(model.pack_strings(["ї", "b"])) == ["ї", "b"]


def test_quantised_weights_are_close() -> None:
    weights = np.random.default_rng(0).normal(size=(200, 3))
    integers, scale = train.quantise(weights)
    assert np.abs(integers * scale - weights).max() <= scale.max() * 0.51


def test_calibration_error() -> None:
    scores = np.array([0.85, 0.85, 0.15, 0.15])
    assert figures.calibration_error(scores, np.array([True, True, False, False])) == pytest.approx(0.15)
    assert figures.calibration_error(np.ones(4), np.zeros(4, dtype=bool)) == 1
    assert [entry.count for entry in figures.reliability(scores, scores > 0.5) if entry] == [2, 2]


def test_label_figures() -> None:
    true = np.array([[True, False], [True, True]])
    got = figures.label_figures(np.array([[True, False], [False, True]]), true)
    assert got.micro_precision == 1
    assert got.micro_recall == pytest.approx(2 / 3)
    assert got.macro_f1 == pytest.approx((2 / 3 + 1) / 2)
