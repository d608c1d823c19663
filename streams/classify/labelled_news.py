"""News that was written first and labelled afterwards, by others than its writers: `news/LANGUAGE.jsonl`.

The other examples were written for their topics; these tell how often a topic occurs, what else stands in an article
about it, and how many sentences say nothing of any. An entry without a `text` labels the text of its number that is
annotated for the stage `entities`. Of each article up to two sentences, taken at random, are labelled by themselves, by
one who did not see the rest.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from streams.classify.labelled import LANGUAGES, Example
from streams.entities import annotated_texts

FOLDER = Path(__file__).with_name("news")

ARTICLE, SENTENCE = "article", "sentence of an article"
"""The `form` of these examples."""


def read_news() -> list[Example]:
    """Return articles, each followed by its labelled sentences, by language and place in the file.

    Some have no topic, and no labels of level 2 say anything: nobody has looked for those. The `group` of a sentence is
    its article's.

    Raises:
        ValueError: a line is not such an article; the message says where.
    """
    return [example for language in LANGUAGES for example in _read(language)]


def _read(language: str) -> Iterator[Example]:
    path = FOLDER / f"{language}.jsonl"
    annotated = {text.number: text.text for text in annotated_texts.read(language)}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        try:
            entry = json.loads(line)
            identifier: str = entry["id"]
            text: str = entry["text"] if "text" in entry else annotated[identifier.rsplit("-", 1)[1]]
            yield Example(identifier, language, tuple(entry["codes"]), (), ARTICLE, text)
            for order, part in enumerate(entry["sentences"], start=1):
                sentence = text[part["start"] : part["stop"]]
                yield Example(f"{identifier}-{order}", language, tuple(part["codes"]), (), SENTENCE, sentence)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}:{number}: not a labelled article: {error}") from error
