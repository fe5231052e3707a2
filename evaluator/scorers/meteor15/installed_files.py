"""The files of METEOR 1.5 that the pycocoevalcap package installs. They are read where they lie.

meteor/meteor-1.5.jar             function words, abbreviations, WordNet 3.0 sets and exceptions
meteor/data/paraphrase-en.gz      5 million pairs of paraphrases: a probability, a phrase, another
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from evaluator.core.errors import MetricError
from evaluator.core.install import install_line
from evaluator.scorers.java import pycocoevalcap_folder

FUNCTION_WORDS = "function/english.words"
ABBREVIATIONS = "nonbreaking/english.prefixes"
SYNSETS = "synonym/english.synsets"
EXCEPTIONS = "synonym/english.exceptions"


@dataclass(frozen=True)
class InstalledFiles:
    """Where the program and its paraphrases are."""

    jar: Path
    paraphrases: Path

    @classmethod
    def find(cls) -> InstalledFiles:
        """Raises MetricError where the package, or one of its files, is missing."""
        folder = pycocoevalcap_folder("METEOR") / "meteor"
        files = cls(folder / "meteor-1.5.jar", folder / "data" / "paraphrase-en.gz")
        for path in (files.jar, files.paraphrases):
            if not path.is_file():
                raise MetricError(
                    f"METEOR needs {path}, which pycocoevalcap 1.2 installs and which is missing. Install "
                    f"the package again: {install_line('coco')} --force-reinstall"
                )
        return files

    def lines(self, member: str) -> list[str]:
        """The lines of one of the jar's lists."""
        with zipfile.ZipFile(self.jar) as archive:
            return archive.read(member).decode("utf-8").split("\n")

    def digest(self, *versions: int) -> str:
        """Of what is read, from the checksums that both archives carry, and of how it is read."""
        with zipfile.ZipFile(self.jar) as archive:
            members = (FUNCTION_WORDS, ABBREVIATIONS, SYNSETS, EXCEPTIONS)
            checksums = [archive.getinfo(member).CRC for member in members]
        with self.paraphrases.open("rb") as file:
            file.seek(-8, 2)
            trailer = file.read()  # the checksum and the length of what is compressed
        parts = (*versions, *checksums, trailer.hex(), self.paraphrases.stat().st_size)
        return hashlib.sha256(repr(parts).encode()).hexdigest()
