"""Write `common_words.{uk,en}.tsv`: the words that our labelled examples write small, and how often.

Run as `python -m streams.entities.build_common_words`. The source are the examples of `streams/classify`, from which
the sequence model does not learn: in its own texts every small word would be one of the table's.
"""

from collections import Counter

from streams.classify.labelled import read_child_examples, read_examples
from streams.entities.common_words import LANGUAGES, WORD, table_path
from streams.entities.names import spelled


def table(language: str) -> str:
    """Return what `main` writes for a language: a word and its count a line, by word."""
    counts = Counter(
        spelled(word)
        for example in (*read_examples(), *read_child_examples())
        if example.language == language
        for word in WORD.findall(example.text)
        if word.islower()
    )
    head = "# Words that our labelled examples write small, and how often; build_common_words.py makes this.\n"
    return head + "".join(f"{word}\t{count}\n" for word, count in sorted(counts.items()))


def main() -> None:
    """Write the tables."""
    for language in LANGUAGES:
        table_path(language).write_text(table(language), "utf-8")


if __name__ == "__main__":
    main()
