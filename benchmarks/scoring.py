"""How fast captions are scored with BLEU-1 to 4, ROUGE-L and CIDEr, beside pycocoevalcap in the same run.

    python benchmarks/scoring.py

warm      one more system for references that are known already: tokens, corpus scores, scores an image
cold      a whole process with nothing cached: imports, reading the files, references, captions
growth    CPU time an image of 40,000 images over that of 5,000, references and captions prepared and scored

Warm and cold are over the captions of published systems for the Karpathy test split where the real data is
at hand (EVALUATOR_TEST_DATA), else over captions of drawn scenes; pycocoevalcap tokenizes with Java, and
cannot keep its references. The images of growth have words drawn anew, so that nothing remembered helps.
Readable lines first, one JSON object last.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterable
from itertools import chain, islice
from pathlib import Path

IMAGES = 5_000
MANY_IMAGES = 40_000
REPEATS = 5
REAL_DATA = Path(os.environ.get("EVALUATOR_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
SYSTEMS = (
    "blip2_opt2.7b_coco_finetuned",
    "blip_vit_l_beam",
    "updown_paddle_xe",
    "minigpt4_vicuna7b_zeroshot",
)

References = dict[str, list[str]]
Captions = dict[str, str]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        os.environ["EVALUATOR_CACHE"] = str(Path(name) / "cache")
        references, systems = files(Path(name))
        first, *others = systems
        figures: dict[str, object] = {"images": IMAGES, "data": first.stem}
        theirs = shutil.which("java") is not None
        if not theirs:
            print("no comparison: install Java and pip install '.[coco]' for the peer's figures")

        warm = our_warm_seconds(references, first, others)
        figures["warm_seconds"] = round(warm, 3)
        cold = process_seconds("ours", references, first)
        figures["cold_seconds"] = round(cold, 2)
        if theirs:
            scores, peer = peer_scores(references, first)
            figures["peer_warm_seconds"] = round(peer, 2)
            figures["warm_ratio"] = round(peer / warm, 1)
            peer_cold = process_seconds("peer", references, first)
            figures["peer_cold_seconds"] = round(peer_cold, 2)
            figures["cold_ratio"] = round(peer_cold / cold, 1)
            ours = our_scores(references, first)
            figures["greatest_difference"] = max(abs(ours[name] - scores[name]) for name in scores)
        print(f"warm   {warm:8.3f} s", f"pycocoevalcap {peer:8.3f} s" if theirs else "")
        print(f"cold   {cold:8.3f} s", f"pycocoevalcap {peer_cold:8.3f} s" if theirs else "")

        few, many = growth(references)
        figures["growth_ratio"] = round(many["seconds"] / few["seconds"], 3)
        figures["growth_of_memory"] = round(many["bytes"] / few["bytes"], 3)
        for images, found in ((IMAGES, few), (MANY_IMAGES, many)):
            print(
                f"{images:,} images: {found['seconds'] * 1e6:.0f} microseconds of CPU, "
                f"{found['bytes'] / 1e3:.1f} kB an image"
            )
        print(json.dumps(figures))


def files(folder: Path) -> tuple[Path, list[Path]]:
    """A references file, and the captions files of several systems for the same images."""
    references = REAL_DATA / "coco" / "captions_karpathy_test.json"
    if references.is_file():
        return references, [REAL_DATA / "systems" / f"{name}.json" for name in SYSTEMS]
    return drawn_files(folder)


def drawn_files(folder: Path) -> tuple[Path, list[Path]]:
    from tools.demo.captions import describe, references
    from tools.demo.scenes import training_scenes

    scenes = list(islice(training_scenes(0), IMAGES))
    texts = [
        {"id": 5 * place + which, "image_id": place, "caption": text}
        for place, scene in enumerate(scenes)
        for which, text in enumerate(references(scene, f"reference {place}"))
    ]
    images = [{"id": place, "file_name": f"{place}.png"} for place in range(len(scenes))]
    annotations = folder / "captions_drawn.json"
    annotations.write_text(json.dumps({"images": images, "annotations": texts}))
    paths = [folder / f"drawn_{seed}.json" for seed in range(len(SYSTEMS))]
    for seed, path in enumerate(paths):
        source = random.Random(seed)
        rows = [{"image_id": place, "caption": describe(scene, source)} for place, scene in enumerate(scenes)]
        path.write_text(json.dumps(rows))
    return annotations, paths


def read_files(references: Path, captions: Path) -> tuple[References, Captions]:
    texts: References = {}
    for row in json.loads(references.read_text(encoding="utf-8"))["annotations"]:
        texts.setdefault(str(row["image_id"]), []).append(row["caption"])
    said = {str(row["image_id"]): row["caption"] for row in json.loads(captions.read_text(encoding="utf-8"))}
    shared = list(islice((image for image in texts if image in said), IMAGES))  # a data set has one order
    return {image: texts[image] for image in shared}, {image: said[image] for image in shared}


def score(references: References, captions: Captions) -> dict[str, float]:
    """Corpus scores; the scores of the images are computed beside them."""
    from evaluator.core import Item
    from evaluator.scorers.bleu import BLEU
    from evaluator.scorers.cider import CIDEr
    from evaluator.scorers.rouge import ROUGE

    items = [Item(image, None, tuple(texts)) for image, texts in references.items()]
    said = list(captions.values())
    found = list(chain.from_iterable(scorer.score(items, said) for scorer in (BLEU(), ROUGE(), CIDEr())))
    for measurement in found:
        _ = measurement.per_image
    return {measurement.name: measurement.value for measurement in found}


def our_scores(references: Path, captions: Path) -> dict[str, float]:
    return score(*read_files(references, captions))


def our_warm_seconds(references: Path, first: Path, others: Iterable[Path]) -> float:
    """The median over systems that come after the first, each scored once."""
    our_scores(references, first)
    data = [read_files(references, other) for other in others]
    return statistics.median(timed(score, *each) for each in data)


def peer_scores(references: Path, captions: Path) -> tuple[dict[str, float], float]:
    """The scores of pycocoevalcap, and its seconds without imports and reading."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    texts, said = read_files(references, captions)
    start = time.perf_counter()
    given = PTBTokenizer().tokenize({key: [{"caption": text} for text in of] for key, of in texts.items()})
    made = PTBTokenizer().tokenize({key: [{"caption": text}] for key, text in said.items()})
    bleu, _ = Bleu(4).compute_score(given, made, verbose=0)
    scores = {f"BLEU-{order}": value for order, value in enumerate(bleu, start=1)}
    scores["ROUGE-L"] = float(Rouge().compute_score(given, made)[0])
    scores["CIDEr"] = float(Cider().compute_score(given, made)[0])
    return scores, time.perf_counter() - start


def process_seconds(whose: str, references: Path, captions: Path) -> float:
    """A whole process, each time with an empty cache folder; the median."""

    def once() -> float:
        with tempfile.TemporaryDirectory() as cache:
            command = [sys.executable, __file__, whose, str(references), str(captions)]
            environment = {**os.environ, "EVALUATOR_CACHE": cache}
            return timed(subprocess.run, command, check=True, env=environment, stdout=subprocess.DEVNULL)

    return statistics.median(once() for _ in range(3))


def growth(references: Path) -> tuple[dict[str, float], dict[str, float]]:
    """CPU seconds and bytes an image, the best of some processes each: other programs only ever add to it."""

    def best(images: int) -> dict[str, float]:
        found = [
            json.loads(
                subprocess.check_output([sys.executable, __file__, "grow", str(references), str(images)])
            )
            for _ in range(REPEATS)
        ]
        return {name: min(each[name] for each in found) for name in ("seconds", "bytes")}

    return best(IMAGES), best(MANY_IMAGES)


def grow(references: Path, images: int) -> dict[str, float]:
    """References and captions of known lengths, their words drawn from all words of the references."""
    os.environ["EVALUATOR_CACHE"] = tempfile.mkdtemp(dir=os.environ["EVALUATOR_CACHE"])
    texts = [row["caption"].split() for row in json.loads(references.read_text())["annotations"]]
    words = list(chain.from_iterable(texts))
    source = random.Random(images)

    def drawn() -> str:
        return " ".join(source.choices(words, k=len(source.choice(texts)))) + "."

    made = {str(image): [drawn() for _ in range(5)] for image in range(images)}
    said = {image: drawn() for image in made}
    few = dict(islice(made.items(), 3))
    score(few, {image: said[image] for image in few})  # imports, and what NumPy sets up
    start = time.process_time()
    score(made, said)
    seconds = time.process_time() - start
    return {"seconds": seconds / images, "bytes": scored_bytes(made, said) / images}


def scored_bytes(references: References, captions: Captions) -> int:
    """The most that scoring holds at once of what it allocates, on references it has not seen."""
    again = {image: [f"{text} too" for text in texts] for image, texts in references.items()}
    tracemalloc.start()
    score(again, captions)
    return tracemalloc.get_traced_memory()[1]


def timed(call: Callable[..., object], *arguments: object, **options: object) -> float:
    start = time.perf_counter()
    call(*arguments, **options)
    return time.perf_counter() - start


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case ["ours", references, captions]:
            our_scores(Path(references), Path(captions))
        case ["peer", references, captions]:
            peer_scores(Path(references), Path(captions))
        case ["grow", references, images]:
            Path(os.environ["EVALUATOR_CACHE"]).mkdir(exist_ok=True)
            print(json.dumps(grow(Path(references), int(images))))
