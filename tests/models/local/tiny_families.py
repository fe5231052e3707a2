"""A tiny checkpoint with random weights of each family, saved as the hub has the real one.

Each is made from the family's own classes: config, model, processor with tokenizer and chat template. They
say noise, but always the same, and through the code that loads a real checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tests.models.local.conftest import shake  # noqa: E402

SIZE = 32
SIDES = {"height": SIZE, "width": SIZE}
LLAMA = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
}
VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": SIZE,
    "patch_size": 8,
}
# What the families' processors ask their tokenizers for.
NAMED_TOKENS = {
    "image_token": "<image>",
    "boi_token": "<boi>",
    "eoi_token": "<eoi>",
    "fake_image_token": "<fake_token_around_image>",
    "image_boundary_token": "<fake_token_around_image>",
    "global_image_token": "<global-img>",
    "end_of_utterance_token": "<end_of_utterance>",
    "video_token": "<video>",
    "start_image_token": "<img>",
    "end_image_token": "</img>",
    "context_image_token": "<IMG_CONTEXT>",
    "vision_bos_token": "<|vision_start|>",
    "vision_eos_token": "<|vision_end|>",
}
# LLaVA's words around the turns, in the structure of the hub's chat templates.
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] + ': ' }}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ 'IMAGE' }}{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{{ '\n' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)


@cache
def characters() -> Any:
    """The bytes, and the special tokens of all families."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = ["<pad>", "<s>", "</s>", "<unk>", *alphabet]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, [], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def fuyu_characters() -> Any:
    """With a space before every text, which Fuyu's processor takes off, and its words for a picture."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    tokens = [*characters().get_vocab(), "|SPEAKER|", "|NEWLINE|", "<0x04>"]
    vocabulary = {token: i for i, token in enumerate(sorted(tokens, key=first_special))}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", ignore_merges=True))
    tokenizer.normalizer = normalizers.Prepend(" ")
    of_pictures = pre_tokenizers.Split(Regex(r"\|SPEAKER\||\|NEWLINE\||<0x04>"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [of_pictures, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = characters().decoder
    return tokenizer


def first_special(token: str) -> tuple[int, str]:
    """The order of a vocabulary in which padding is 0, as everywhere here."""
    order = ["<pad>", "<s>", "</s>", "<unk>"]
    return (order.index(token) if token in order else len(order)), token


def plain_tokenizer(named: dict[str, str] | None = None, tokenizer: Any = None) -> Any:
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer or characters(),
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        extra_special_tokens=named or {},
    )


def tokenizer(image: str = "<image>", picture: str = "") -> Any:
    """With a chat template that writes `picture`, by default `image`, for a picture."""
    made = plain_tokenizer(NAMED_TOKENS | {"image_token": image})
    made.chat_template = TEMPLATE.replace("IMAGE", picture or image)
    return made


def save(folder: Path, model: Any, processor: Any) -> Path:
    shake(model)
    model.generation_config.pad_token_id = 0
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def ids() -> dict[str, int]:
    return {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}


def llava(folder: Path) -> Path:
    words = tokenizer()
    config = transformers.LlavaConfig(
        vision_config=transformers.CLIPVisionConfig(**VISION, projection_dim=32),
        text_config=transformers.LlamaConfig(**LLAMA, vocab_size=len(words), **ids()),
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )
    processor = transformers.LlavaProcessor(
        transformers.CLIPImageProcessorPil(size={"shortest_edge": SIZE}, crop_size=SIDES),
        words,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=words.chat_template,
    )
    return save(folder, transformers.LlavaForConditionalGeneration(config), processor)


def llava_next(folder: Path) -> Path:
    words = tokenizer()
    pinpoints = [[SIZE, 2 * SIZE], [2 * SIZE, SIZE], [2 * SIZE, 2 * SIZE]]
    config = transformers.LlavaNextConfig(
        vision_config=transformers.CLIPVisionConfig(**VISION, projection_dim=32),
        text_config=transformers.LlamaConfig(**LLAMA, vocab_size=len(words), **ids()),
        image_token_index=words.convert_tokens_to_ids("<image>"),
        image_grid_pinpoints=pinpoints,
    )
    processor = transformers.LlavaNextProcessor(
        transformers.LlavaNextImageProcessorPil(
            size={"shortest_edge": SIZE}, crop_size=SIDES, image_grid_pinpoints=pinpoints
        ),
        words,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=words.chat_template,
    )
    return save(folder, transformers.LlavaNextForConditionalGeneration(config), processor)


def llava_onevision(folder: Path) -> Path:
    words = tokenizer()
    pinpoints = [[SIZE, 2 * SIZE], [2 * SIZE, SIZE], [2 * SIZE, 2 * SIZE]]
    config = transformers.LlavaOnevisionConfig(
        vision_config=transformers.SiglipVisionConfig(**VISION, vision_use_head=False),
        text_config=transformers.Qwen2Config(**LLAMA, vocab_size=len(words), **ids()),
        image_token_index=words.convert_tokens_to_ids("<image>"),
        video_token_index=words.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=pinpoints,
    )
    processor = transformers.LlavaOnevisionProcessor(
        transformers.LlavaOnevisionImageProcessorPil(size=SIDES, image_grid_pinpoints=pinpoints),
        words,
        transformers.LlavaOnevisionVideoProcessor(size=SIDES),
        num_image_tokens=16,
        vision_feature_select_strategy="full",
        chat_template=words.chat_template,
    )
    return save(folder, transformers.LlavaOnevisionForConditionalGeneration(config), processor)


def qwen(folder: Path, generation: str) -> Path:
    words = tokenizer("<|image_pad|>", "<|vision_start|><|image_pad|><|vision_end|>")
    places = {
        "image_token_id": words.convert_tokens_to_ids("<|image_pad|>"),
        "video_token_id": words.convert_tokens_to_ids("<video>"),
        "vision_start_token_id": words.convert_tokens_to_ids("<|vision_start|>"),
        "vision_end_token_id": words.convert_tokens_to_ids("<|vision_end|>"),
    }
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10_000.0}
    patches = {"depth": 2, "num_heads": 2, "patch_size": 8, "spatial_merge_size": 2}
    text = LLAMA | {"vocab_size": len(words), "rope_parameters": rope, **ids()}
    if generation == "2.5":
        vision = patches | {
            "hidden_size": 32,
            "intermediate_size": 64,
            "out_hidden_size": 32,
            "window_size": 32,
            "fullatt_block_indexes": [1],
        }
        config = transformers.Qwen2_5_VLConfig(vision_config=vision, text_config=text, **places)
        model = transformers.Qwen2_5_VLForConditionalGeneration(config)
        kind, mean = transformers.Qwen2_5_VLProcessor, {}
        videos = transformers.Qwen2VLVideoProcessor(patch_size=8)
    else:
        vision = patches | {
            "hidden_size": 32,
            "intermediate_size": 64,
            "out_hidden_size": 32,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
        }
        config = transformers.Qwen3VLConfig(
            vision_config=vision, text_config=text | {"head_dim": 16}, **places
        )
        model = transformers.Qwen3VLForConditionalGeneration(config)
        kind, mean = transformers.Qwen3VLProcessor, {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
        videos = transformers.Qwen3VLVideoProcessor(patch_size=8)
    pictures = transformers.Qwen2VLImageProcessorPil(
        patch_size=8, min_pixels=16 * 16, max_pixels=64 * 64, **mean
    )
    return save(folder, model, kind(pictures, words, videos, chat_template=words.chat_template))


def internvl(folder: Path) -> Path:
    words = tokenizer("<IMG_CONTEXT>")
    vision = VISION | {"image_size": [SIZE, SIZE], "patch_size": [8, 8]}
    config = transformers.InternVLConfig(
        vision_config=vision,
        text_config=transformers.Qwen2Config(**LLAMA, vocab_size=len(words), **ids()),
        image_token_id=words.convert_tokens_to_ids("<IMG_CONTEXT>"),
    )
    processor = transformers.InternVLProcessor(
        transformers.GotOcr2ImageProcessorPil(size=SIDES, crop_to_patches=True, min_patches=1, max_patches=3),
        words,
        transformers.InternVLVideoProcessor(size=SIDES),
        image_seq_length=4,
        chat_template=words.chat_template,
    )
    return save(folder, transformers.InternVLForConditionalGeneration(config), processor)


def idefics3(folder: Path, smol: bool = False) -> Path:
    words = tokenizer()
    kind = "SmolVLM" if smol else "Idefics3"
    vision = getattr(transformers, f"{kind}VisionConfig")(**VISION)
    config = getattr(transformers, f"{kind}Config")(
        vision_config=vision,
        text_config=transformers.LlamaConfig(**LLAMA, vocab_size=len(words), **ids()),
        image_token_id=words.convert_tokens_to_ids("<image>"),
        pad_token_id=0,
        scale_factor=2,
    )
    pictures = getattr(transformers, f"{kind}ImageProcessorPil")(
        size={"longest_edge": 2 * SIZE}, max_image_size={"longest_edge": SIZE}
    )
    videos = (transformers.SmolVLMVideoProcessor(),) if smol else ()
    processor = getattr(transformers, f"{kind}Processor")(
        pictures, words, *videos, image_seq_len=4, chat_template=words.chat_template
    )
    return save(folder, getattr(transformers, f"{kind}ForConditionalGeneration")(config), processor)


def idefics2(folder: Path) -> Path:
    words = tokenizer()
    config = transformers.Idefics2Config(
        vision_config=VISION,
        perceiver_config={
            "hidden_size": 32,
            "resampler_n_latents": 4,
            "resampler_depth": 1,
            "resampler_n_heads": 2,
            "num_key_value_heads": 1,
            "resampler_head_dim": 16,
        },
        text_config=transformers.MistralConfig(**LLAMA, vocab_size=len(words), **ids()),
        image_token_id=words.convert_tokens_to_ids("<image>"),
    )
    pictures = transformers.Idefics2ImageProcessorPil(
        size={"shortest_edge": 24, "longest_edge": SIZE}, do_image_splitting=False
    )
    processor = transformers.Idefics2Processor(
        pictures, words, image_seq_len=4, chat_template=words.chat_template
    )
    return save(folder, transformers.Idefics2ForConditionalGeneration(config), processor)


def gemma3(folder: Path) -> Path:
    words = tokenizer(picture="<boi>")
    config = transformers.Gemma3Config(
        vision_config=transformers.SiglipVisionConfig(**VISION, vision_use_head=False),
        text_config=transformers.Gemma3TextConfig(
            **LLAMA, head_dim=16, vocab_size=len(words), sliding_window=64, **ids()
        ),
        mm_tokens_per_image=4,
        image_token_index=words.convert_tokens_to_ids("<image>"),
        boi_token_index=words.convert_tokens_to_ids("<boi>"),
        eoi_token_index=words.convert_tokens_to_ids("<eoi>"),
        tie_word_embeddings=False,
    )
    processor = transformers.Gemma3Processor(
        transformers.Gemma3ImageProcessorPil(size=SIDES),
        words,
        image_seq_length=4,
        chat_template=words.chat_template,
    )
    return save(folder, transformers.Gemma3ForConditionalGeneration(config), processor)


def paligemma(folder: Path) -> Path:
    words = tokenizer()
    pictures = transformers.SiglipImageProcessorPil(size=SIDES)
    pictures.image_seq_length = 16
    processor = transformers.PaliGemmaProcessor(pictures, words)  # it adds tokens of places to the tokenizer
    config = transformers.PaliGemmaConfig(
        vision_config=transformers.SiglipVisionConfig(**VISION, vision_use_head=False),
        text_config=transformers.GemmaConfig(**LLAMA, head_dim=16, vocab_size=len(words), **ids()),
        projection_dim=32,
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )
    config.text_config.num_image_tokens = 16
    return save(folder, transformers.PaliGemmaForConditionalGeneration(config), processor)


def instructblip(folder: Path, t5: bool = False) -> Path:
    words, qformer_words = plain_tokenizer(), plain_tokenizer()
    processor = transformers.InstructBlipProcessor(
        transformers.BlipImageProcessorPil(size=SIDES), words, qformer_words, num_query_tokens=4
    )
    text: Any = transformers.OPTConfig(
        vocab_size=len(words),
        hidden_size=32,
        word_embed_proj_dim=32,
        ffn_dim=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=256,
        **ids(),
    )
    if t5:
        text = transformers.T5Config(
            vocab_size=len(words),
            d_model=32,
            d_kv=16,
            d_ff=64,
            num_layers=2,
            num_heads=2,
            decoder_start_token_id=0,
            pad_token_id=0,
            eos_token_id=2,
        )
    config = transformers.InstructBlipConfig(
        vision_config=VISION,
        qformer_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "encoder_hidden_size": 32,
            "cross_attention_frequency": 1,
            "vocab_size": len(qformer_words),
        },
        text_config=text.to_dict(),
        num_query_tokens=4,
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )
    return save(folder, transformers.InstructBlipForConditionalGeneration(config), processor)


def kosmos2(folder: Path) -> Path:
    words = plain_tokenizer()
    processor = transformers.Kosmos2Processor(
        transformers.CLIPImageProcessorPil(size={"shortest_edge": SIZE}, crop_size=SIDES), words
    )
    config = transformers.Kosmos2Config(
        text_config={
            "vocab_size": len(words),
            "max_position_embeddings": 256,
            "embed_dim": 32,
            "layers": 2,
            "ffn_dim": 64,
            "attention_heads": 2,
            "dropout": 0.0,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
        vision_config=VISION,
        latent_query_num=64,
    )
    return save(folder, transformers.Kosmos2ForConditionalGeneration(config), processor)


def fuyu(folder: Path) -> Path:
    words = plain_tokenizer(tokenizer=fuyu_characters())
    processor = transformers.FuyuProcessor(
        transformers.FuyuImageProcessorPil(size=SIDES, patch_size={"height": 8, "width": 8}), words
    )
    config = transformers.FuyuConfig(
        text_config=LLAMA | {"model_type": "persimmon", "vocab_size": len(words), **ids()},
        image_size=SIZE,
        patch_size=8,
        image_token_id=words.convert_tokens_to_ids("|SPEAKER|"),
    )
    return save(folder, transformers.FuyuForCausalLM(config), processor)


def florence2(folder: Path) -> Path:
    words = tokenizer()
    pictures = transformers.CLIPImageProcessorPil(size=SIDES, do_center_crop=False)
    config = transformers.Florence2Config(
        vision_config={
            "depths": [1, 1],
            "patch_size": [7, 3],
            "patch_stride": [4, 4],
            "patch_padding": [3, 1],
            "patch_prenorm": [False, True],
            "embed_dim": [16, 32],
            "num_heads": [2, 2],
            "num_groups": [2, 2],
            "window_size": 4,
            "projection_dim": 32,
            "drop_path_rate": 0.0,
        },
        text_config={
            "model_type": "bart",
            "vocab_size": len(words),
            "d_model": 32,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 64,
            "decoder_ffn_dim": 64,
            "max_position_embeddings": 256,
            "decoder_start_token_id": 2,
            "forced_bos_token_id": 1,
            **ids(),
        },
        image_token_id=words.convert_tokens_to_ids("<image>"),
    )
    pictures.image_seq_length = 5  # 2 x 2 patches and their mean
    processor = transformers.Florence2Processor(pictures, words)
    return save(folder, transformers.Florence2ForConditionalGeneration(config), processor)


def vit_gpt2(folder: Path) -> Path:
    words = tokenizer()
    model = transformers.VisionEncoderDecoderModel(
        encoder=transformers.ViTModel(transformers.ViTConfig(**VISION), add_pooling_layer=False),
        decoder=transformers.GPT2LMHeadModel(
            transformers.GPT2Config(
                n_embd=32,
                n_layer=2,
                n_head=2,
                n_positions=256,
                vocab_size=len(words),
                add_cross_attention=True,
                is_decoder=True,
                **ids(),
            )
        ),
    )
    model.config.decoder_start_token_id, model.config.pad_token_id = 1, 0
    model.generation_config.decoder_start_token_id = 1
    transformers.ViTImageProcessorPil(size=SIDES).save_pretrained(folder)
    return save(folder, model, words)


# By the names of conf/model.
MAKERS: dict[str, Callable[[Path], Path]] = {
    "llava": llava,
    "llava-next": llava_next,
    "llava-onevision": llava_onevision,
    "qwen2.5-vl": lambda folder: qwen(folder, "2.5"),
    "qwen3-vl": lambda folder: qwen(folder, "3"),
    "internvl": internvl,
    "smolvlm": lambda folder: idefics3(folder, smol=True),
    "idefics2": idefics2,
    "idefics3": idefics3,
    "gemma3": gemma3,
    "paligemma": paligemma,
    "instructblip": instructblip,
    "kosmos2": kosmos2,
    "fuyu": fuyu,
    "florence2": florence2,
}
