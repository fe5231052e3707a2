"""Checkpoints of CLIP and SigLIP, from the hub or a folder.

encoder = load_encoder(CLIPScore("openai/clip-vit-base-patch32"), "CLIPScore")
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from evaluator.scorers.checkpoint_options import FromCheckpoint, open_checkpoint
from evaluator.scorers.clip.feature_cache import FeatureCache
from evaluator.scorers.clip.features import Encoder
from evaluator.scorers.clip.openai_weights import load_weights


def load_encoder(scorer: FromCheckpoint, used_by: str, weights: str | None = None) -> Encoder:
    """The CLIP or SigLIP that the scorer's options name. Raises MetricError with the reason and what to type.

    `weights` is a file with other weights for a CLIP.
    """
    opened = open_checkpoint(
        scorer,
        used_by,
        "openai/clip-vit-base-patch32",
        model_types=("clip",) if weights else ("clip", "siglip"),
        model_class="AutoModel",
        unused_weights=frozenset({"logit_scale", "logit_bias"}),
    )
    import PIL
    import torch
    import transformers

    version = opened.commit or digest_of_files(opened.folder)
    if weights:
        load_weights(opened.model, Path(weights), f"{scorer.group}.weights")
        version = digest_of_weights(version, Path(weights))
    versions = [torch.__version__, transformers.__version__, PIL.__version__]
    code = "2" if opened.config.model_type == "siglip" else "1"  # of what is done before the model
    cache = FeatureCache("|".join([code, version, scorer.dtype, opened.model.device.type, *versions]))
    return Encoder(
        opened.model, opened.processor, opened.tokenizer, scorer.batch_size, version, cache, scorer.group
    )


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
