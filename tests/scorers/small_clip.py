"""A small CLIP for tests, and pictures for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from evaluator.core import Item


def save_small_clip(folder: Path) -> Path:
    """A CLIP with random weights whose tokens are single bytes."""
    import torch
    import transformers
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    start, end = len(tokens) - 2, len(tokens) - 1
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    tower |= {"initializer_factor": 4.0}  # with 1.0 all texts are much alike
    ids = {"vocab_size": len(tokens), "bos_token_id": start, "eos_token_id": end, "pad_token_id": end}
    torch.manual_seed(0)
    torch.set_num_threads(1)
    config = transformers.CLIPConfig(
        text_config=tower | ids | {"max_position_embeddings": 77},
        vision_config=tower | {"image_size": 32, "patch_size": 8},
        projection_dim=16,
        initializer_factor=4.0,
    )
    transformers.utils.logging.disable_progress_bar()
    transformers.CLIPModel(config).save_pretrained(folder)
    vocabulary = {token: number for number, token in enumerate(tokens)}
    transformers.CLIPTokenizer(vocab=vocabulary, merges=[]).save_pretrained(folder)
    size = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    transformers.CLIPImageProcessorPil(**size).save_pretrained(folder)
    return folder


def pictures_with_references(tmp_path: Path) -> list[Item]:
    """Pictures of several shapes, with 0 to 3 references."""
    random = np.random.default_rng(1)
    made = []
    for number, (width, height) in enumerate([(40, 32), (32, 49), (64, 64), (100, 37), (33, 32), (40, 32)]):
        path = tmp_path / f"{number}.png"
        Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)
        made.append(Item(str(number), path, tuple(f"reference {n} of {number}" for n in range(number % 4))))
    return made
