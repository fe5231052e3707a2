"""Prepared references: what captions share with them, and what of them a second process reads again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.scorers import prepared
from evaluator.scorers.bleu import bleu_statistics
from evaluator.scorers.cider import cider, weigh
from evaluator.scorers.compared import compared
from evaluator.scorers.prepared import digest, from_arrays, made_from, prepare, to_arrays
from evaluator.scorers.rouge import rouge_l

Texts = tuple[tuple[str, ...], ...]

texts = st.lists(st.sampled_from(["a", "b", "c", "d", "1 1/2"]), max_size=8).map(" ".join)
corpora = st.lists(
    st.tuples(texts, st.lists(texts, min_size=1, max_size=3).map(tuple)), min_size=1, max_size=6
)
Corpus = list[tuple[str, tuple[str, ...]]]

MANY: Texts = tuple(
    (f"a cat number {n} on a mat", "the cat", f"1 1/2 cats and dog {n % 7}") for n in range(300)
)
SAID = tuple(f"a cat on a red mat {n % 5}" for n in range(300))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache, and nothing remembered from before."""
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path))
    forget()
    yield tmp_path / "references"
    forget()


def forget() -> None:
    """As in another process: nothing is remembered."""
    prepared._prepare.cache_clear()
    compared.cache_clear()
    weigh.cache_clear()


def all_scores(captions: tuple[str, ...] = SAID, references: Texts = MANY) -> list[np.ndarray]:
    return [scores(captions, references) for scores in (bleu_statistics, rouge_l, cider)]


def one_by_one(text: str, order: int) -> Counter[tuple[str, ...]]:
    words = text.split()
    return Counter(tuple(words[start : start + order]) for start in range(len(words) - order + 1))


@given(corpora)
def test_document_frequencies_count_images(corpus: Corpus) -> None:
    references = tuple(of_image for _, of_image in corpus)
    for order, frequencies in enumerate(prepare(references).frequencies, 1):
        expected = Counter(
            gram
            for of_image in references
            for gram in set().union(*(one_by_one(text, order) for text in of_image))
        )
        assert sorted(frequencies[frequencies > 0].tolist()) == sorted(expected.values())


@given(corpora)
def test_parts_change_no_score(corpus: Corpus) -> None:
    captions = tuple(caption + " unheard" for caption, _ in corpus)
    references = tuple(of_image for _, of_image in corpus)
    together = all_scores(captions, references)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepared, "IMAGES_OF_A_PART", 2)
        forget()
        apart = all_scores(captions, references)
        assert len(prepare(references).parts) == (len(references) + 1) // 2
    forget()
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14)


@given(corpora)
def test_arrays_hold_all_of_it(corpus: Corpus) -> None:
    references = tuple(of_image for _, of_image in corpus)
    before = made_from(references, 4)
    after = from_arrays(to_arrays(before))
    assert list(after.vocabulary) == list(before.vocabulary)
    assert after.images == before.images
    for name, array in to_arrays(before).items():
        assert (to_arrays(after)[name] == array).all()


def test_a_second_process_reads_and_does_not_tokenize(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = all_scores()
    assert len(list(folder.iterdir())) == 1
    forget()
    monkeypatch.setattr(prepared, "made_from", None)
    for told, wanted in zip(all_scores(), expected, strict=True):
        assert (told == wanted).all()


def test_other_references_are_another_file(folder: Path) -> None:
    prepare(MANY)
    prepare((*MANY[:-1], ("another",)))
    assert len(list(folder.iterdir())) == 2


def test_few_references_are_not_worth_a_file(folder: Path) -> None:
    prepare(MANY[:3])
    assert not folder.exists()


@pytest.mark.parametrize("damage", ["torn", "empty", "foreign", "one bit", "another's"])
def test_a_damaged_file_is_made_again(folder: Path, damage: str) -> None:
    expected = all_scores()
    (path,) = folder.iterdir()
    content = path.read_bytes()
    if damage == "another's":
        forget()
        prepare(MANY[:200])
        (other,) = set(folder.iterdir()) - {path}
        other.replace(path)
    else:
        middle = len(content) // 2
        flipped = bytes([content[middle] ^ 1])
        path.write_bytes(
            {
                "torn": content[:middle],
                "empty": b"",
                "foreign": b"not arrays at all",
                "one bit": content[:middle] + flipped + content[middle + 1 :],
            }[damage]
        )
    forget()
    for told, wanted in zip(all_scores(), expected, strict=True):
        assert (told == wanted).all()
    assert path.read_bytes() == content
    assert list(folder.iterdir()) == [path]


def test_the_program_text_is_part_of_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest(MANY, 4)
    assert digest(MANY, 5) != before
    monkeypatch.setattr(prepared, "made_by", lambda: b"another tokenizer")
    assert digest(MANY, 4) != before


@given(corpora, corpora)
def test_different_references_have_different_digests(first: Corpus, second: Corpus) -> None:
    one, two = (tuple(of_image for _, of_image in corpus) for corpus in (first, second))
    assert (digest(one, 4) == digest(two, 4)) == (one == two)


PROGRAM = """
import json, sys
from evaluator.scorers.cider import cider

def to_tuples(texts):
    return texts if isinstance(texts, str) else tuple(map(to_tuples, texts))

print(json.dumps(cider(*map(to_tuples, json.load(sys.stdin))).tolist()))
"""


def test_processes_at_the_same_time_agree(folder: Path) -> None:
    environment = {**os.environ, "EVALUATOR_CACHE": str(folder.parent), "OMP_NUM_THREADS": "1"}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        for _ in range(3)
    ]
    for process in running:  # all of them get to work before the first is waited for
        assert process.stdin is not None
        process.stdin.write(json.dumps([SAID, MANY]))
        process.stdin.close()
        process.stdin = None
    told = [json.loads(process.communicate(timeout=300)[0]) for process in running]
    assert told == [cider(SAID, MANY).tolist()] * 3
    assert len(list(folder.iterdir())) == 1
