"""Seconds for tokens, BLEU, ROUGE-L and CIDEr of 5,000 captions with 5 references each, and pycocoevalcap's.

    python benchmarks/scoring.py

Both score the same captions in the same run, the peer with its Java tokenizer: those of a published system
for the Karpathy test split where the real data is at hand (EVALUATOR_TEST_DATA), else captions of drawn
scenes.
Readable lines first, one JSON object last.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from evaluator.core import Item
from evaluator.demo.captions import describe, references
from evaluator.demo.scenes import training_scenes
from evaluator.scorers import ngrams, tokenizer
from evaluator.scorers.bleu import BLEU
from evaluator.scorers.cider import CIDEr
from evaluator.scorers.rouge import ROUGE

IMAGES = 5_000
REPEATS = 3
SYSTEM = "blip2_opt2.7b_coco_finetuned"
REAL_DATA = Path(os.environ.get("EVALUATOR_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))

Data = tuple[str, list[Item], list[str]]
Timed = tuple[dict[str, float], dict[str, float]]


def real_captions(folder: Path) -> Data:
    texts: dict[int, list[str]] = {}
    for row in json.loads((folder / "coco" / "captions_karpathy_test.json").read_text())["annotations"]:
        texts.setdefault(row["image_id"], []).append(row["caption"])
    rows = json.loads((folder / "systems" / f"{SYSTEM}.json").read_text())[:IMAGES]
    items = [Item(str(row["image_id"]), None, tuple(texts[row["image_id"]])) for row in rows]
    return f"{SYSTEM}, Karpathy test", items, [row["caption"] for row in rows]


def drawn_captions() -> Data:
    scenes = list(islice(training_scenes(0), IMAGES))
    items = [
        Item(str(place), None, references(scene, f"reference {place}")) for place, scene in enumerate(scenes)
    ]
    source = random.Random(0)
    return "drawn scenes", items, [describe(scene, source) for scene in scenes]


def ours(items: list[Item], captions: list[str]) -> Timed:
    """Seconds of each step, and the scores. What a step finds already made costs it nothing."""
    seconds: dict[str, float] = {}
    scores: dict[str, float] = {}
    texts = tuple(text for item in items for text in item.references)

    def tokens() -> None:
        tokenizer.tokenize_all(texts)
        tokenizer.tokenize_all(tuple(captions))

    seconds["tokens"] = timed(tokens)
    for scorer in (BLEU(), ROUGE(), CIDEr()):
        start = time.perf_counter()
        scores |= {measurement.name: measurement.value for measurement in scorer.score(items, captions)}
        seconds[type(scorer).__name__] = time.perf_counter() - start
    return seconds, scores


def forget() -> None:
    """As in a process that has just started."""
    for remembered in (tokenizer.tokenize_all, tokenizer.tokenize_piece, ngrams.count_references):
        remembered.cache_clear()


def peer(items: list[Item], captions: list[str]) -> Timed:
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    given = {item.id: [{"caption": text} for text in item.references] for item in items}
    made = {item.id: [{"caption": text}] for item, text in zip(items, captions, strict=True)}
    seconds: dict[str, float] = {}
    scores: dict[str, float] = {}
    start = time.perf_counter()
    given, made = PTBTokenizer().tokenize(given), PTBTokenizer().tokenize(made)
    seconds["tokens"] = time.perf_counter() - start
    for name, scorer in (("BLEU", Bleu(4)), ("ROUGE", Rouge()), ("CIDEr", Cider())):
        start = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            value, _ = scorer.compute_score(given, made)
        seconds[name] = time.perf_counter() - start
        if name == "BLEU":
            scores |= {f"BLEU-{order}": score for order, score in enumerate(value, start=1)}
        else:
            scores["ROUGE-L" if name == "ROUGE" else name] = float(value)
    return seconds, scores


def timed(step: Callable[[], None]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def best(runs: list[Timed]) -> Timed:
    return min(runs, key=lambda run: sum(run[0].values()))


def main() -> None:
    real = (REAL_DATA / "coco" / "captions_karpathy_test.json").is_file()
    source, items, captions = real_captions(REAL_DATA) if real else drawn_captions()
    texts = sum(len(item.references) for item in items)
    print(f"{len(items):,} captions, {texts:,} references ({source}); the best of {REPEATS} runs, seconds")

    first_runs = []
    for _ in range(REPEATS):
        forget()
        first_runs.append(ours(items, captions))
    first, scores = best(first_runs)
    # Another system on the same references: its captions are new, the references are counted already.
    again, _ = best([ours(items, [f"{text} {run}" for text in captions]) for run in range(REPEATS)])
    figures: dict[str, object] = {
        "images": len(items),
        "references": texts,
        "source": source,
        "ours_first_system_seconds": round(sum(first.values()), 4),
        "ours_next_system_seconds": round(sum(again.values()), 4),
    }
    theirs: dict[str, float] | None = None
    with contextlib.suppress(ImportError):
        if shutil.which("java"):
            theirs, their_scores = best([peer(items, captions) for _ in range(REPEATS)])
            figures["peer"] = "pycocoevalcap"
            figures["peer_seconds"] = round(sum(theirs.values()), 4)
            figures["times_faster_first_system"] = round(sum(theirs.values()) / sum(first.values()), 1)
            figures["times_faster_next_system"] = round(sum(theirs.values()) / sum(again.values()), 1)
            figures["greatest_difference"] = max(abs(scores[name] - their_scores[name]) for name in scores)
    print(f"{'':8}{'first system':>14}{'next system':>14}{'pycocoevalcap':>16}")
    for step in first:
        told = f"{theirs[step]:16.3f}" if theirs else f"{'-':>16}"
        print(f"{step:8}{first[step]:14.3f}{again[step]:14.3f}{told}")
    if theirs:
        print(f"greatest difference of a score: {figures['greatest_difference']:.1e}")
    else:
        print("no comparison: pip install 'evaluator[coco]' and install Java for the peer's figures")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
