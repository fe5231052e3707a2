"""METEOR of 5,000 captions with their references, beside pycocoevalcap's Java program in the same run.

    python benchmarks/meteor.py

Seconds are of scoring captions that are tokenized already, in new processes of the same machine: with one
process, with one a core, and by pycocoevalcap, which asks its program one caption at a time. Start-up
(imports, opening the prepared tables, Java reading its own) is within them and printed beside them. The
tables are prepared before, as they are once for all later runs. Readable lines first, one JSON object last.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

IMAGES = 5_000
REPEATS = 3
REAL_DATA = Path(os.environ.get("EVALUATOR_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
SYSTEM = "blip2_opt2.7b_coco_finetuned"

Texts = tuple[list[str], list[list[str]]]


def texts() -> Texts:
    """Captions of a published system for the Karpathy test split, or of drawn scenes; tokenized."""
    from evaluator.scorers.tokenizer.ptb import tokenize

    captions, references = raw_texts()
    return (
        [" ".join(tokenize(text)) for text in captions],
        [[" ".join(tokenize(text)) for text in of_image] for of_image in references],
    )


def raw_texts() -> Texts:
    annotations = REAL_DATA / "coco" / "captions_karpathy_test.json"
    if not annotations.is_file():
        import random

        from tools.demo.captions import describe, references
        from tools.demo.scenes import training_scenes

        scenes = list(islice(training_scenes(0), IMAGES))
        source = random.Random(0)
        return (
            [describe(scene, source) for scene in scenes],
            [list(references(scene, f"text {place}")) for place, scene in enumerate(scenes)],
        )
    found: dict[int, list[str]] = {}
    for row in json.loads(annotations.read_text())["annotations"]:
        found.setdefault(row["image_id"], []).append(row["caption"])
    rows = json.loads((REAL_DATA / "systems" / f"{SYSTEM}.json").read_text())[:IMAGES]
    return [row["caption"] for row in rows], [found[row["image_id"]] for row in rows]


def ours(given: Texts, processes: int) -> float:
    from evaluator.core.aggregates.meteor import meteor
    from evaluator.scorers.meteor15.engines import by_python

    return float(meteor(by_python(*given, processes).sum(axis=0)))


def peer(given: Texts) -> float:
    from pycocoevalcap.meteor.meteor import Meteor

    captions, references = given
    score, _ = Meteor().compute_score(
        dict(enumerate(references)), {n: [text] for n, text in enumerate(captions)}
    )
    return float(score)


def measure(whose: str, images: int) -> dict[str, float]:
    """In a process of its own: the score, seconds from its first line on, and the memory it took."""
    start = time.perf_counter()
    captions, references = json.load(sys.stdin)
    given = captions[:images], references[:images]
    reading = time.perf_counter() - start
    score = peer(given) if whose == "peer" else ours(given, int(whose))
    seconds = time.perf_counter() - start - reading
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {"score": score, "seconds": seconds, "megabytes": sum(peaks) / 1024}


def median(given: Texts, whose: str, images: int = IMAGES) -> dict[str, float]:
    runs = []
    for _ in range(REPEATS):
        done = subprocess.run(
            [sys.executable, __file__, whose, str(images)],
            input=json.dumps(given).encode(),
            capture_output=True,
            check=True,
        )
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def main() -> None:
    from evaluator.scorers.meteor15.language import load_language

    given = texts()
    start = time.perf_counter()
    load_language()
    print(f"tables prepared or opened in {time.perf_counter() - start:.1f} s")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    kinds = {"one process": "1", f"{cores} processes": str(cores)}
    if shutil.which("java"):
        kinds["pycocoevalcap"] = "peer"
    found = {}
    for name, whose in kinds.items():
        start_up, whole = median(given, whose, images=1), median(given, whose)
        found[whose] = whole
        print(
            f"{name:14} {whole['seconds']:7.2f} s, {start_up['seconds']:.2f} s of it start-up, "
            f"{whole['megabytes']:,.0f} MB, METEOR {whole['score']:.10f}"
        )
    figures: dict[str, object] = {"captions": len(given[0]), "cores": cores}
    figures |= {f"seconds_{whose}": round(run["seconds"], 2) for whose, run in found.items()}
    if "peer" in found:
        figures["one_core_ratio"] = round(found["peer"]["seconds"] / found["1"]["seconds"], 2)
        figures["two_core_ratio"] = round(found["peer"]["seconds"] / found[str(cores)]["seconds"], 2)
    print(json.dumps(figures))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
    else:
        main()
