"""How large a checkpoint is: its files, else what is known of it. Nothing is opened or downloaded."""

from __future__ import annotations

from pathlib import Path

from evaluator.core import WeightsSize
from evaluator.files.hub import model_folder

# Millions of parameters of the checkpoints in conf/model, which the hub stores in float32.
MILLIONS = {
    "microsoft/git-base-coco": 177,
    "microsoft/git-large-coco": 394,
    "Salesforce/blip-image-captioning-base": 247,
    "Salesforce/blip-image-captioning-large": 470,
    "Salesforce/blip2-opt-2.7b": 3745,
    "Salesforce/blip2-opt-2.7b-coco": 3745,
    "Salesforce/blip2-flan-t5-xl": 3942,
}
BYTES_OF_FLOAT32 = 4
WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


def weights_size(checkpoint: str) -> WeightsSize | None:
    """The size of a folder's or a hub checkpoint's weights; None where it is not known."""
    here = size_of_files(Path(checkpoint)) or size_of_files(model_folder(checkpoint))
    if here:
        return WeightsSize(here, to_download=0)
    if checkpoint not in MILLIONS:
        return None
    size = MILLIONS[checkpoint] * 1_000_000 * BYTES_OF_FLOAT32
    return WeightsSize(size, to_download=size)


def size_of_files(folder: Path) -> int:
    """The bytes of the weights in a folder, or in the first of its snapshots that has any."""
    for place in (folder, *sorted(folder.glob("snapshots/*"))):
        for pattern in WEIGHTS:
            if files := [path for path in place.glob(pattern) if path.is_file()]:
                return sum(path.stat().st_size for path in files)
    return 0
