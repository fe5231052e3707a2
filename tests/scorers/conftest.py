"""The reference programs, where they are installed."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

Tokens = tuple[str, ...]
Scores = dict[str, tuple[float, NDArray[np.float64]]]  # the corpus' and each image's
CocoCaption = Callable[[Sequence[str], Sequence[Sequence[str]]], Scores]


@pytest.fixture(scope="session")
def stanford(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Sequence[str]], list[Tokens]]:
    """Lines -> their tokens by CoreNLP 3.4.1, with coco-caption's options and its list of punctuation."""
    module = pytest.importorskip(
        "pycocoevalcap.tokenizer.ptbtokenizer", reason="pycocoevalcap is not installed"
    )
    java = shutil.which("java")
    if java is None:
        pytest.skip("Java is not installed")
    jar = Path(module.__file__).parent / module.STANFORD_CORENLP_3_4_1_JAR
    folder = tmp_path_factory.mktemp("stanford")

    def tokens(lines: Sequence[str]) -> list[Tokens]:
        source = folder / "lines.txt"
        source.write_bytes("\n".join(lines).encode())
        options = ["-preserveLines", "-lowerCase"]
        command = [java, "-cp", str(jar), "edu.stanford.nlp.process.PTBTokenizer", *options, str(source)]
        found = subprocess.run(command, check=True, capture_output=True).stdout.decode().split("\n")
        return [
            tuple(token for token in line.rstrip().split(" ") if token and token not in module.PUNCTUATIONS)
            for line in found[: len(lines)]
        ]

    return tokens


@pytest.fixture(scope="session")
def coco_caption() -> CocoCaption:
    """Tokenized captions and references, each as one text -> the scores of pycocoevalcap."""
    reason = "pycocoevalcap is not installed"
    bleu = pytest.importorskip("pycocoevalcap.bleu.bleu", reason=reason)
    rouge = pytest.importorskip("pycocoevalcap.rouge.rouge", reason=reason)
    cider = pytest.importorskip("pycocoevalcap.cider.cider", reason=reason)

    def scores(captions: Sequence[str], references: Sequence[Sequence[str]]) -> Scores:
        given = {number: list(texts) for number, texts in enumerate(references)}
        made = {number: [text] for number, text in enumerate(captions)}
        with contextlib.redirect_stdout(io.StringIO()):
            corpus, images = bleu.Bleu(4).compute_score(given, made, verbose=0)
            found = {f"BLEU-{place + 1}": (corpus[place], np.array(images[place])) for place in range(4)}
            found["ROUGE-L"] = rouge.Rouge().compute_score(given, made)
            if any(text.split() for texts in references for text in texts):  # it fails where there is no word
                found["CIDEr"] = cider.Cider().compute_score(given, made)
        return found

    return scores


@pytest.fixture(scope="session")
def recomputed(real_data: Path) -> dict[str, dict[str, float]]:
    """What pycocoevalcap 1.2, its Java tokenizer included, gave for each published system."""
    systems = json.loads((real_data / "systems" / "scores.json").read_text())
    key = "recomputed_with_pycocoevalcap_1.2"
    return {name: told[key] for name, told in systems.items() if key in told}
