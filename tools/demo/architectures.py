"""Five tiny models of the real architectures, untrained: a GIT, a BLIP, an ITM, a BLIP-2 and a CLIP.

They are built like `microsoft/git-base-coco`, `Salesforce/blip-image-captioning-base`,
`Salesforce/blip-itm-base-coco`, `Salesforce/blip2-opt-2.7b` and `openai/clip-vit-base-patch32`, only smaller:
the same classes, the same kind of tokenizer, the same files on disk. Each has fewer than a million weights,
which take less than 2 MB in float16.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tools.demo.captions import describe
from tools.demo.scenes import COLORS, GROUNDS, SHAPES, TEXTURES, training_scenes

MERGES = Path(__file__).parent / "merges"
WIDTH = 96
IMAGE_SIZE = 64
QUERIES = 12
CONTEXT = 48  # tokens, more than any caption has
VISION = MappingProxyType(
    {
        "hidden_size": WIDTH,
        "intermediate_size": 4 * WIDTH,
        "num_attention_heads": 4,
        "image_size": IMAGE_SIZE,
        "patch_size": 8,
        "attention_dropout": 0.0,
    }
)
TEXT = MappingProxyType(
    {
        "hidden_size": WIDTH,
        "intermediate_size": 4 * WIDTH,
        "num_attention_heads": 4,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
)


def sentences(number: int = 4000) -> Iterator[str]:
    """Captions to learn a vocabulary from."""
    generator = random.Random("vocabulary")
    for scene in itertools.islice(training_scenes(seed=-1), number):
        yield describe(scene, generator)


def words() -> list[str]:
    """Every word of the captions, and the words that prompts are likely to contain."""
    used = {word for text in sentences() for word in text.replace(",", " ,").split()}
    prompts = (
        "question : what is shown in this the image picture photo ? answer describe one short sentence . "
    )
    return sorted(used | set(prompts.split()) | {*COLORS, *SHAPES, *GROUNDS, *TEXTURES})


def word_pieces(extra: tuple[str, ...] = ()) -> Any:
    """BERT's kind of tokenizer, which GIT and BLIP use."""
    from transformers import BertTokenizer

    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *extra, *words()]
    return BertTokenizer(
        vocab={word: index for index, word in enumerate(vocabulary)}, model_max_length=CONTEXT
    )


def byte_pairs(name: str, end_of_word: str = "") -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A vocabulary of bytes and merges; CLIP's marks the end of a word, OPT's does not.

    The merges were learned from the captions once and saved, because the order of equally frequent merges
    changes each time they are learned.
    """
    from tokenizers.pre_tokenizers import ByteLevel

    lines = (MERGES / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    merges = [(first, second) for first, second in (line.split(" ") for line in lines)]
    alphabet = sorted(ByteLevel.alphabet())
    tokens = [*alphabet, *(f"{byte}{end_of_word}" for byte in alphabet if end_of_word)]
    tokens += [first + second for first, second in merges]
    return {token: index for index, token in enumerate(dict.fromkeys(tokens))}, merges


def git() -> tuple[Any, Any]:
    """An image encoder of four layers, and one decoder of three layers for image and text tokens."""
    from transformers import CLIPImageProcessorPil, GitConfig, GitForCausalLM, GitProcessor

    tokenizer = word_pieces()
    config = GitConfig(
        vision_config=dict(VISION) | {"num_hidden_layers": 4},
        **TEXT,
        num_hidden_layers=3,
        max_position_embeddings=CONTEXT,
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    square = {"height": IMAGE_SIZE, "width": IMAGE_SIZE}
    pictures = CLIPImageProcessorPil(size={"shortest_edge": IMAGE_SIZE}, crop_size=square)
    return GitForCausalLM(config), GitProcessor(pictures, tokenizer)


def blip() -> tuple[Any, Any]:
    """An image encoder of four layers, and a decoder of three layers, each of which attends to it."""
    from transformers import BlipForConditionalGeneration

    config, processor = blip_parts()
    return BlipForConditionalGeneration(config), processor


def itm() -> tuple[Any, Any]:
    """The same layers, with heads that say whether a text fits a picture."""
    from transformers import BlipForImageTextRetrieval

    config, processor = blip_parts()
    return BlipForImageTextRetrieval(config), processor


def blip_parts() -> tuple[Any, Any]:
    """BLIP's configuration and processor."""
    from transformers import BlipConfig, BlipImageProcessorPil, BlipProcessor

    tokenizer = word_pieces(extra=("[DEC]", "[ENC]"))
    text = dict(TEXT) | {
        "num_hidden_layers": 3,
        "encoder_hidden_size": WIDTH,
        "max_position_embeddings": CONTEXT,
        "vocab_size": len(tokenizer),
        "bos_token_id": tokenizer.convert_tokens_to_ids("[DEC]"),
        "eos_token_id": tokenizer.sep_token_id,
        "sep_token_id": tokenizer.sep_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "label_smoothing": 0.0,
    }
    # The default of 1e-10 suits weights that are loaded; a model that starts from it learns nothing.
    vision = dict(VISION) | {"num_hidden_layers": 4, "initializer_range": 0.02}
    config = BlipConfig(
        vision_config=vision, text_config=text, projection_dim=WIDTH, image_text_hidden_size=WIDTH
    )
    pictures = BlipImageProcessorPil(size={"height": IMAGE_SIZE, "width": IMAGE_SIZE})
    return config, BlipProcessor(pictures, tokenizer)


def blip2() -> tuple[Any, Any]:
    """An image encoder of four layers, a Q-Former of one, an OPT of two."""
    import torch
    from transformers import (
        Blip2Config,
        Blip2ForConditionalGeneration,
        Blip2Processor,
        BlipImageProcessorPil,
        GPT2Tokenizer,
        OPTConfig,
    )

    vocabulary, merges = byte_pairs("opt")
    special = ("<s>", "<pad>", "</s>", "<unk>")
    tokenizer = GPT2Tokenizer(
        vocab={token: index for index, token in enumerate([*special, *vocabulary])},
        merges=merges,
        bos_token="</s>",
        eos_token="</s>",
        unk_token="</s>",
        pad_token="<pad>",
        add_bos_token=True,
        model_max_length=CONTEXT,
    )
    pictures = BlipImageProcessorPil(size={"height": IMAGE_SIZE, "width": IMAGE_SIZE})
    processor = Blip2Processor(pictures, tokenizer, num_query_tokens=QUERIES)
    text = OPTConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        word_embed_proj_dim=WIDTH,
        ffn_dim=4 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=CONTEXT + QUERIES,
        dropout=0.0,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    queries = dict(TEXT) | {
        "num_hidden_layers": 1,
        "encoder_hidden_size": WIDTH,
        "cross_attention_frequency": 1,
        "vocab_size": 1,
    }
    config = Blip2Config(
        vision_config=dict(VISION) | {"num_hidden_layers": 4, "initializer_range": 0.02},
        qformer_config=queries,
        text_config=text.to_dict(),
        num_query_tokens=QUERIES,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )
    model = Blip2ForConditionalGeneration(config)
    # With the default of zeros all queries start equal and become different only slowly.
    torch.nn.init.normal_(model.query_tokens)
    return model, processor


def clip() -> tuple[Any, Any]:
    """Four layers for pictures, three for texts, and one space for both."""
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPProcessor, CLIPTokenizer

    vocabulary, merges = byte_pairs("clip", end_of_word="</w>")
    tokens = [*vocabulary, "<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(
        vocab={token: index for index, token in enumerate(tokens)}, merges=merges, model_max_length=CONTEXT
    )
    text = {
        "hidden_size": WIDTH,
        "intermediate_size": 4 * WIDTH,
        "num_attention_heads": 4,
        "num_hidden_layers": 3,
        "max_position_embeddings": CONTEXT,
        "vocab_size": len(tokens),
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "projection_dim": WIDTH,
    }
    vision = dict(VISION) | {"num_hidden_layers": 4, "projection_dim": WIDTH}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=WIDTH)
    square = {"height": IMAGE_SIZE, "width": IMAGE_SIZE}
    pictures = CLIPImageProcessorPil(size={"shortest_edge": IMAGE_SIZE}, crop_size=square)
    return CLIPModel(config), CLIPProcessor(pictures, tokenizer)


BUILDERS: Mapping[str, Callable[[], tuple[Any, Any]]] = MappingProxyType(
    {"git": git, "blip": blip, "itm": itm, "blip2": blip2, "clip": clip}
)
