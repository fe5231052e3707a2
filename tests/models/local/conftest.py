"""Tiny checkpoints with random weights, saved as the real ones are: they say noise, but always the same."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

SENTENCES = (
    "a an the photo picture of dog cat red blue green big small on in with question : what is shown ? answer "
    "horse tree house car man woman ball sky grass"
)
WORDS = SENTENCES.split()
VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
TEXT = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


def bert_tokenizer(folder: Path) -> object:
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    return transformers.BertTokenizer(vocab={word: i for i, word in enumerate(vocabulary)})


def gpt2_tokenizer() -> object:
    """Byte-level like OPT's: `</s>` opens and closes, every byte is a token."""
    from tokenizers.pre_tokenizers import ByteLevel

    tokens = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet())]
    return transformers.GPT2Tokenizer(
        vocab={token: i for i, token in enumerate(tokens)},
        merges=[],
        bos_token="</s>",
        eos_token="</s>",
        unk_token="</s>",
        pad_token="<pad>",
        add_bos_token=True,
    )


def shake(model: torch.nn.Module) -> None:
    """Random weights far enough from zero that pictures make a difference."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1 or "query" in name:
                parameter.normal_(0, 0.35)


def image_processor(kind: str) -> object:
    size = {"height": 32, "width": 32}
    if kind == "clip":
        return transformers.CLIPImageProcessorPil(
            size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
        )
    return transformers.BlipImageProcessorPil(size=size)


@pytest.fixture(scope="session")
def git_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("git")
    torch.manual_seed(0)
    tokenizer = bert_tokenizer(folder)
    config = transformers.GitConfig(
        vision_config=VISION,
        **TEXT,
        vocab_size=len(tokenizer),
        bos_token_id=2,
        eos_token_id=3,
        pad_token_id=0,
        num_image_with_embedding=None,
    )
    model = transformers.GitForCausalLM(config)
    shake(model)
    model.save_pretrained(folder)
    transformers.GitProcessor(image_processor("clip"), tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def blip_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blip")
    torch.manual_seed(1)
    tokenizer = bert_tokenizer(folder)
    config = transformers.BlipConfig(
        vision_config=VISION,
        text_config=TEXT
        | {
            "encoder_hidden_size": 32,
            "vocab_size": len(tokenizer),
            "bos_token_id": 5,
            "eos_token_id": 3,
            "sep_token_id": 3,
            "pad_token_id": 0,
        },
    )
    model = transformers.BlipForConditionalGeneration(config)
    shake(model)
    model.save_pretrained(folder)
    transformers.BlipProcessor(image_processor("blip"), tokenizer).save_pretrained(folder)
    return folder


QFORMER = TEXT | {"encoder_hidden_size": 32, "cross_attention_frequency": 1, "vocab_size": 8}


def save_blip2(folder: Path, processor: Any, text: Any) -> Path:
    """A BLIP-2 with this language model."""
    config = transformers.Blip2Config(
        vision_config=VISION,
        qformer_config=QFORMER,
        text_config=text.to_dict(),
        num_query_tokens=4,
        image_token_index=processor.tokenizer.convert_tokens_to_ids("<image>"),
    )
    model = transformers.Blip2ForConditionalGeneration(config)
    shake(model)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def blip2_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blip2")
    torch.manual_seed(2)
    tokenizer = gpt2_tokenizer()
    # The processor adds its <image> token to the tokenizer, so it comes before the sizes are taken.
    processor = transformers.Blip2Processor(image_processor("blip"), tokenizer, num_query_tokens=4)
    text = transformers.OPTConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        word_embed_proj_dim=32,
        ffn_dim=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=256,
        bos_token_id=2,
        eos_token_id=2,
        pad_token_id=1,
    )
    return save_blip2(folder, processor, text)


@pytest.fixture(scope="session")
def blip2_t5_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blip2_t5")
    torch.manual_seed(3)
    tokenizer = bert_tokenizer(folder)
    processor = transformers.Blip2Processor(image_processor("blip"), tokenizer, num_query_tokens=4)
    text = transformers.T5Config(
        vocab_size=len(tokenizer),
        d_model=32,
        d_kv=16,
        d_ff=64,
        num_layers=2,
        num_heads=2,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=3,
    )
    return save_blip2(folder, processor, text)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Nine pictures of random blocks."""
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    paths = []
    for number in range(9):
        blocks = generator.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        paths.append(folder / f"{number}.png")
        Image.fromarray(blocks).resize((48, 40), Image.Resampling.NEAREST).save(paths[-1])
    return paths


@pytest.fixture(scope="session")
def edited() -> Callable[[Path, Path, dict[str, object]], Path]:
    """A copy of a checkpoint with other entries in its config.json."""

    def edit(checkpoint: Path, folder: Path, entries: dict[str, object]) -> Path:
        shutil.copytree(checkpoint, folder)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | entries))
        return folder

    return edit
