"""Checkpoints of CLIP and SigLIP, from the hub or a folder.

encoder = load_encoder("openai/clip-vit-base-patch32")
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from evaluator.core.errors import MetricError, MissingPackage, ModelError
from evaluator.models.checkpoints import CheckpointLoader, image_processor_and_tokenizer
from evaluator.scorers.clip.feature_cache import FeatureCache
from evaluator.scorers.clip.features import Encoder
from evaluator.scorers.clip.openai_weights import load_weights


def load_encoder(
    checkpoint: str,
    revision: str | None = None,
    device: str = "auto",
    dtype: str = "float32",
    batch_size: int = 64,
    safetensors_only: bool = True,
    *,
    group: str = "scorer.clipscore",
    used_by: str = "CLIPScore",
    weights: str | None = None,
) -> Encoder:
    """Load a CLIP or SigLIP from the hub or a folder. Raises MetricError with the reason and what to type.

    `weights` is a file with other weights for a CLIP. `group` is where the options of the scorer stand.
    """
    loader = CheckpointLoader(
        name=checkpoint,
        revision=revision,
        device=device,
        dtype=dtype,
        safetensors_only=safetensors_only,
        group=group,
        used_by=used_by,
        model_types=("clip",) if weights else ("clip", "siglip"),
        model_class="AutoModel",
        open_processor=image_processor_and_tokenizer,
        otherwise=f"type {group}.checkpoint=openai/clip-vit-base-patch32",
        unused_weights=frozenset({"logit_scale", "logit_bias"}),
    )
    try:
        opened = loader.open()
    except (ModelError, MissingPackage) as error:
        raise MetricError(str(error)) from error
    import PIL
    import torch
    import transformers

    version = opened.commit or digest_of_files(opened.folder)
    if weights:
        load_weights(opened.model, Path(weights), f"{group}.weights")
        version = digest_of_weights(version, Path(weights))
    versions = [torch.__version__, transformers.__version__, PIL.__version__]
    cache = FeatureCache("|".join(["1", version, dtype, opened.model.device.type, *versions]))
    return Encoder(opened.model, opened.processor, opened.tokenizer, batch_size, version, cache, group)


def digest_of_weights(version: str, path: Path) -> str:
    """SHA-256 of a checkpoint's version and of the file that replaces its weights."""
    with path.open("rb") as file:
        return hashlib.sha256(version.encode() + hashlib.file_digest(file, "sha256").digest()).hexdigest()


def digest_of_files(folder: Path) -> str:
    """SHA-256 of a checkpoint's weights, configuration and vocabulary."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in (".safetensors", ".bin", ".json", ".txt"):
            with path.open("rb") as file:
                digest.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
