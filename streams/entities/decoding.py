"""What the taggers decide, decided in less time: the same decisions, by the taggers' own weights.

spaCy goes token by token, with matrices of one row: two thirds of its time. But outside a name its state knows the next
token alone (`StateC.set_context_tokens` with three features; inside a name also the name's first token and the one
before the next). So every decision outside names is taken in one multiplication, and only tokens inside longer names go
one by one: .35 of the time, the same 14,045 names in 1.1 million characters of Worldwide Newswire and CoNLL++.

slovnet goes through a batch of texts word by word; one text needs a third of its steps.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from spacy.pipeline import EntityRecognizer
    from spacy.tokens import Doc

Matrix = NDArray[np.float32]


class BestPath:
    """The most probable labels of slovnet's conditional random field (Viterbi), in the place of its `CRF`."""

    def __init__(self, transitions: Matrix) -> None:
        """Take the scores of one label (row) after another (column)."""
        self._transitions = transitions

    def decode(self, emissions: Matrix, mask: NDArray[np.bool_]) -> list[list[int]]:
        """Return the labels of each text.

        Args:
            emissions: Scores, text x word x label.
            mask: Which words are no padding, text x word.
        """
        return [self._path(scores[:length]) for scores, length in zip(emissions, mask.sum(1).tolist(), strict=True)]

    def _path(self, emissions: Matrix) -> list[int]:
        score = emissions[0]
        came_from = []
        for emission in emissions[1:]:
            scores = score[:, None] + self._transitions
            came_from.append(scores.argmax(0).tolist())
            score = scores.max(0) + emission
        path = [int(score.argmax())]
        for before in reversed(came_from):
            path.append(before[path[-1]])
        return path[::-1]


class EntityTransitions:
    """The decisions of a trained `EntityRecognizer` of spaCy 3 with the usual three features."""

    def __init__(self, recognizer: "EntityRecognizer") -> None:
        """Take the weights.

        Args:
            recognizer: The pipeline's "ner".

        Raises:
            ValueError: It is of another architecture.
        """
        model = recognizer.model
        lower = model.get_ref("lower")
        weights: Matrix = lower.get_param("W")
        if weights.shape[0] != 3 or not model.attrs["has_upper"] or model.attrs["unseen_classes"]:
            raise ValueError(
                "spaCy's entity recogniser is not the one with three features and two layers that this project knows: "
                "take the model that requirements/runtime.txt names"
            )
        features, self._hidden, self._pieces, width = weights.shape
        self._vectors = model.get_ref("tok2vec")
        self._weights = np.ascontiguousarray(weights.reshape(features * self._hidden * self._pieces, width).T)
        self._bias: Matrix = lower.get_param("b").reshape(-1)
        padding = lower.get_param("pad").reshape(features, -1)
        # Outside a name the second and third feature are missing.
        self._outside_bias: Matrix = self._bias + padding[1] + padding[2]
        upper = model.get_ref("upper")
        # Not `move_names`: that leaves out "U-", which blocks names and has a row of its own.
        moves = [recognizer.moves.get_class_name(at) for at in range(recognizer.moves.n_moves)]
        self._free = np.array([at for at, move in enumerate(moves) if move[0] in "BUO" and move != "U-"])
        self._free_moves = [moves[at] for at in self._free]
        self._begins = np.array([move[0] == "B" for move in self._free_moves])
        self._not_out = np.array([move != "O" for move in self._free_moves])
        self._upper: Matrix = upper.get_param("W")
        self._upper_bias: Matrix = upper.get_param("b")
        self._upper_free = np.ascontiguousarray(self._upper[self._free].T)
        self._within = {
            move[2:]: [moves.index(f"I-{move[2:]}"), moves.index(f"L-{move[2:]}")] for move in moves if move[0] == "B"
        }

    def spans(self, doc: "Doc") -> Iterator[tuple[int, int, str]]:
        """Yield first token, token after the last, and label of every name in a tokenised text, by place.

        Args:
            doc: A `spacy.tokens.Doc` without entities or sentence starts of its own.
        """
        if not len(doc):
            return
        vectors: Matrix = self._vectors.predict([doc])
        size = self._hidden * self._pieces
        parts = vectors @ self._weights
        own, first, before = parts[:, :size], parts[:, size : 2 * size], parts[:, 2 * size :]
        scores = self._maxout(own + self._outside_bias) @ self._upper_free + self._upper_bias[self._free]
        # spaCy lets no name begin with white space, and none go on behind the last token.
        space = np.fromiter((token.is_space for token in doc), bool, len(doc))
        scores[np.ix_(space, self._not_out)] = -np.inf
        scores[-1, self._begins] = -np.inf
        best = scores.argmax(axis=1)
        behind = 0
        for at in np.flatnonzero(self._not_out[best]).tolist():
            if at < behind:
                continue
            move = self._free_moves[best[at]]
            label = move[2:]
            behind = at + 1
            if move[0] == "B":
                inside, last = self._within[label]
                while behind < len(doc) - 1:
                    state = self._maxout(own[behind] + first[at] + before[behind - 1] + self._bias)
                    go_on, end = self._upper[inside] @ state, self._upper[last] @ state
                    if go_on + self._upper_bias[inside] < end + self._upper_bias[last]:
                        break
                    behind += 1
                behind += 1
            yield at, behind, label

    def _maxout(self, state: Matrix) -> Matrix:
        best: Matrix = state.reshape(*state.shape[:-1], self._hidden, self._pieces).max(axis=-1)
        return best
