"""Checkpoints of CLIP and SigLIP, from the hub or a folder, and what is said where one cannot be used.

encoder = load_encoder("openai/clip-vit-base-patch32")
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from evaluator.core.errors import MissingPackage, NotComputed
from evaluator.scorers.clip.feature_cache import FeatureCache
from evaluator.scorers.clip.features import Encoder

FAMILIES = ("clip", "siglip")


def load_encoder(
    checkpoint: str,
    revision: str | None = None,
    device: str = "auto",
    dtype: str = "float32",
    batch_size: int = 64,
    safetensors_only: bool = True,
) -> Encoder:
    """Load a CLIP or SigLIP from the hub or a folder. Raises NotComputed with the reason and what to type."""
    try:
        import PIL
        import torch
        import transformers
    except ImportError as error:
        raise NotComputed(str(MissingPackage(error.name or "torch", "local"))) from error
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    # A revision of None would keep transformers from finding weights that the hub converted to safetensors.
    source = {"revision": revision} if revision else {}
    try:
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        config = transformers.AutoConfig.from_pretrained(checkpoint, **source)
        if config.model_type not in FAMILIES:
            raise NotComputed(
                f"{checkpoint!r} is a {config.model_type!r} checkpoint and no CLIP or SigLIP. "
                "Type scorer.clipscore.checkpoint=openai/clip-vit-base-patch32"
            )
        model, loading = transformers.AutoModel.from_pretrained(
            checkpoint,
            dtype=getattr(torch, dtype),
            use_safetensors=True if safetensors_only else None,
            output_loading_info=True,
            **source,
        )
        image_processor = transformers.AutoImageProcessor.from_pretrained(checkpoint, backend="pil", **source)
        tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint, **source)
        version = _version(Path(transformers.utils.cached_file(checkpoint, "config.json", **source)).parent)
        model = model.to(device).eval()
    except NotComputed:
        raise
    except Exception as error:  # each library that reads a part of a checkpoint has errors of its own
        raise NotComputed(_explain(checkpoint, device, error)) from error
    if missing := sorted(set(loading["missing_keys"]) - {"logit_scale", "logit_bias"}):
        raise NotComputed(f"{checkpoint!r} lacks {len(missing)} of its weights ({missing[0]}, ...)")
    made_with = [
        version,
        dtype,
        model.device.type,
        torch.__version__,
        transformers.__version__,
        PIL.__version__,
    ]
    cache = FeatureCache("|".join(["1", *made_with]))
    return Encoder(model, image_processor, tokenizer, batch_size, version, cache)


def _version(folder: Path) -> str:
    """The commit of a snapshot in the hub's cache; of any other folder the digest of its files."""
    if folder.parent.name == "snapshots":
        return folder.name
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in (".safetensors", ".bin", ".json", ".txt"):
            digest.update(path.name.encode() + _digest(path))
    return digest.hexdigest()


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _explain(checkpoint: str, device: str, error: Exception) -> str:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if "safetensors" in str(error):
        return f"{checkpoint!r}: {reason}. If you trust it, type scorer.clipscore.safetensors_only=false"
    if isinstance(error, RuntimeError | AssertionError):
        return f"{checkpoint!r} cannot be used on {device!r}: {reason}. Type scorer.clipscore.device=auto"
    return (
        f"{checkpoint!r} cannot be loaded: {reason} A hub name needs the network, or its files in the hub's "
        "cache; or type scorer.clipscore.checkpoint=DIR with a folder that holds a CLIP"
    )
