"""Weights of a CLIP in the form of openai/CLIP and open_clip, put into transformers' CLIPModel.

Both forms hold the same matrices under other names. openai/CLIP has query, key and value in one matrix, and
its two projections the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluator.core.errors import MetricError

if TYPE_CHECKING:
    import torch

TRANSPOSED = {"visual.proj": "visual_projection.weight", "text_projection": "text_projection.weight"}
NAMES = {
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "visual.ln_pre": "vision_model.pre_layrnorm",
    "visual.ln_post": "vision_model.post_layernorm",
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "ln_final": "text_model.final_layer_norm",
    "logit_scale": "logit_scale",
}
WITHIN_LAYER = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}
IN_ONE = ("q_proj", "k_proj", "v_proj")  # the parts of attn.in_proj_weight, and of its bias
_LAYER = re.compile(r"(visual\.)?transformer\.resblocks\.(\d+)\.(.+)")


def load_weights(model: Any, path: Path, option: str) -> None:
    """Replace all weights of a CLIPModel by those of a file of torch.save; no code of the file runs.

    The file holds the weights, or an object with them under "state_dict". Raises MetricError, which names the
    option, for a file that is missing, holds anything else, or belongs to a model of another size.
    """
    import torch

    if not path.is_file():
        raise MetricError(f"{option}: there is no file {path}")
    try:
        document = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and torch have errors of their own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise MetricError(f"{option}: {path} holds more than weights, or is damaged: {reason}") from error
    weights = document.get("state_dict", document) if isinstance(document, dict) else None
    if not isinstance(weights, dict) or not any(isinstance(each, torch.Tensor) for each in weights.values()):
        raise MetricError(f"{option}: {path} holds no weights by their names")
    named = {str(name).removeprefix("module."): each for name, each in weights.items()}
    renamed = named if any(name.startswith("text_model.") for name in named) else dict(converted(named))
    expected = model.state_dict()
    wrong = [
        name
        for name, mine in expected.items()
        if name != "logit_scale" and (name not in renamed or renamed[name].shape != mine.shape)
    ]
    if wrong:
        raise MetricError(
            f"{option}: {path} does not fit the checkpoint: {len(wrong)} of its {len(expected)} weights are "
            f"missing or of another size, such as {wrong[0]}. Name the CLIP that it was trained from"
        )
    model.load_state_dict({name: renamed[name] for name in expected if name in renamed}, strict=False)


def converted(weights: Mapping[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    """The weights by transformers' names; what that has no place for is left out."""
    for name, tensor in weights.items():
        if name in TRANSPOSED:
            yield TRANSPOSED[name], tensor.T
        elif match := _LAYER.fullmatch(name):
            tower = "vision_model" if match[1] else "text_model"
            yield from of_layer(f"{tower}.encoder.layers.{match[2]}", match[3], tensor)
        else:
            whole, _, last = name.rpartition(".")
            if name in NAMES:
                yield NAMES[name], tensor
            elif whole in NAMES:
                yield f"{NAMES[whole]}.{last}", tensor


def of_layer(layer: str, name: str, tensor: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
    """The weights of one layer of a tower, where `name` is within the layer."""
    whole, _, last = name.rpartition(".")
    if name.startswith("attn.in_proj_"):
        for part, rows in zip(IN_ONE, tensor.chunk(3), strict=True):
            yield f"{layer}.self_attn.{part}.{name.removeprefix('attn.in_proj_')}", rows
    elif whole in WITHIN_LAYER:
        yield f"{layer}.{WITHIN_LAYER[whole]}.{last}", tensor
