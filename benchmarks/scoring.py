"""How fast BLEU-1 to 4, ROUGE-L and CIDEr are computed, compared with pycocoevalcap in the same run.

    python benchmarks/scoring.py

warm      one more system for references that were counted before: tokens, corpus scores, scores per image
cold      a whole process with nothing cached: imports, reading the files, references, captions
command   `evaluator score` with its run folder, intervals and report, against a script that computes the same
          metrics with pycocoevalcap, corpus and per image; once without METEOR and once with it
growth    CPU time per image for 40,000 images over that for 5,000, references and captions counted and scored

warm and cold are seconds of wall-clock time. command is CPU seconds of the process and all its children, so
that Java and the second core count. METEOR's tables are prepared before the command is measured, as they are
once for all later runs; pycocoevalcap's program reads its own files each time.

All but growth use captions of published systems for the Karpathy test split where the real data is at hand
(EVALUATOR_TEST_DATA), else captions of drawn scenes. pycocoevalcap tokenizes with Java, and cannot keep its
references. The images of growth have newly drawn words, so that no cache helps. Readable lines come first,
and one JSON object last.
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
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice
from pathlib import Path

IMAGES = 5_000
MANY_IMAGES = 40_000
REPEATS = 5
COMMAND_REPEATS = 3
REAL_DATA = Path(os.environ.get("EVALUATOR_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
SYSTEMS = (
    "blip2_opt2.7b_coco_finetuned",
    "blip_vit_l_beam",
    "updown_paddle_xe",
    "minigpt4_vicuna7b_zeroshot",
)

TEXT_SCORERS = ("bleu", "rouge", "cider")

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

        if theirs:
            figures |= command_figures(Path(name), references, first)

        few, many = growth(references)
        figures["growth_ratio"] = round(many["seconds"] / few["seconds"], 3)
        figures["growth_of_memory"] = round(many["bytes"] / few["bytes"], 3)
        for images, each in ((IMAGES, few), (MANY_IMAGES, many)):
            print(
                f"{images:,} images: {each['seconds'] * 1e6:.0f} microseconds of CPU, "
                f"{each['bytes'] / 1e3:.1f} kB per image"
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
        {"id": 5 * image + which, "image_id": image, "caption": text}
        for image, scene in enumerate(scenes)
        for which, text in enumerate(references(scene, f"reference {image}"))
    ]
    images = [{"id": image, "file_name": f"{image}.png"} for image in range(len(scenes))]
    annotations = folder / "captions_drawn.json"
    annotations.write_text(json.dumps({"images": images, "annotations": texts}))
    paths = [folder / f"drawn_{seed}.json" for seed in range(len(SYSTEMS))]
    for seed, path in enumerate(paths):
        source = random.Random(seed)
        rows = [{"image_id": image, "caption": describe(scene, source)} for image, scene in enumerate(scenes)]
        path.write_text(json.dumps(rows))
    return annotations, paths


def read_files(references: Path, captions: Path, images: int = IMAGES) -> tuple[References, Captions]:
    texts: References = {}
    for row in json.loads(references.read_text(encoding="utf-8"))["annotations"]:
        texts.setdefault(str(row["image_id"]), []).append(row["caption"])
    rows = json.loads(captions.read_text(encoding="utf-8"))
    captioned = {str(row["image_id"]): row["caption"] for row in rows}
    shared = list(
        islice((image for image in texts if image in captioned), images)
    )  # a data set has one order
    return {image: texts[image] for image in shared}, {image: captioned[image] for image in shared}


def score(references: References, captions: Captions) -> dict[str, float]:
    """Corpus scores; the scores per image are computed as well."""
    from evaluator.core import Item
    from evaluator.scorers.bleu import BLEU
    from evaluator.scorers.cider import CIDEr
    from evaluator.scorers.rouge import ROUGE

    items = [Item(image, None, tuple(texts)) for image, texts in references.items()]
    texts = list(captions.values())
    scorers = (BLEU(), ROUGE(), CIDEr())
    measurements = list(chain.from_iterable(scorer.score(items, texts) for scorer in scorers))
    for measurement in measurements:
        _ = measurement.per_image
    return {measurement.name: measurement.value for measurement in measurements}


def our_scores(references: Path, captions: Path) -> dict[str, float]:
    return score(*read_files(references, captions))


def our_warm_seconds(references: Path, first: Path, others: Iterable[Path]) -> float:
    """The median over systems that come after the first, each scored once."""
    our_scores(references, first)
    data = [read_files(references, other) for other in others]
    return statistics.median(timed(score, *each) for each in data)


def peer_scores(references: Path, captions: Path) -> tuple[dict[str, float], float]:
    """The corpus scores of pycocoevalcap, and its seconds without imports and reading."""
    from pycocoevalcap.bleu.bleu import Bleu  # noqa: F401
    from pycocoevalcap.cider.cider import Cider  # noqa: F401
    from pycocoevalcap.rouge.rouge import Rouge  # noqa: F401
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer  # noqa: F401

    texts = read_files(references, captions)
    start = time.perf_counter()
    results = peer_results(*texts, meteor=False)
    return {name: score for name, (score, _) in results.items()}, time.perf_counter() - start


def peer_results(
    references: References, captions: Captions, meteor: bool
) -> dict[str, tuple[float, list[float]]]:
    """For each metric pycocoevalcap's corpus score and its scores per image."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    given = PTBTokenizer().tokenize(
        {image: [{"caption": text} for text in texts] for image, texts in references.items()}
    )
    candidates = PTBTokenizer().tokenize({image: [{"caption": text}] for image, text in captions.items()})
    corpus, images = Bleu(4).compute_score(given, candidates, verbose=0)
    results = {f"BLEU-{n}": (corpus[n - 1], images[n - 1]) for n in range(1, 5)}
    others = {"ROUGE-L": Rouge(), "CIDEr": Cider()}
    if meteor:
        from pycocoevalcap.meteor.meteor import Meteor

        others["METEOR"] = Meteor()
    for name, scorer in others.items():
        score, of_images = scorer.compute_score(given, candidates)
        results[name] = (float(score), [float(value) for value in of_images])
    return results


def command_figures(folder: Path, references: Path, captions: Path) -> dict[str, float]:
    """CPU seconds of the whole command and of the same by pycocoevalcap, without METEOR and with it."""
    from evaluator.scorers.meteor15.language import load_language

    load_language()
    figures = {}
    for suffix, scorers in (("", TEXT_SCORERS), ("_meteor", (*TEXT_SCORERS, "meteor"))):
        ours, peer = [], []
        for number in range(COMMAND_REPEATS):
            output = folder / f"run{suffix}-{number}"
            options = chain.from_iterable(("--scorer", scorer) for scorer in scorers)
            files = [str(captions), "--references", str(references), "--output", str(output)]
            ours.append(cpu_seconds([sys.executable, "-m", "evaluator", "score", *files, *options]))
            script = [sys.executable, __file__, f"peer{suffix}", str(references), str(captions)]
            peer.append(cpu_seconds([*script, str(folder / "peer.json")]))
        figures[f"command_seconds{suffix}"] = round(statistics.median(ours), 2)
        figures[f"peer_command_seconds{suffix}"] = round(statistics.median(peer), 2)
        figures[f"command_ratio{suffix}"] = round(statistics.median(peer) / statistics.median(ours), 2)
        print(
            f"command {' '.join(scorers):23} {statistics.median(ours):6.2f} CPU s, "
            f"pycocoevalcap {statistics.median(peer):6.2f} CPU s"
        )
    return figures


def cpu_seconds(command: Sequence[str]) -> float:
    """The CPU time, user and system, of a process and of all processes that it waited for."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_utime + usage.ru_stime


def process_seconds(whose: str, references: Path, captions: Path) -> float:
    """A whole process, each time with an empty cache folder; the median."""

    def once() -> float:
        with tempfile.TemporaryDirectory() as cache:
            command = [sys.executable, __file__, whose, str(references), str(captions)]
            environment = {**os.environ, "EVALUATOR_CACHE": cache}
            return timed(subprocess.run, command, check=True, env=environment, stdout=subprocess.DEVNULL)

    return statistics.median(once() for _ in range(3))


def growth(references: Path) -> tuple[dict[str, float], dict[str, float]]:
    """CPU seconds and bytes per image, the best of several processes: other programs can only add to them."""

    def best(images: int) -> dict[str, float]:
        command = [sys.executable, __file__, "grow", str(references), str(images)]
        runs = [json.loads(subprocess.check_output(command)) for _ in range(REPEATS)]
        return {name: min(run[name] for run in runs) for name in ("seconds", "bytes")}

    return best(IMAGES), best(MANY_IMAGES)


def grow(references: Path, images: int) -> dict[str, float]:
    """References and captions of known lengths, their words drawn from all words of the references."""
    os.environ["EVALUATOR_CACHE"] = tempfile.mkdtemp(dir=os.environ["EVALUATOR_CACHE"])
    texts = [row["caption"].split() for row in json.loads(references.read_text())["annotations"]]
    words = list(chain.from_iterable(texts))
    source = random.Random(images)

    def drawn() -> str:
        return " ".join(source.choices(words, k=len(source.choice(texts)))) + "."

    drawn_references = {str(image): [drawn() for _ in range(5)] for image in range(images)}
    captions = {image: drawn() for image in drawn_references}
    few = dict(islice(drawn_references.items(), 3))
    score(few, {image: captions[image] for image in few})  # imports, and what NumPy sets up
    start = time.process_time()
    score(drawn_references, captions)
    seconds = time.process_time() - start
    return {"seconds": seconds / images, "bytes": scored_bytes(drawn_references, captions) / images}


def scored_bytes(references: References, captions: Captions) -> int:
    """The most memory that scoring allocates at once, for references that it has not seen before."""
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
        case ["peer" | "peer_meteor" as whose, references, captions, output]:
            texts = read_files(Path(references), Path(captions))
            Path(output).write_text(json.dumps(peer_results(*texts, meteor=whose == "peer_meteor")))
        case ["grow", references, images]:
            Path(os.environ["EVALUATOR_CACHE"]).mkdir(exist_ok=True)
            print(json.dumps(grow(Path(references), int(images))))
