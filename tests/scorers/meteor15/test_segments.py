"""Statistics of captions against the program's own, row by row."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from evaluator.core import Array
from evaluator.core.aggregates.meteor import COLUMNS
from evaluator.scorers.meteor15.language import Language
from evaluator.scorers.meteor15.segments import best_of_each, statistics, without_perfect_chunks
from evaluator.scorers.tokenizer.ptb import tokenized_text
from tools.demo.captions import describe, references
from tools.demo.scenes import training_scenes

Program = Callable[[Sequence[str], Sequence[Sequence[str]]], Array]
SYSTEMS = (
    "blip2_opt2.7b_coco_finetuned",
    "instructblip_vicuna7b_zeroshot",
    "minigpt4_vicuna7b_zeroshot",
    "blip_vit_l_beam",
    "updown_paddle_xe",
    "magic",
    "zerocap",
)
# Every so many images of each system; 1 compares all 35,000 captions, which takes some minutes.
EVERY = int(os.environ.get("EVALUATOR_TEST_EVERY", "25"))

# Words that match in many ways and many places, so that the beam overflows and ties are frequent.
WORDS = (
    *(
        "a",
        "a",
        "the",
        "of",
        "on",
        "in front of",
        "next to",
        "sitting",
        "sits",
        "sat",
        "man",
        "men",
        "person",
    ),
    *(
        "street",
        "road",
        "big",
        "large",
        "dog",
        "puppy",
        "dogs",
        "is",
        "are",
        "at the edge of",
        "side by side",
    ),
    *("walking", "walks", "standing", "stood", "bus", "buses", "photo", "picture", "close up", "a group of"),
)
HARD = (
    *("", ".", "...", "'", "''", "|||", "a ||| b", "-", "--", "–", "e-mail", "well-dressed", "a-b-c"),
    *("do n't", "it's", "o'clock", "rock 'n' roll", "1's", "the 90s'", "n't", "'s", "' s"),
    *("mr. smith", "no. 7", "no. it is", "u.s.a.", "p.m. today", "a.b", "1,000", "a,b", "1,b", "a,1", "3.5"),
    *("$ 5", "50 %", "#1", "a/b", "a&b", "www.x.com", "me@x.org", ":-)", "<b>", "“quoted”", "‘so’", "`x`"),
    *(
        "café",
        "cafe\u0301",
        "köşe",
        "naïve",
        "Straße",
        "ИЛИ",
        "日本 語",
        "ａｂｃ",
        "🐈 cat",
        "1\xa01/2",
        "\u2009x",
    ),
    *("teheran siblings", "siblings teheran", "\ud800", "a\tb", "x\x0by", "\x00", "a\u2028b", "ﬁsh"),
    *("is was be been", "better good best well", "geese goose", "glasses glass", "beautiful beauty"),
)


def tokenized(texts: Sequence[str]) -> list[str]:
    return list(map(tokenized_text, texts))


def test_published_captions(real_data: Path, language: Language, program: Program) -> None:
    texts: dict[int, list[str]] = {}
    for row in json.loads((real_data / "coco" / "captions_karpathy_test.json").read_bytes())["annotations"]:
        texts.setdefault(row["image_id"], []).append(row["caption"])
    rows = [
        row
        for name in SYSTEMS
        for row in json.loads((real_data / "systems" / f"{name}.json").read_bytes())[::EVERY]
    ]
    captions = tokenized([row["caption"] for row in rows])
    given = [tokenized(texts[row["image_id"]]) for row in rows]
    assert np.array_equal(statistics(captions, given, language), program(captions, given))


def test_drawn_scenes(language: Language, program: Program) -> None:
    scenes = list(islice(training_scenes(1), 200))
    source = random.Random(0)
    captions = tokenized([describe(scene, source) for scene in scenes])
    given = [tokenized(references(scene, f"text {place}")) for place, scene in enumerate(scenes)]
    assert np.array_equal(statistics(captions, given, language), program(captions, given))


def test_words_that_match_in_many_ways(language: Language, program: Program) -> None:
    source = random.Random(0)

    def text() -> str:
        return " ".join(source.choices(WORDS, k=source.randint(1, 14)))

    captions = [text() for _ in range(500)]
    given = [[text() for _ in range(source.randint(1, 4))] for _ in captions]
    assert np.array_equal(statistics(captions, given, language), program(captions, given))


def test_hard_sentences(language: Language, program: Program) -> None:
    """Not tokenized before, so that the program's own normalisation has to do its work."""
    source = random.Random(0)
    captions = [*HARD, *(" ".join(source.choices(HARD + WORDS, k=4)) for _ in range(300))]
    given = [[" ".join(source.choices(HARD + WORDS, k=4)), text, text.upper()] for text in captions]
    assert np.array_equal(statistics(captions, given, language), program(captions, given))


def test_of_equally_good_references_the_first_counts() -> None:
    column = {name: place for place, name in enumerate(COLUMNS)}

    def row(words: int, matched: int, chunks: int) -> list[float]:
        values = np.zeros(len(COLUMNS))
        values[[0, 1]] = words
        values[[column["caption exact content"], column["reference exact content"], -1, -2]] = matched
        values[column["chunks"]] = chunks
        return values.tolist()

    rows = np.array([row(4, 2, 1), row(8, 4, 2), row(4, 1, 1), row(4, 0, 0), row(5, 0, 0)])
    assert best_of_each(rows, [3, 2])[:, 0].tolist() == [4, 4]


def test_a_caption_that_is_its_reference_adds_no_chunk(language: Language) -> None:
    same, other = statistics(["a red cat", "a red cat"], [["a red cat"], ["a red cat sat"]], language)
    chunks = COLUMNS.index("chunks")
    assert (same[chunks], other[chunks]) == (0, 1)
    assert without_perfect_chunks(np.array([other])).tolist() == [other.tolist()]
