"""SPICE (Anderson et al. 2016, https://arxiv.org/abs/1607.08822), by its authors' Java program.

Caption and references are parsed into scene graphs; the score is the F-measure of the tuples that match.
The program and its libraries come with pycocoevalcap, the parser's models (Stanford CoreNLP 3.6.0, 384 MB)
are fetched once by a command of that package. As there, captions are tokenized first and the corpus score is
the mean of the images' scores.

The program writes its results through the JavaScript engine that Java 15 removed: it needs Java 8 to 14.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Gt

from evaluator.core import RUNTIME_ONLY, Array, Item, Measurement
from evaluator.core.errors import MetricError
from evaluator.files.cache_folder import cache_folder
from evaluator.scorers.java import pycocoevalcap_folder, run_java, version_of
from evaluator.scorers.references import References, rows_of_mean
from evaluator.scorers.signature import signature
from evaluator.scorers.tokenizer.ptb import tokenized_text

NEWEST_JAVA = 14
PROGRAM = "spice-1.0.jar"
MODELS = ("stanford-corenlp-3.6.0.jar", "stanford-corenlp-3.6.0-models.jar")


@dataclass(frozen=True)
class SPICE:
    """Scores captions by the objects, attributes and relations that they share with their references."""

    kind: ClassVar[str] = "spice"

    java: str = field(default="java", metadata=RUNTIME_ONLY)
    folder: str | None = field(default=None, metadata=RUNTIME_ONLY)
    memory: str = field(default="8G", metadata=RUNTIME_ONLY)
    time_limit_seconds: Annotated[float, Gt(0)] = field(default=3600.0, metadata=RUNTIME_ONLY)

    @property
    def names(self) -> tuple[str, ...]:
        return ("SPICE",)

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """Raises MetricError where Java, the program or its models are missing, and where it fails."""
        texts = References.of(items, captions, "SPICE")
        java = suitable_java(self.java)
        folder = program_folder(self.folder)
        with tempfile.TemporaryDirectory(prefix="spice-") as name:
            question, answer = Path(name) / "captions.json", Path(name) / "scores.json"
            question.write_text(json.dumps(rows(texts)), encoding="ascii")
            command = [java, f"-Xmx{self.memory}", "-jar", PROGRAM, str(question), "-out", str(answer)]
            command += ["-cache", str(cache_folder("spice")), "-silent"]
            run_java(command, self.time_limit_seconds, "SPICE", folder)
            scores = read_scores(answer, len(texts.items))
        statistics = texts.spread(rows_of_mean(scores))
        return [Measurement("SPICE", statistics, "mean", signature("SPICE", texts.items, tok="ptb"))]


def suitable_java(program: str) -> str:
    """The path of a Java that runs the program. Raises MetricError where there is none, or one too new."""
    java = shutil.which(program)
    version = version_of(java) if java else None
    if java is None or (version and version > NEWEST_JAVA):
        found = f"{java} is Java {version}" if java else f"there is no program {program!r}"
        raise MetricError(
            f"SPICE needs Java 8 to {NEWEST_JAVA}, and {found}. Install Java 8 or 11, which lies beside "
            "others, for example from adoptium.net, and type scorer.spice.java=/path/to/java"
        )
    return java


def program_folder(chosen: str | None) -> Path:
    """Where the program lies, with its libraries and models beside it. Raises MetricError."""
    if chosen is None:
        folder = pycocoevalcap_folder("SPICE") / "spice"
    else:
        folder = Path(chosen).expanduser().absolute()
    if not (folder / PROGRAM).is_file():
        raise MetricError(
            f"SPICE's program {PROGRAM} is not in {folder}: give its folder as scorer.spice.folder="
        )
    if missing := [name for name in MODELS if not (folder / "lib" / name).is_file()]:
        raise MetricError(
            f"SPICE's parser is not there ({folder / 'lib' / missing[0]}). Fetch it once, 384 MB: "
            "python -m pycocoevalcap.spice.get_stanford_models"
        )
    return folder


def rows(texts: References) -> list[dict[str, Any]]:
    """The program's questions. Tokens hold no line break, and JSON's escapes any other character."""
    return [
        {
            "image_id": index,
            "test": tokenized_text(caption),
            "refs": [tokenized_text(text) for text in item.references],
        }
        for index, (item, caption) in enumerate(zip(texts.items, texts.captions, strict=True))
    ]


def read_scores(answer: Path, images: int) -> Array:
    """Scores (N,), from 0 to 1. Raises MetricError for an answer that lacks some."""
    try:
        found = {row["image_id"]: row["scores"]["All"]["f"] for row in json.loads(answer.read_text("utf-8"))}
        return np.array([float(found[place]) for place in range(images)])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MetricError(f"SPICE's program ended without the scores of all images ({error!r})") from None
