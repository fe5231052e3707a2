"""Files that VLMEvalKit writes: it runs its data set COCO_VAL, with a model that answers from a list.

    python -m tests.captions_files.peers.write_vlmevalkit FOLDER [CAPTIONS REFERENCES]

README.md says which version wrote the files beside this one. Its lists of models and data sets are left out,
since they import all of them. What reads the data set, infers and writes is its own.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from tests.captions_files.peers.demo_captions import Row, demo_rows, rows_of_files

# As vlmeval/api/base.py and vlmeval/inference.py write them.
FAILURES = (
    "Failed to obtain answer via API.",
    "Failed to obtain answer: <class 'RuntimeError'> CUDA out of memory.",
)
FORMATS = ("xlsx", "tsv", "json")


def without_registries() -> None:
    """Put empty modules in the places of the lists of models and data sets."""
    found = importlib.util.find_spec("vlmeval")
    assert found
    assert found.submodule_search_locations
    folder = Path(found.submodule_search_locations[0])
    contents: Mapping[str, Mapping[str, Any]] = {
        "vlmeval.tools": {"cli": None},
        "vlmeval.config": {"supported_VLM": {}},
        "vlmeval.dataset": {"__path__": [str(folder / "dataset")]},
    }
    for name, values in contents.items():
        module = ModuleType(name)
        vars(module).update(values)
        sys.modules[name] = module


class Listed:
    """A model whose answers are known by the names of the pictures."""

    is_api = False

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts

    def set_dump_image(self, function: Any) -> None:
        pass

    def generate(self, message: Sequence[Mapping[str, str]], dataset: str | None = None) -> str:
        (picture,) = (part["value"] for part in message if part["type"] == "image")
        return self.texts[Path(picture).name]


def write_table(rows: Sequence[Row], folder: Path, ending: str) -> Path:
    """Run COCO_VAL over these rows and return the predictions file."""
    without_registries()
    from vlmeval.dataset.image_caption import ImageCaptionDataset
    from vlmeval.inference import infer_data_job

    class Local(ImageCaptionDataset):
        DATASET_MD5: Mapping[str, str] = {}  # of the published file

        def load_data(self, dataset: str) -> pd.DataFrame:
            published = pd.read_csv(data, sep="\t")
            published["question"] = "Please describe this image in general."
            return published

    with tempfile.TemporaryDirectory() as temporary:
        os.environ.update(LMUData=temporary, PRED_FORMAT=ending)
        data = Path(temporary) / "COCO_VAL.tsv"
        entries = [
            {"index": number, "image_path": row.file_name, "answer": str(row.references)}
            for number, row in enumerate(rows)
        ]
        pd.DataFrame(entries).to_csv(data, sep="\t", index=False)
        model = Listed({row.file_name: row.text for row in rows})
        infer_data_job(model, str(folder), "listed", Local("COCO_VAL"))
    return folder / f"listed_COCO_VAL.{ending}"


def main(folder: str, *files: str) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    for ending in FORMATS:
        rows = rows_of_files(*files) if files else demo_rows(FAILURES)
        print(write_table(rows, Path(folder).resolve(), ending))


if __name__ == "__main__":
    main(*sys.argv[1:])
