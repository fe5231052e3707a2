"""A million captions on one machine: time, memory, and how both grow.

    python benchmarks/scale.py            1,000,000 images
    python benchmarks/scale.py 100000

score      `evaluator score` of one caption and five references per image: BLEU, ROUGE-L and CIDEr with run
           folder, intervals and report; seconds per 1,000 captions, and the same at 10,000 images
commands   compare, regress, report and leaderboard of two such runs
peer       pycocoevalcap's same metrics at 10,000 images: seconds per caption

The texts are drawn word by word from real captions where EVALUATOR_TEST_DATA is at hand, else from captions
of drawn scenes. A word follows two others as it does there. Some words are rare ones of an endless list whose
frequencies fall as those of real words do, so that the vocabulary grows with the number of texts. Memory is
the most that a process had at any moment (resident). Readable lines come first, and one JSON object last.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from scoring import files, peer_results, read_files

IMAGES, FEW_IMAGES = 1_000_000, 10_000
REFERENCES = 5
REPEATS = 3  # of what takes seconds
IMAGES_AT_ONCE = 10_000
RARE_SHARE, RARE_EXPONENT = 0.03, 1.3  # some 60,000 rare words in a million images
LONGEST = 40  # words
METRICS = ("bleu", "rouge", "cider")
COMMANDS = ("compare", "regress", "report", "leaderboard")


def main(images: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["EVALUATOR_CACHE"] = str(folder / "cache")
        model = TextModel.learnt(files(folder)[0])
        few, many = (drawn_data(model, folder, count) for count in (FEW_IMAGES, images))
        at_few = median([score(few, 0, folder / f"few-{number}") for number in range(REPEATS)])
        runs = [folder / "first", folder / "second"]
        at_many, second = (score(many, system, run) for system, run in enumerate(runs))
        used = {"score": at_many, "score another": second}
        for command in COMMANDS:
            used[command] = timed(arguments(command, runs, folder))
        per_thousand = [each.per(thousands) for each, thousands in ((at_few, 10), (at_many, images / 1000))]
        for each, count in zip(per_thousand, (FEW_IMAGES, images), strict=True):
            print(f"{count:>9,} images: {each} per 1,000 captions")
        for command, each in used.items():
            print(f"{command:14} {each}")
        figures: dict[str, object] = {
            "images": images,
            "seconds": {command: round(each.seconds, 1) for command, each in used.items()},
            "gigabytes": {command: round(each.gigabytes, 2) for command, each in used.items()},
            "seconds_per_thousand": round(per_thousand[1].seconds, 3),
            "cpu_seconds_per_thousand": round(per_thousand[1].cpu_seconds, 3),
            "cpu_growth_ratio": round(per_thousand[1].cpu_seconds / per_thousand[0].cpu_seconds, 3),
            "growth_ratio": round(per_thousand[1].seconds / per_thousand[0].seconds, 3),
            "peak_gb": round(max(each.gigabytes for each in used.values()), 2),
            "peer_ratio": None,
            "ray_share": ray_share(),
        }
        if shutil.which("java"):
            script = [sys.executable, __file__, "peer", str(few.references), str(few.captions[0])]
            peer = timed(script).per(FEW_IMAGES / 1000)
            print(f"pycocoevalcap at {FEW_IMAGES:,}: {peer} per 1,000 captions")
            figures["peer_ratio"] = round(peer.seconds / per_thousand[1].seconds, 1)
            figures["cpu_peer_ratio"] = round(peer.cpu_seconds / per_thousand[1].cpu_seconds, 1)
        else:
            print("no comparison: install Java and pip install '.[coco]' for the peer's figures")
        print(json.dumps(figures))


def ray_share() -> float | None:
    """Images per second of runner=ray, as a share of the local runner's; None where Ray is not installed."""
    if not find_spec("ray"):
        return None
    script = [sys.executable, str(Path(__file__).with_name("cluster.py")), "5000", "2", "0"]
    output = subprocess.run(script, check=True, stdout=subprocess.PIPE, text=True).stdout
    share: float = json.loads(output.splitlines()[-1])["ray_share"]
    return share


@dataclass(frozen=True)
class Used:
    """What a command used."""

    seconds: float
    cpu_seconds: float  # of all its processes
    gigabytes: float  # of its largest process, at most

    def per(self, count: float) -> Used:
        return Used(self.seconds / count, self.cpu_seconds / count, self.gigabytes)

    def __str__(self) -> str:
        return f"{self.seconds:9.3f} s, {self.cpu_seconds:9.3f} CPU s, {self.gigabytes:5.2f} GB"


def timed(command: Sequence[str]) -> Used:
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    seconds = time.perf_counter() - start
    return Used(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e9)


def median(measured: Sequence[Used]) -> Used:
    return Used(*map(statistics.median, zip(*(vars(each).values() for each in measured), strict=True)))


def score(data: Data, system: int, run: Path) -> Used:
    options = chain.from_iterable(("--scorer", metric) for metric in METRICS)
    captions = [str(data.captions[system]), "--references", str(data.references)]
    return timed([*EVALUATOR, "score", *captions, "--output", str(run), *options])


EVALUATOR = (sys.executable, "-m", "evaluator")


def arguments(command: str, runs: Sequence[Path], folder: Path) -> list[str]:
    options = {
        "regress": ["--gate", "CIDEr>=-5.0"],
        "report": ["--output", str(folder / "report.html")],
        "leaderboard": ["--format", "markdown"],
    }
    return [*EVALUATOR, command, *map(str, runs), *options.get(command, [])]


@dataclass(frozen=True)
class Data:
    """A references file in COCO's format, and the captions of two systems."""

    references: Path
    captions: tuple[Path, Path]


def drawn_data(model: TextModel, folder: Path, images: int) -> Data:
    """Files with drawn texts of so many images."""
    data = Data(
        folder / f"references_{images}.json", (folder / f"a_{images}.json", folder / f"b_{images}.json")
    )
    (folder / "ids.json").write_text(json.dumps([{"id": image} for image in range(images)]))
    with data.references.open("w") as references:
        references.write(f'{{"images": {(folder / "ids.json").read_text()}, "annotations": ')
        files_of_systems = [path.open("w") for path in data.captions]
        write_lists(model.images(images), [references, *files_of_systems])
        references.write("}")
        for file in files_of_systems:
            file.close()
    return data


def write_lists(images: Iterable[Sequence[str]], written: Sequence[Any]) -> None:
    """Write the references of each image to the first file, and a caption to each of the others."""
    references, *systems = written
    for file in written:
        file.write("[")
    for image, texts in enumerate(images):
        before = ", " if image else ""
        rows = [{"id": image, "image_id": image, "caption": text} for text in texts[len(systems) :]]
        references.write(before + json.dumps(rows)[1:-1])
        for file, text in zip(systems, texts, strict=False):
            file.write(before + json.dumps({"image_id": image, "caption": text}))
    for file in written:
        file.write("]")


@dataclass(frozen=True)
class TextModel:
    """Which words follow two others, as lists with repeats: state s has steps[s] to steps[s + 1]."""

    words: np.ndarray  # of objects
    steps: np.ndarray
    word_of_step: np.ndarray  # -1: the text ends
    state_of_step: np.ndarray  # after the step

    @classmethod
    def learnt(cls, references: Path) -> TextModel:
        """From the captions of a file in COCO's format. The first state is the beginning of a text."""
        texts = [row["caption"].lower().split() for row in json.loads(references.read_text())["annotations"]]
        number = {word: index for index, word in enumerate(dict.fromkeys(chain.from_iterable(texts)))}
        end = len(number)
        following: dict[tuple[int, int], list[int]] = {(end, end): []}
        for text in texts:
            before = (end, end)
            for word in (*map(number.__getitem__, text), end):
                following.setdefault(before, []).append(word)
                before = (before[1], word)
        state = {pair: index for index, pair in enumerate(following)}
        each_step = [(pair, word) for pair, words in following.items() for word in words]
        return cls(
            np.array(list(number), object),
            np.cumsum([0, *map(len, following.values())]),
            np.array([-1 if word == end else word for _, word in each_step]),
            np.array([state.get((pair[1], word), 0) for pair, word in each_step]),
        )

    def images(self, count: int) -> Iterator[Sequence[str]]:
        """The texts of each image, which all begin with the same two words."""
        generator = np.random.default_rng(count)
        texts = REFERENCES + 2
        for start in range(0, count, IMAGES_AT_ONCE):
            drawn = list(self.texts(min(IMAGES_AT_ONCE, count - start), texts, generator))
            for first in range(0, len(drawn), texts):
                yield drawn[first : first + texts]

    def texts(self, images: int, of_each: int, generator: np.random.Generator) -> Iterator[str]:
        drawn = np.full((images * of_each, LONGEST), -1)
        state = np.zeros(images * of_each, np.int64)
        goes_on = np.ones(len(state), bool)
        for place in range(LONGEST):
            chance = generator.random(images).repeat(of_each) if place < 2 else generator.random(len(state))
            first, end = self.steps[state], self.steps[state + 1]
            step = first + (chance * (end - first)).astype(np.int64)
            drawn[:, place] = np.where(goes_on, self.word_of_step[step], -1)
            goes_on &= drawn[:, place] >= 0
            state = self.state_of_step[step]
        is_rare = (generator.random(drawn.shape) < RARE_SHARE) & (drawn >= 0)
        rare = iter(generator.zipf(RARE_EXPONENT, int(is_rare.sum())).tolist())
        lengths = (drawn >= 0).sum(axis=1).tolist()
        for words, rares, length in zip(self.words[drawn], is_rare.tolist(), lengths, strict=True):
            text = [
                rare_word(next(rare)) if other else word
                for word, other in zip(words[:length], rares[:length], strict=True)
            ]
            yield " ".join(text).capitalize()


@cache
def rare_word(number: int) -> str:
    """A word for each number, as people could say it."""
    spelled = "x"
    while number:
        number, index = divmod(number, 100)
        spelled += "bcdfghjklmnpqrstvwyz"[index // 5] + "aeiou"[index % 5]
    return spelled


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main(IMAGES)
        case ["peer", references, captions]:
            peer_results(*read_files(Path(references), Path(captions), FEW_IMAGES), meteor=False)
        case [count]:
            main(int(count))
