"""The statistics that METEOR 1.5 sums up: one row per caption, from its best reference."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from evaluator.core.aggregates.meteor import COLUMNS, meteor
from evaluator.core.arrays import Array
from evaluator.scorers.meteor15.aligner import Match, align
from evaluator.scorers.meteor15.language import Language
from evaluator.scorers.meteor15.texts import Text, read

FIRST_MATCH = COLUMNS.index("caption exact content")
CHUNKS = COLUMNS.index("chunks")


def statistics(captions: Sequence[str], references: Sequence[Sequence[str]], language: Language) -> Array:
    """Rows (N, 23): one caption per image, and at least one reference per image."""
    distinct = list(dict.fromkeys(chain(captions, chain.from_iterable(references))))
    texts = read(distinct, language)
    text_of = dict(zip(distinct, texts.texts, strict=True))
    pairs = (
        (text_of[caption], text_of[text])
        for caption, of_image in zip(captions, references, strict=True)
        for text in of_image
    )
    rows = [row(caption, reference, align(caption, reference, texts)) for caption, reference in pairs]
    return best_of_each(
        without_perfect_chunks(np.array(rows, np.float64)), [len(of_image) for of_image in references]
    )


def row(caption: Text, reference: Text, matches: Sequence[Match]) -> list[int]:
    """The numbers of COLUMNS for one alignment."""
    counts = [
        *(len(caption.words), len(reference.words)),
        *(sum(caption.is_function_word), sum(reference.is_function_word)),
        *[0] * (len(COLUMNS) - 4),
    ]
    end = caption_end = -1
    for match in matches:
        first = FIRST_MATCH + 4 * match.matcher
        for index in range(match.caption_start, match.caption_end):
            counts[first + 2 * caption.is_function_word[index]] += 1
        for index in range(match.start, match.end):
            counts[first + 1 + 2 * reference.is_function_word[index]] += 1
        counts[CHUNKS] += (match.start, match.caption_start) != (end, caption_end)
        end, caption_end = match.end, match.caption_end
    counts[-2] = sum(counts[FIRST_MATCH:CHUNKS:2])
    counts[-1] = sum(counts[FIRST_MATCH + 1 : CHUNKS : 2])
    return counts


def without_perfect_chunks(rows: Array) -> Array:
    """The rows as the program sums them: a caption that equals its reference adds no chunk to the penalty."""
    perfect = (rows[:, -2:] == rows[:, :2]).all(axis=1) & (rows[:, CHUNKS] == 1)
    changed = rows.copy()
    changed[perfect, CHUNKS] = 0
    return changed


def best_of_each(rows: Array, sizes: Sequence[int]) -> Array:
    """For each image the best of its rows, the first one of several; `sizes` holds the number of its rows."""
    scores = np.nan_to_num(meteor(rows))
    ends = np.cumsum(sizes).tolist()
    return rows[
        [start + int(scores[start:end].argmax()) for start, end in zip([0, *ends], ends, strict=False)]
    ]
