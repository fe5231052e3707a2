"""Tiny checkpoints of chat models without a YAML file of their own, which `model=chat` loads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tests.models.local.tiny_families import (  # noqa: E402
    LLAMA,
    NAMED_TOKENS,
    SIDES,
    SIZE,
    TEMPLATE,
    VISION,
    ids,
    plain_tokenizer,
    save,
)

ROPE = {"rope_type": "default", "rope_theta": 10_000.0}


def tokenizer(picture: str, **named: str) -> Any:
    """A chat template that writes `picture` for a picture, and further tokens by the names of attributes."""
    words = plain_tokenizer(NAMED_TOKENS | named)
    words.chat_template = TEMPLATE.replace("IMAGE", picture)
    return words


def numbers(words: Any, **tokens: str) -> dict[str, int]:
    """The ids of tokens, by the names that a config has for them."""
    return {name: words.convert_tokens_to_ids(token) for name, token in tokens.items()}


def llama(words: Any) -> Any:
    return transformers.LlamaConfig(**LLAMA, vocab_size=len(words), **ids())


def pixtral_parts(**options: Any) -> tuple[dict[str, Any], Any]:
    """What a config has for Pixtral's encoder and a Mistral, and a processor with these options."""
    words = tokenizer("[IMG]", image_token="[IMG]", break_token="[IMG_BREAK]", end_token="[IMG_END]")
    parts = {
        "vision_config": transformers.PixtralVisionConfig(**VISION | {"image_size": 4 * SIZE}, head_dim=16),
        "text_config": transformers.MistralConfig(**LLAMA, head_dim=16, vocab_size=len(words), **ids()),
        **numbers(words, image_token_index="[IMG]"),
    }
    processor = transformers.PixtralProcessor(
        transformers.PixtralImageProcessorPil(size={"longest_edge": 2 * SIZE}, patch_size=8),
        words,
        patch_size=8,
        chat_template=words.chat_template,
        **options,
    )
    return parts, processor


def mistral3(folder: Path) -> Path:
    """Mistral Small 3, Ministral 3, Magistral."""
    parts, processor = pixtral_parts(spatial_merge_size=2)
    config = transformers.Mistral3Config(**parts, tie_word_embeddings=False)
    return save(folder, transformers.Mistral3ForConditionalGeneration(config), processor)


def pixtral(folder: Path) -> Path:
    """Pixtral 12B: a LLaVA whose pictures keep their shapes."""
    parts, processor = pixtral_parts()
    config = transformers.LlavaConfig(**parts, vision_feature_select_strategy="full", vision_feature_layer=-1)
    return save(folder, transformers.LlavaForConditionalGeneration(config), processor)


def mllama(folder: Path) -> Path:
    """Llama 3.2 Vision."""
    words = tokenizer("<|image|>", image_token="<|image|>", python_token="<|python_tag|>")
    vision = {name: VISION[name] for name in ("hidden_size", "intermediate_size", "image_size", "patch_size")}
    config = transformers.MllamaConfig(
        vision_config=vision
        | {
            "num_hidden_layers": 2,
            "num_global_layers": 1,
            "attention_heads": 2,
            "intermediate_layers_indices": [0, 1],
            "vision_output_dim": 96,
            "max_num_tiles": 4,
            "supported_aspect_ratios": [[1, 1], [1, 2], [1, 3], [1, 4], [2, 1], [2, 2], [3, 1], [4, 1]],
        },
        text_config=LLAMA
        | {"vocab_size": len(words), "cross_attention_layers": [1], "num_hidden_layers": 3}
        | {"rope_parameters": ROPE}
        | ids(),
        **numbers(words, image_token_index="<|image|>"),
    )
    processor = transformers.MllamaProcessor(
        transformers.MllamaImageProcessorPil(size=SIDES, max_image_tiles=4),
        words,
        chat_template=words.chat_template,
    )
    model = transformers.MllamaForConditionalGeneration(config)
    for name, parameter in model.named_parameters():
        if "gate" in name and parameter.dim() == 1:  # closed at first: no picture would get through
            torch.nn.init.ones_(parameter)
    return save(folder, model, processor)


def llama4(folder: Path) -> Path:
    named = {
        "image_token": "<|image|>",
        "start": "<|image_start|>",
        "end": "<|image_end|>",
        "patch": "<|patch|>",
        "x": "<|tile_x_separator|>",
        "y": "<|tile_y_separator|>",
    }
    words = tokenizer("<|image|>", **named)
    config = transformers.Llama4Config(
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": SIZE,
            "patch_size": 8,
            "vision_output_dim": 32,
            "projector_input_dim": 32,
            "projector_output_dim": 32,
            "rope_parameters": ROPE,
        },
        text_config=LLAMA
        | {
            "vocab_size": len(words),
            "head_dim": 16,
            "intermediate_size_mlp": 64,
            "num_local_experts": 2,
            "rope_parameters": ROPE,
        }
        | ids(),
        **numbers(words, image_token_index="<|patch|>", boi_token_index="<|image_start|>"),
        **numbers(words, eoi_token_index="<|image_end|>"),
    )
    processor = transformers.Llama4Processor(
        transformers.Llama4ImageProcessor(size=SIDES, max_patches=4),
        words,
        patch_size=8,
        chat_template=words.chat_template,
    )
    return save(folder, transformers.Llama4ForConditionalGeneration(config), processor)


def aya_vision(folder: Path) -> Path:
    named = {
        "start": "<|START_OF_IMG|>",
        "end": "<|END_OF_IMG|>",
        "patch": "<|IMG_PATCH|>",
        "line": "<|IMG_LINE_BREAK|>",
        **{f"tile_{number}": f"TILE_{number}" for number in range(1, 4)},
        "tile_global": "TILE_GLOBAL",
    }
    words = tokenizer("<image>", **named)
    config = transformers.AyaVisionConfig(
        vision_config=transformers.SiglipVisionConfig(**VISION, vision_use_head=False),
        text_config=transformers.Cohere2Config(**LLAMA, head_dim=16, vocab_size=len(words), **ids()),
        **numbers(words, image_token_index="<|IMG_PATCH|>"),
    )
    processor = transformers.AyaVisionProcessor(
        transformers.GotOcr2ImageProcessorPil(size=SIDES, crop_to_patches=True, min_patches=1, max_patches=3),
        words,
        patch_size=8,
        img_size=SIZE,
        downsample_factor=2,
        chat_template=words.chat_template,
    )
    return save(folder, transformers.AyaVisionForConditionalGeneration(config), processor)


def glm4v(folder: Path) -> Path:
    """GLM-4.1V and GLM-4.5V."""
    named = {"image_token": "<|image|>", "video_token": "<|video|>"}
    sides = {
        "image_start_token_id": "<|begin_of_image|>",
        "image_end_token_id": "<|end_of_image|>",
        "video_start_token_id": "<|begin_of_video|>",
        "video_end_token_id": "<|end_of_video|>",
    }
    words = tokenizer("<|begin_of_image|><|image|><|end_of_image|>", **named, **sides)
    config = transformers.Glm4vConfig(
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 32,
            "image_size": SIZE,
            "patch_size": 8,
        },
        text_config=LLAMA
        | {"vocab_size": len(words), "rope_parameters": ROPE | {"mrope_section": [2, 3, 3]}}
        | ids(),
        **numbers(words, image_token_id="<|image|>", video_token_id="<|video|>", **sides),
    )
    sizes = {"shortest_edge": 16 * 16 * 2, "longest_edge": 64 * 64 * 2}
    processor = transformers.Glm4vProcessor(
        transformers.Glm4vImageProcessorPil(patch_size=8, size=sizes),
        words,
        transformers.Glm4vVideoProcessor(patch_size=8, size=sizes),
        chat_template=words.chat_template,
    )
    return save(folder, transformers.Glm4vForConditionalGeneration(config), processor)


def gemma4(folder: Path) -> Path:
    words = tokenizer("<image>", audio_token="<audio>", boa_token="<boa>", eoa_token="<eoa>")
    pictures = transformers.Gemma4ImageProcessorPil(patch_size=8, pooling_kernel_size=2, max_soft_tokens=70)
    processor = transformers.Gemma4Processor(
        transformers.Gemma4AudioFeatureExtractor(),
        pictures,
        words,
        transformers.Gemma4VideoProcessor(patch_size=8, pooling_kernel_size=2, max_soft_tokens=70),
        chat_template=words.chat_template,
    )
    config = transformers.Gemma4Config(
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "patch_size": 8,
            "pooling_kernel_size": 2,
            "position_embedding_size": 256,
        },
        text_config=LLAMA
        | {
            "vocab_size": len(words),
            "vocab_size_per_layer_input": len(words),
            "hidden_size_per_layer_input": 8,
            "head_dim": 16,
            "sliding_window": 64,
            "layer_types": ["sliding_attention", "full_attention"],
        }
        | ids(),
        audio_config=None,
        tie_word_embeddings=True,
        **numbers(words, image_token_id="<image>", boi_token_id="<boi>", eoi_token_id="<eoi>"),
        **numbers(words, video_token_id="<|video|>"),
    )
    return save(folder, transformers.Gemma4ForConditionalGeneration(config), processor)


def qwen3_5(folder: Path) -> Path:
    """Attention with a state from token to token: padding on the left must not reach it."""
    words = tokenizer("<|vision_start|><|image_pad|><|vision_end|>", image_token="<|image_pad|>")
    places = {
        "image_token_id": "<|image_pad|>",
        "video_token_id": "<video>",
        "vision_start_token_id": "<|vision_start|>",
        "vision_end_token_id": "<|vision_end|>",
    }
    config = transformers.Qwen3_5Config(
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 32,
            "patch_size": 8,
            "num_position_embeddings": 64,
        },
        text_config=LLAMA
        | {
            "vocab_size": len(words),
            "head_dim": 16,
            "linear_key_head_dim": 8,
            "linear_value_head_dim": 8,
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 2,
            "layer_types": ["full_attention", "linear_attention"],
            "rope_parameters": ROPE | {"mrope_section": [1, 1, 0], "partial_rotary_factor": 0.25},
        }
        | ids(),
        **numbers(words, **places),
    )
    processor = transformers.Qwen3VLProcessor(
        transformers.Qwen2VLImageProcessorPil(patch_size=8, min_pixels=16 * 16, max_pixels=64 * 64),
        words,
        transformers.Qwen3VLVideoProcessor(patch_size=8),
        chat_template=words.chat_template,
    )
    return save(folder, transformers.Qwen3_5ForConditionalGeneration(config), processor)


def lfm2_vl(folder: Path) -> Path:
    """Short convolutions along the tokens, and pictures of their own shapes."""
    named = {
        "start": "<|image_start|>",
        "end": "<|image_end|>",
        "image_thumbnail_token": "<|img_thumbnail|>",
    }
    words = tokenizer("<image>", **named)
    config = transformers.Lfm2VlConfig(
        vision_config=transformers.Siglip2VisionConfig(
            **{name: VISION[name] for name in VISION if name != "image_size"},
            num_patches=64,
            vision_use_head=False,
        ),
        text_config=transformers.Lfm2Config(
            **LLAMA, vocab_size=len(words), layer_types=["conv", "full_attention"], **ids()
        ),
        **numbers(words, image_token_id="<image>"),
    )
    processor = transformers.Lfm2VlProcessor(
        transformers.Lfm2VlImageProcessor(
            tile_size=SIZE, encoder_patch_size=8, min_image_tokens=1, max_image_tokens=4, max_num_patches=64
        ),
        words,
        chat_template=words.chat_template,
    )
    return save(folder, transformers.Lfm2VlForConditionalGeneration(config), processor)


def deepseek_vl(folder: Path) -> Path:
    words = tokenizer("<image_placeholder>", image_token="<image_placeholder>")
    config = transformers.DeepseekVLConfig(
        vision_config=transformers.SiglipVisionConfig(**VISION, vision_use_head=False),
        text_config=llama(words),
        **numbers(words, image_token_id="<image_placeholder>"),
    )
    processor = transformers.DeepseekVLProcessor(
        transformers.DeepseekVLImageProcessorPil(size=SIDES, min_size=4),
        words,
        chat_template=words.chat_template,
        num_image_tokens=16,
    )
    return save(folder, transformers.DeepseekVLForConditionalGeneration(config), processor)


def ovis2(folder: Path) -> Path:
    indicators = [f"<IMG_{name}>" for name in ("START", "GRID", "COL", "ROW", "END")]
    words = tokenizer("<image>", atom="<IMG_ATOM>", **{token[1:-1].lower(): token for token in indicators})
    config = transformers.Ovis2Config(
        vision_config=VISION | {"vocab_size": 40, "hidden_stride": 2},
        text_config=transformers.Qwen2Config(**LLAMA, vocab_size=len(words), **ids()),
        visual_indicator_token_ids=[words.convert_tokens_to_ids(token) for token in indicators],
        hidden_size=32,
        vocab_size=len(words),
        **numbers(words, image_token_id="<IMG_ATOM>"),
    )
    processor = transformers.Ovis2Processor(
        transformers.Ovis2ImageProcessorPil(size=SIDES, crop_to_patches=True, max_patches=3),
        words,
        chat_template=words.chat_template,
        image_seq_length=4,
    )
    return save(folder, transformers.Ovis2ForConditionalGeneration(config), processor)


# By their types in config.json.
MAKERS: dict[str, Callable[[Path], Path]] = {
    "mistral3": mistral3,
    "pixtral": pixtral,
    "mllama": mllama,
    "llama4": llama4,
    "aya_vision": aya_vision,
    "glm4v": glm4v,
    "gemma4": gemma4,
    "qwen3_5": qwen3_5,
    "lfm2_vl": lfm2_vl,
    "deepseek_vl": deepseek_vl,
    "ovis2": ovis2,
}
