"""Train the topic model from the committed examples and cue words.

What goes in: `examples/`, `news/`, `no_topic.tsv`, `cues.tsv`, `child_cues.tsv`, the taxonomy's own definitions
(`concepts.tsv`) and the word vectors (`vectors.npz`). The same bytes on every run. Needs scikit-learn (the extra
`models`); `newsflow topics-model train` runs it.
"""

import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # scipy ships no types
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # scikit-learn ships no types
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # threadpoolctl ships no types

from streams.classify import features, figures, model, topics, vectors
from streams.classify.figures import Bin
from streams.classify.labelled import LANGUAGES, Example, read_child_examples, read_examples
from streams.classify.labelled_news import ARTICLE, SENTENCE, read_news
from streams.classify.report_page import Confusion, Curve, Table
from streams.classify.topics import TopicTable

NEWS_FORMS = (ARTICLE, SENTENCE)
"""Forms of texts that were written first and labelled afterwards; some have no topic."""

FOLDS = 5
"""Cross-validation folds; an example's fold is its number within topic and language modulo this, so each fold has every
topic, language and form, and examples of one number (which may share a subject across languages) stay together."""

C = 4.0
"""Inverse regularisation of the logistic regressions. By cross-validation 10 is better by .003, 4 is on texts of others
(docs/topics.md: three of the four development sets, by .006 to .012)."""

CUE_EXAMPLE_WEIGHT = 0.5
"""Each cue word is also a tiny training text of its topics, with this weight, so that its relatives count too."""

CONCEPTS = Path(__file__).with_name("concepts.tsv")
"""Names and definitions of the taxonomy's concepts with their level-1 codes (© IPTC, CC BY 4.0)."""

CHILD_CUES = Path(__file__).with_name("child_cues.tsv")
"""Names and cue phrases of level 2 in three languages, written by us; its head names the columns."""

TOPICLESS = Path(__file__).with_name("no_topic.tsv")
"""Sentences of which no topic can be told, written by us: what news says in every article is to speak for none."""

TOPICLESS_WEIGHT = 2.0
"""Weight of such a sentence beside an example's 1: they are few."""

CONCEPT_WEIGHT = 0.3
"""Weight of a definition beside an example's 1: it names what a topic is about, but is no news."""

CROPPED_WEIGHT = 0.5
"""Weight of the first sentence of an example of several, as an example of its own: articles can be short. Not of news,
whose sentences have labels of their own."""

MIN_WORDS = 5
"""A first sentence shorter than this says too little to learn from."""

MIN_EXAMPLES = 2
"""A feature must occur in this many examples: one seen once is noise."""

THRESHOLD = 0.25
"""An article gets the topics of at least this probability: the lowest whose held-out macro-F1 is within a point of the
best. Two of three assigned topics are right then; who needs more takes those of a higher score."""

BEST_THRESHOLD = 0.15
"""Where no topic reaches `THRESHOLD`, the best one is given if it reaches this; its score says what that is worth."""

CHILD_THRESHOLD = 0.4
"""Below a given topic of level 1, the topics of level 2 that are at least as probable, once the parent applies."""

CHILD_C = 3.0
"""`C` of level 2."""

CHILD_KINDS = "=^"
"""Level 2 reads whole words and prefixes: its examples are too few for character grams, and it takes a tenth."""

TOLERANCE = 1e-5
"""liblinear's stopping criterion: tight, so that last-bit noise stays far below the weights' 8-bit steps."""

_PARAMETER_DECIMALS = 5
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?…])\s+(?=[A-ZА-ЯІЇЄҐ«\"„“])")

MIN_CHILD_EXAMPLES = 10
"""Topics of level 2 with fewer examples are left out of a macro-F1, which would be chance."""

Weights = tuple[NDArray[np.float64], NDArray[np.float64]]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a set of training texts defines: features and cues with their idf (quantised as in the artefact)."""

    parts: list[str]
    cues: list[str]
    idf: NDArray[np.uint16]
    """Parts first, then cues, in units of `model.IDF_STEP`."""
    cue_topics: NDArray[np.uint32]
    """Bit t: the cue belongs to topic t."""


@dataclass(frozen=True, slots=True)
class Material:
    """Training texts with their labels and weights."""

    texts: list[list[str]]
    labels: Flags
    weight: Floats

    def __add__(self, other: "Material") -> "Material":
        return Material(
            self.texts + other.texts,
            np.vstack([self.labels, other.labels]),
            np.concatenate([self.weight, other.weight]),
        )


@dataclass(frozen=True, slots=True)
class Calibration:
    """From scores to log odds."""

    slopes: Floats
    offsets: Floats
    length: Floats
    """Factors of the log odds, of their product with the length, of the length; constant."""

    def logits(self, scores: Floats, sizes: NDArray[np.int64]) -> Floats:
        """Return log odds of scores (examples, topics) of texts with these numbers of words."""
        return model.for_length(scores * self.slopes + self.offsets, model.length_of(sizes)[:, None], self.length)


@dataclass(frozen=True, slots=True)
class Children:
    """What level 2 learns from: texts whose parents are known to apply."""

    material: Material
    """Labels have a column per topic of level 2."""
    parents: Flags
    """Whether a text is an example for the children of a topic of level 1, shape (texts, topics)."""
    group: NDArray[np.int64]
    """Fold of an example; -1 for what is never held out."""


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text, roughly: what ends with a full stop before a capital or a quote mark."""
    return _BETWEEN_SENTENCES.split(text)


def first_sentence(text: str) -> str | None:
    """Return the first sentence of a text of several, if it has at least `MIN_WORDS` words; else None."""
    sentences = split_sentences(text)
    return sentences[0] if len(sentences) > 1 and len(sentences[0].split()) >= MIN_WORDS else None


def read_labelled() -> list[Example]:
    """Return the examples that were written for their topics, then news.

    Raises:
        ValueError: a line of theirs is none; the message says where.
    """
    return read_examples() + read_news()


def read_concepts() -> list[tuple[str, str, str]]:
    """Return the taxonomy's concepts: code of level 1, of level 2 (empty: it is of level 1 itself), definition.

    Raises:
        ValueError: a line is no such triple.
    """
    return [(topic, child, text) for topic, child, text in _rows(CONCEPTS)]


def read_topicless() -> list[str]:
    """Return sentences without any topic, in three languages.

    Raises:
        ValueError: a line has not two columns.
    """
    return [text for _, text in _rows(TOPICLESS)]


def read_child_cues() -> list[tuple[str, str]]:
    """Return cue phrases and names of level 2 in three languages, each with its code.

    Raises:
        ValueError: a line has not the columns that the file's head names.
    """
    found = []
    for code, name_ru, name_uk, *cues in _rows(CHILD_CUES):
        found += [(code, name_ru), (code, name_uk)]
        found += [(code, cue) for column in cues for cue in column.split(" | ")]
    return found


def _rows(path: Path) -> list[list[str]]:
    lines = path.read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def build_vocabulary(texts: list[list[str]], codes: list[str]) -> Vocabulary:
    """Return the vocabulary of tokenised texts; idf = ln((1 + n) / (1 + df)) + 1, smoothed as in scikit-learn."""
    of_cue = features.cue_topics()
    part_counts: Counter[str] = Counter()
    cue_counts: Counter[str] = Counter()
    for words in texts:
        distinct = set(words)
        part_counts.update({part for word in distinct for part in features.parts(word)})
        cue_counts.update({cue for word in distinct if (cue := features.cue_of(word, of_cue)) is not None})
    parts = sorted(part for part, count in part_counts.items() if count >= MIN_EXAMPLES)
    cues = list(of_cue)
    frequencies = np.array([part_counts[part] for part in parts] + [cue_counts[cue] for cue in cues])
    idf = np.log((1 + len(texts)) / (1 + frequencies)) + 1
    return Vocabulary(
        parts=parts,
        cues=cues,
        idf=np.round(idf / model.IDF_STEP).astype(np.uint16),
        cue_topics=np.array([sum(1 << codes.index(code) for code in of_cue[cue]) for cue in cues], dtype=np.uint32),
    )


def sparse_rows(vectors_of_texts: list[tuple[model.Indices, Floats, Floats]], border: int) -> sparse.csr_matrix:
    """Return one row per text of (columns, values, dense rest); the dense rest begins at column `border`."""
    columns, data, ends = [], [], [0]
    for present, values, dense in vectors_of_texts:
        columns.append(np.concatenate([present, border + np.arange(len(dense))]))
        data.append(np.concatenate([values, dense]))
        ends.append(ends[-1] + len(data[-1]))
    shape = (len(vectors_of_texts), border + len(vectors_of_texts[0][2]))
    return sparse.csr_matrix((np.concatenate(data), np.concatenate(columns), ends), shape=shape)


def design_matrix(
    texts: list[list[str]], vocabulary: Vocabulary, topic_count: int, table: vectors.WordVectors
) -> sparse.csr_matrix:
    """Return one row per tokenised text: tf-idf, cue vector, word vector (exactly what the stage computes)."""
    made = model.Vectors(
        vocabulary.parts,
        vocabulary.cues,
        vocabulary.idf.astype(np.float64) * model.IDF_STEP,
        model.share_of_topics(vocabulary.cue_topics, topic_count),
        table,
    )
    readings = map(made.read, texts)
    return sparse_rows([(read.present, read.values, read.dense) for read in readings], len(vocabulary.parts))


def cue_texts(vocabulary: Vocabulary, topic_count: int) -> tuple[list[list[str]], Flags]:
    """Return the cue words as training texts, and their labels."""
    labels = model.share_of_topics(vocabulary.cue_topics, topic_count) > 0
    return [[cue.rstrip("=")] for cue in vocabulary.cues], labels


def one_vs_rest(rows: sparse.csr_matrix | Floats, targets: Flags, weight: Floats | None = None) -> Weights:
    """Return weights (features, topics) and intercepts (topics,) of a regression per column of `targets`."""
    fitted = []
    for target in targets.T:
        # liblinear's primal solver draws no random numbers, unlike its dual one and saga.
        regression = LogisticRegression(C=C, solver="liblinear", dual=False, tol=TOLERANCE, max_iter=1000)
        fitted.append(regression.fit(rows, target, sample_weight=weight))
    return np.array([one.coef_[0] for one in fitted]).T, np.array([one.intercept_[0] for one in fitted])


def fit(material: Material, codes: list[str], table: vectors.WordVectors) -> tuple[Vocabulary, Floats, Floats]:
    """Return vocabulary, weights (features, topics) and intercepts (topics,) of one-vs-rest regressions."""
    vocabulary = build_vocabulary(material.texts, codes)
    cues, cue_labels = cue_texts(vocabulary, len(codes))
    cue_rows = design_matrix(cues, vocabulary, len(codes), table)
    # A cue's own cue vector would be the answer.
    beside = np.ones(cue_rows.shape[1])
    beside[len(vocabulary.parts) : len(vocabulary.parts) + len(codes)] = 0
    cue_rows = cue_rows @ sparse.diags(beside)
    rows = sparse.vstack([design_matrix(material.texts, vocabulary, len(codes), table), cue_rows]).tocsr()
    targets = np.vstack([material.labels, cue_labels])
    weight = np.concatenate([material.weight, np.full(len(cues), CUE_EXAMPLE_WEIGHT)])
    return vocabulary, *one_vs_rest(rows, targets, weight)


def calibrate(scores: Floats, labels: Flags, sizes: NDArray[np.int64]) -> Calibration:
    """Return the calibration of held-out scores (examples, topics), their labels and numbers of words.

    Platt's slope and offset per topic, then one correction for the length of the text, common to all topics: the longer
    the text, the more unrelated words dilute its vector, and the more a given score means.
    """
    slopes, offsets = [], []
    for topic in range(scores.shape[1]):
        platt = LogisticRegression(C=100.0, solver="newton-cholesky", tol=1e-10, max_iter=1000)
        platt.fit(scores[:, [topic]], labels[:, topic])
        slopes.append(float(platt.coef_[0, 0]))
        offsets.append(float(platt.intercept_[0]))
    logits = scores * np.array(slopes) + np.array(offsets)
    length = np.repeat(model.length_of(sizes)[:, None], scores.shape[1], axis=1)
    features_of_length = np.stack([logits, logits * length, length], axis=2).reshape(-1, 3)
    common = LogisticRegression(C=100.0, solver="newton-cholesky", tol=1e-10, max_iter=1000)
    common.fit(features_of_length, labels.ravel())
    return Calibration(np.array(slopes), np.array(offsets), np.append(common.coef_[0], common.intercept_[0]))


def scores_of_unseen(
    material: Material,
    seen: Flags,
    unseen: Flags,
    never_held_out: Material,
    codes: list[str],
) -> Floats:
    """Return the scores (before calibration) of some examples by a model of others, on the committed word vectors."""
    table = vectors.load()
    kept, asked = np.flatnonzero(seen), np.flatnonzero(unseen)
    given = Material([material.texts[i] for i in kept], material.labels[kept], material.weight[kept])
    vocabulary, weights, intercepts = fit(given + never_held_out, codes, table)
    rows = design_matrix([material.texts[i] for i in asked], vocabulary, len(codes), table)
    scores: Floats = rows @ weights + intercepts
    return scores


def held_out_probabilities(scores: Floats, labels: Flags, folds: NDArray[np.int64], sizes: NDArray[np.int64]) -> Floats:
    """Return probabilities of held-out scores, each fold calibrated on the others only."""
    probabilities = np.zeros(scores.shape)
    for fold in range(FOLDS):
        seen, unseen = folds != fold, folds == fold
        made = calibrate(scores[seen], labels[seen], sizes[seen])
        probabilities[unseen] = model.sigmoid(made.logits(scores[unseen], sizes[unseen]))
    return probabilities


def quantise(weights: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Return 8-bit weights and the scale of each topic (column): weights ≈ integers · scale."""
    scale = np.round(np.abs(weights).max(axis=0) / 127, _PARAMETER_DECIMALS + 2)
    return np.clip(np.round(weights / scale), -127, 127).astype(np.int8), scale


def child_material(examples: list[Example], table: TopicTable) -> Children:
    """Return what level 2 learns from: examples with topics of level 2, the taxonomy's definitions, cue phrases."""
    codes, children = table.codes, table.child_codes
    known = [example for example in examples if example.children]
    named = [
        *((child, text, CONCEPT_WEIGHT) for _, child, text in read_concepts() if child),
        *((child, text, CUE_EXAMPLE_WEIGHT) for child, text in read_child_cues()),
    ]
    labels = np.array(
        [[child in example.children for child in children] for example in known]
        + [[child == own for child in children] for own, _, _ in named]
    )
    belongs = np.array([[table.parents[child] == code for code in codes] for child in children])
    return Children(
        Material(
            [features.words(text) for text in [*(example.text for example in known), *(text for _, text, _ in named)]],
            labels,
            np.array([1.0] * len(known) + [weight for _, _, weight in named]),
        ),
        parents=(labels.astype(int) @ belongs.astype(int)) > 0,
        group=np.array([example.group % FOLDS for example in known] + [-1] * len(named)),
    )


def fit_children(children: Children, rows: sparse.csr_matrix, of_parent: NDArray[np.int64], use: Flags) -> Weights:
    """Return weights (features, children) and intercepts (children,), each child against its siblings' texts only."""
    weights, intercepts = [], []
    for child, parent in enumerate(of_parent):
        inside = use & children.parents[:, parent]
        target = children.material.labels[inside, child]
        if target.all() or not target.any():
            raise ValueError(f"level 2, topic {child}: its texts are all of one kind")
        regression = LogisticRegression(C=CHILD_C, solver="liblinear", dual=False, tol=TOLERANCE, max_iter=1000)
        regression.fit(rows[inside], target, sample_weight=children.material.weight[inside])
        weights.append(regression.coef_[0])
        intercepts.append(regression.intercept_[0])
    return np.array(weights).T, np.array(intercepts)


@dataclass(frozen=True, slots=True)
class ChildModel:
    """Level 2, trained, with its held-out probabilities and what is true, shape (examples, topics) each."""

    weights: Floats
    offset: Floats
    slope: float
    probabilities: Floats
    labels: Flags
    asked: Flags
    """Whether the text is one of the topic's parent, so that the probability is asked for."""


def train_children(children: Children, rows: sparse.csr_matrix, of_parent: NDArray[np.int64]) -> ChildModel:
    """Return level 2: weights, and one calibration for all topics from held-out scores."""
    scores = np.zeros(children.material.labels.shape)
    for fold in range(FOLDS):
        weights, intercepts = fit_children(children, rows, of_parent, children.group != fold)
        unseen = children.group == fold
        scores[unseen] = rows[unseen] @ weights + intercepts
    asked = children.parents[:, of_parent] & (children.group >= 0)[:, None]
    platt = LogisticRegression(C=100.0, solver="newton-cholesky", tol=1e-10, max_iter=1000)
    platt.fit(scores[asked][:, None], children.material.labels[asked])
    slope, offset = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    weights, intercepts = fit_children(children, rows, of_parent, np.ones(len(children.group), dtype=bool))
    own = children.group >= 0
    probabilities = model.sigmoid(scores[own] * slope + offset)
    return ChildModel(
        weights, slope * intercepts + offset, slope, probabilities, children.material.labels[own], asked[own]
    )


def topic_table(probabilities: Floats, labels: Flags, examples: list[Example]) -> Table:
    """Return held-out figures of what was written for its topics, by language, and of news, by form."""
    kinds = np.array([example.form if example.form in NEWS_FORMS else example.language for example in examples])
    rows = []
    for kind in (*LANGUAGES, *NEWS_FORMS, "all"):
        inside = np.flatnonzero((kinds == kind) | (kind == "all"))
        p, y = probabilities[inside], labels[inside]
        assigned = p >= THRESHOLD
        got = figures.label_figures(assigned, y)
        rows.append(
            (
                kind,
                f"{len(inside)}",
                f"{figures.first_right(p, y):.3f}",
                f"{got.macro_f1:.3f}",
                f"{got.micro_f1:.3f}",
                f"{got.micro_precision:.3f}",
                f"{got.micro_recall:.3f}",
                f"{(~assigned.any(axis=1)).mean():.3f}",
                f"{(~y.any(axis=1)).mean():.3f}",
                f"{figures.calibration_error(p.max(axis=1), figures.best_is_right(p, y)):.3f}",
                f"{figures.calibration_error(p.ravel(), y.ravel()):.3f}",
            )
        )
    head = "texts n first-right macro-F1 micro-F1 precision recall none none-right ECE(first) ECE(all)"
    return Table(tuple(head.split()), tuple(rows))


def threshold_table(probabilities: Floats, labels: Flags) -> Table:
    """Return what other thresholds would give."""
    rows = []
    for threshold in (0.1, 0.2, 0.25, 0.3, 0.4, 0.5):
        assigned = probabilities >= threshold
        got = figures.label_figures(assigned, labels)
        none = (~assigned.any(axis=1)).mean()
        cells = (got.micro_precision, got.micro_recall, got.macro_f1, float(none))
        rows.append((f"{threshold:.2f}", *(f"{cell:.3f}" for cell in cells)))
    return Table(("threshold", "precision", "recall", "macro-F1", "none"), tuple(rows))


def topic_confusion(probabilities: Floats, examples: list[Example], table: TopicTable) -> Confusion:
    """Return how often examples of each main topic have each topic as the best scored one."""
    codes = table.codes
    counts = np.zeros((len(codes), len(codes)), dtype=np.int64)
    for example, best in zip(examples, probabilities.argmax(axis=1).tolist(), strict=True):
        if example.codes:
            counts[codes.index(example.codes[0]), best] += 1
    return Confusion(tuple(table.names[code] for code in codes), counts)


def curve_figures(scores: Floats, labels: Flags) -> dict[str, float]:
    """Return the figures of a learning curve, of scores as the regressions give them."""
    macro = figures.label_figures(model.sigmoid(scores) >= THRESHOLD, labels).macro_f1
    return {"first right": figures.first_right(scores, labels), "macro-F1": macro}


def child_table(trained: ChildModel) -> Table:
    """Return held-out figures of level 2 at several thresholds, given the right topics of level 1."""
    p, y, asked = trained.probabilities, trained.labels, trained.asked
    often = (y.sum(axis=0) >= MIN_CHILD_EXAMPLES).nonzero()[0]
    rows = []
    for threshold in (0.3, 0.4, 0.5, 0.6):
        assigned = (p >= threshold) & asked
        got = figures.label_figures(assigned, y)
        of_often = figures.label_figures(assigned[:, often], y[:, often])
        cells = (got.micro_precision, got.micro_recall, got.micro_f1, of_often.macro_f1)
        rows.append((f"{threshold:.2f}", *(f"{cell:.3f}" for cell in cells)))
    rows.append(("ECE", f"{figures.calibration_error(p[asked], y[asked]):.3f}", "", "", ""))
    macro = f"macro-F1 of the {len(often)} with {MIN_CHILD_EXAMPLES} examples"
    return Table(("threshold", "precision", "recall", "micro-F1", macro), tuple(rows))


@dataclass(frozen=True, slots=True)
class TrainedTopics:
    """The artefact, and what its report says."""

    content: bytes
    probabilities: Floats
    """Held out, shape (examples, topics)."""
    examples: int
    cues: int
    topics: Table
    thresholds: Table
    curve: Curve
    reliability: list[Bin | None]
    confusion: Confusion
    children: Table


EIGHTHS = 8
CURVE_SHARES = (1, 2, 4)
"""Eighths of the examples that the first models of the learning curve see; the last one sees all."""

STEPS = FOLDS + len(CURVE_SHARES) + 2
"""How often `train` tells its progress."""


def train(step: Callable[[], None]) -> TrainedTopics:
    """Return the artefact with its report; `step` is called `STEPS` times on the way.

    The models that are only for measuring are fitted beside it, in a process per core (about 1 GB each).
    """
    with threadpool_limits(1):  # the same order of additions whatever the number of cores
        return _train(step)


def _compute_in_one_thread() -> None:
    threadpool_limits(1)


def _train(step: Callable[[], None]) -> TrainedTopics:
    names = topics.read_table()
    codes, child_codes = names.codes, names.child_codes
    examples = read_labelled()
    labels = np.array([[code in example.codes for code in codes] for example in examples])
    table = vectors.load()
    defined, void = read_concepts(), read_topicless()
    concepts = Material(
        [features.words(text) for _, _, text in defined],
        np.array([[code == own for code in codes] for own, _, _ in defined]),
        np.full(len(defined), CONCEPT_WEIGHT),
    )
    never_held_out = concepts + Material(
        [features.words(text) for text in void],
        np.zeros((len(void), len(codes)), bool),
        np.full(len(void), TOPICLESS_WEIGHT),
    )
    cropped = [
        (i, cut)
        for i, example in enumerate(examples)
        if example.form not in NEWS_FORMS and (cut := first_sentence(example.text))
    ]
    origin = np.array([*range(len(examples)), *(i for i, _ in cropped)])
    material = Material(
        [features.words(text) for text in [*(example.text for example in examples), *(cut for _, cut in cropped)]],
        labels[origin],
        np.where(np.arange(len(origin)) < len(examples), 1.0, CROPPED_WEIGHT),
    )
    sizes = np.array([len(words) for words in material.texts])
    number = np.array([example.group for example in examples])[origin]
    folds = number % FOLDS

    whole = np.arange(len(origin)) < len(examples)
    asked = (folds == 0) & whole
    seen_for_curve = [(folds != 0) & (number // FOLDS % EIGHTHS < share) for share in CURVE_SHARES]
    splits = [(folds != fold, folds == fold) for fold in range(FOLDS)] + [(seen, asked) for seen in seen_for_curve]
    with ProcessPoolExecutor(initializer=_compute_in_one_thread) as pool:
        jobs = [pool.submit(scores_of_unseen, material, *split, never_held_out, codes) for split in splits]
        vocabulary, weights, intercepts = fit(material + never_held_out, codes, table)
        step()
        of_splits = []
        for job in jobs:
            of_splits.append(job.result())
            step()
    scores = np.zeros(material.labels.shape)
    for fold in range(FOLDS):
        scores[folds == fold] = of_splits[fold]
    probabilities = held_out_probabilities(scores, material.labels, folds, sizes)[: len(examples)]

    used = [int((seen & whole).sum()) for seen in seen_for_curve]
    lines = [curve_figures(part, material.labels[asked]) for part in of_splits[FOLDS:]]
    # With all of the examples it is the model that cross-validation has fitted for that fold.
    used.append(int(((folds != 0) & whole).sum()))
    lines.append(curve_figures(scores[asked], material.labels[asked]))
    curve = Curve(tuple(used), {name: tuple(line[name] for line in lines) for name in lines[0]})

    calibration = calibrate(scores, material.labels, sizes)
    lexical, scale = quantise(weights[: len(vocabulary.parts)])

    children = child_material(examples + read_child_examples(), names)
    of_parent = np.array([codes.index(names.parents[child]) for child in child_codes])
    rows = design_matrix(children.material.texts, vocabulary, len(codes), table)
    kinds = np.array([part[0] in CHILD_KINDS for part in vocabulary.parts])
    often = np.asarray((rows[:, : len(kinds)] != 0).sum(axis=0)).ravel() >= MIN_EXAMPLES
    child_parts = np.flatnonzero(kinds & often)
    kept = np.concatenate([child_parts, np.arange(len(kinds), rows.shape[1])])
    trained = train_children(children, rows[:, kept], of_parent)
    child_lexical, child_scale = quantise(trained.weights[: len(child_parts)])
    step()
    content = model.pack(
        {
            "topics": model.pack_strings(codes),
            "parts": model.pack_strings(vocabulary.parts),
            "cues": model.pack_strings(vocabulary.cues),
            "idf": vocabulary.idf,
            "cue_topics": vocabulary.cue_topics,
            "weights": lexical,
            "scale": scale,
            "dense_weights": np.round(weights[len(vocabulary.parts) :], _PARAMETER_DECIMALS),
            "slope": np.round(calibration.slopes, _PARAMETER_DECIMALS),
            "offset": np.round(calibration.slopes * intercepts + calibration.offsets, _PARAMETER_DECIMALS),
            "length": np.round(calibration.length, _PARAMETER_DECIMALS),
            "thresholds": np.array([THRESHOLD, BEST_THRESHOLD, CHILD_THRESHOLD]),
            "table": np.frombuffer(bytes.fromhex(table.sha256), dtype=np.uint8),
            "child_topics": model.pack_strings(child_codes),
            "child_parents": of_parent.astype(np.uint8),
            "child_parts": child_parts.astype(np.int32),
            "child_weights": child_lexical,
            "child_scale": child_scale,
            "child_dense_weights": np.round(trained.weights[len(child_parts) :], _PARAMETER_DECIMALS),
            "child_slope": np.full(len(child_codes), round(trained.slope, _PARAMETER_DECIMALS)),
            "child_offset": np.round(trained.offset, _PARAMETER_DECIMALS),
        }
    )
    return TrainedTopics(
        content,
        probabilities=probabilities,
        examples=len(examples),
        cues=len(features.cue_topics()),
        topics=topic_table(probabilities, labels, examples),
        thresholds=threshold_table(probabilities, labels),
        curve=curve,
        reliability=figures.reliability(probabilities.ravel(), labels.ravel()),
        confusion=topic_confusion(probabilities, examples, names),
        children=child_table(trained),
    )
