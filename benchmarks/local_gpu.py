"""How much of an NVIDIA GPU local models use: random weights in the true shapes, JPEG files of COCO's size.

    python benchmarks/local_gpu.py [IMAGES]
    python benchmarks/local_gpu.py --tiny      # tiny shapes on the CPU: whether this program works

BLIP-2 OPT-2.7B, GIT-large, BLIP-large and Qwen2.5-VL-3B in half precision generate 20 tokens per picture. For
each: images per second of the whole run, from files to captions; its share of a bare loop over pictures in
memory; that loop against one picture at a time; the floating-point operations per second of the loop, as a
share of what a matrix product reaches on the same device; and the seconds of each stage. Without a GPU,
nothing is measured. The last line is one JSON object, with the worst of the models.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from evaluator.core import Caption, Item, Prompt, Reply
from evaluator.files.images import read_picture
from evaluator.models.local import LocalSession
from evaluator.runner.default import DefaultRunner

IMAGES = 512
TOKENS, TINY_TOKENS = 20, 2
MATRIX = 8192
OPT = {"hidden_size": 2560, "word_embed_proj_dim": 2560, "ffn_dim": 10240, "num_hidden_layers": 32}
LARGE_VISION = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24}
VIT_G = {"hidden_size": 1408, "intermediate_size": 6144, "num_hidden_layers": 39}
QWEN = {"hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36}
QWEN_VISION = {"hidden_size": 1280, "intermediate_size": 3420, "depth": 32, "out_hidden_size": 2048}
VISION_START, VISION_END, IMAGE_TOKEN = 1, 2, 3


@dataclass(frozen=True)
class Shape:
    """One model: its configuration, its image processor, and the ids before the caption."""

    name: str
    config: Any
    image_processor: Any
    prompt_ids: tuple[int, ...]
    batch_size: int


def shapes(tiny: bool) -> list[Shape]:
    """The true ones; or, with the same number of heads, so small that they run anywhere."""

    def sized(sizes: Mapping[str, int]) -> dict[str, int]:
        small = {"hidden_size": 64, "word_embed_proj_dim": 64, "out_hidden_size": 64, "depth": 1}
        small |= {"ffn_dim": 64, "intermediate_size": 64, "num_hidden_layers": 1}
        return {name: small[name] if tiny else size for name, size in sizes.items()}

    heads = {"num_attention_heads": 16}
    few_layers = {"num_hidden_layers": 1} if tiny else {}  # else the defaults, which are the true ones
    blip2 = transformers.Blip2Config(
        vision_config=sized(VIT_G) | heads | {"image_size": 224, "patch_size": 14},
        qformer_config=few_layers | {"encoder_hidden_size": sized(VIT_G)["hidden_size"]},
        text_config=transformers.OPTConfig(**sized(OPT), num_attention_heads=32).to_dict(),
        num_query_tokens=32,
        image_token_index=50265,
    )
    git = transformers.GitConfig(
        vision_config=sized(LARGE_VISION) | heads | {"image_size": 224, "patch_size": 14}, **few_layers
    )
    blip = transformers.BlipConfig(
        vision_config=sized(LARGE_VISION) | heads | {"image_size": 384, "patch_size": 16},
        text_config=few_layers | {"encoder_hidden_size": sized(LARGE_VISION)["hidden_size"]},
    )
    sections = [1, 1, 0] if tiny else [16, 24, 24]
    qwen = transformers.Qwen2_5_VLConfig(
        vision_config=sized(QWEN_VISION) | {"num_heads": 16},
        text_config=sized(QWEN)
        | heads
        | {"num_key_value_heads": 2, "vocab_size": 151936}
        | {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": sections}},
        image_token_id=IMAGE_TOKEN,
        vision_start_token_id=VISION_START,
        vision_end_token_id=VISION_END,
    )
    square = transformers.BlipImageProcessorPil(size={"height": 224, "width": 224})
    large = transformers.BlipImageProcessorPil(size={"height": 384, "width": 384})
    return [
        Shape("BLIP-2 OPT-2.7B", blip2, square, (50265,) * 32 + (2,), 64),
        Shape("GIT-large", git, square, (101,), 128),
        Shape("BLIP-large", blip, large, (30522, 102), 64),
        Shape("Qwen2.5-VL-3B", qwen, transformers.Qwen2VLImageProcessorPil(), (), 32),
    ]


class Numbers:
    """In place of a tokenizer: random weights say nothing in words."""

    def decode(self, ids: Sequence[int], skip_special_tokens: bool) -> str:
        return " ".join(map(str, ids))


@dataclass(frozen=True)
class QwenSession:
    """The processor's patches of a picture, and a request of as many image tokens."""

    model: Any
    image_processor: Any
    decoding: Mapping[str, Any]

    def prepare(self, item: Item) -> dict[str, torch.Tensor]:
        assert item.image is not None
        return dict(self.image_processor(read_picture(item.image), return_tensors="pt"))

    def caption(self, prepared: Sequence[dict[str, torch.Tensor]]) -> list[Reply]:
        grid = torch.cat([each["image_grid_thw"] for each in prepared])
        patches = torch.cat([each["pixel_values"] for each in prepared])
        merged = int(grid[0].prod()) // self.image_processor.merge_size**2
        ids = torch.tensor([[VISION_START, *[IMAGE_TOKEN] * merged, VISION_END, 4, 5]] * len(prepared))
        device = self.model.device
        with torch.inference_mode():
            output = self.model.generate(
                input_ids=ids.to(device),
                attention_mask=torch.ones_like(ids).to(device),
                mm_token_type_ids=(ids == IMAGE_TOKEN).int().to(device),
                pixel_values=patches.to(device, self.model.dtype),
                image_grid_thw=grid.to(device),
                **self.decoding,
            )
        return [Reply(" ".join(map(str, row))) for row in output[:, ids.shape[1] :].tolist()]


@dataclass(frozen=True)
class Loaded:
    """A captioner that is open already."""

    session: Any

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        return ()

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[Any]:
        yield self.session


def session_of(shape: Shape, device: torch.device, dtype: torch.dtype) -> Any:
    torch.manual_seed(0)
    with torch.device(device):
        model = transformers.AutoModelForImageTextToText.from_config(shape.config, dtype=dtype).eval()
    model.requires_grad_(False)
    tokens = TOKENS if device.type == "cuda" else TINY_TOKENS
    decoding = {"do_sample": False, "num_beams": 1, "min_new_tokens": tokens, "max_new_tokens": tokens}
    if not shape.prompt_ids:
        return QwenSession(model, shape.image_processor, decoding)
    echo = len(shape.prompt_ids)
    return LocalSession(
        *(
            model,
            shape.image_processor,
            Numbers(),
            shape.prompt_ids,
            echo,
            frozenset[int](),
            decoding,
            "random",
        )
    )


def write_pictures(folder: Path, count: int) -> list[Item]:
    """JPEG files of COCO's usual size, 640 x 480 pixels and about 100 KB."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[0:480, 0:640]
    items = [Item(str(number), folder / f"{number}.jpg") for number in range(count)]
    for item in items:
        waves = 127 + 60 * np.sin(rows / generator.uniform(20, 60)) + 60 * np.cos(columns / 53)
        noise = generator.normal(0, 14, (480, 640, 1))
        pixels = (waves[..., None] + noise).clip(0, 255).astype(np.uint8)
        assert item.image is not None
        Image.fromarray(pixels.repeat(3, axis=2)).save(item.image, quality=85)
    return items


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def matrix_flops(device: torch.device, dtype: torch.dtype, size: int) -> float:
    """Operations per second of a matrix product; the best of ten."""
    matrix = torch.randn(size, size, device=device, dtype=dtype)
    matrix @ matrix
    return 2 * size**3 / min(seconds(lambda: matrix @ matrix) for _ in range(10))


def measured(
    shape: Shape, items: Sequence[Item], device: torch.device, dtype: torch.dtype
) -> dict[str, float]:
    session = session_of(shape, device, dtype)
    size = min(shape.batch_size, len(items))
    prepared: list[Any] = []
    prepare = seconds(lambda: prepared.extend(map(session.prepare, items)))
    batches = [prepared[start : start + size] for start in range(0, len(prepared), size)]
    session.caption(batches[0])  # what is done once is not counted
    with FlopCounterMode(display=False) as counter:
        session.caption(batches[0])
    bare = seconds(lambda: [session.caption(batch) for batch in batches])
    few = prepared[: max(1, len(prepared) // 16)]
    alone = seconds(lambda: [session.caption([each]) for each in few]) * len(prepared) / len(few)
    captions: list[Caption] = []
    runner = DefaultRunner(batch_size=size)
    whole = seconds(lambda: runner.run(Loaded(session), Prompt("none"), items, captions.append))
    assert all(caption.text for caption in captions), captions[0].error
    operations = counter.get_total_flops() * len(items) / len(batches[0])
    print(f"{shape.name}: {len(items) / whole:.1f} images/s; bare loop {len(items) / bare:.1f}")
    print(f"  seconds: preparing {prepare:.2f} (one process), generating {bare:.2f}, whole run {whole:.2f}")
    if device.type == "cuda":
        print(f"  peak memory {torch.cuda.max_memory_allocated() / 1e9:.1f} GB", flush=True)
        torch.cuda.reset_peak_memory_stats()
    return {
        "bare_loop_share": bare / whole,
        "one_by_one_ratio": alone / bare,
        "flops_share": operations
        / bare
        / matrix_flops(device, dtype, MATRIX if device.type == "cuda" else 256),
    }


def main(images: int, tiny: bool) -> None:
    if not (tiny or torch.cuda.is_available()):
        print("no NVIDIA GPU: not measured")
        print(json.dumps({"measured": False}))
        return
    device = torch.device("cpu" if tiny else "cuda")
    dtype = torch.float32 if tiny else torch.float16
    print("cpu, tiny shapes: no figures of a GPU" if tiny else torch.cuda.get_device_name())
    with tempfile.TemporaryDirectory() as folder:
        items = write_pictures(Path(folder), images)
        figures = [measured(shape, items, device, dtype) for shape in shapes(tiny)]
    worst = {key: round(min(each[key] for each in figures), 4) for key in figures[0]}
    print(json.dumps({"measured": not tiny} | worst))


if __name__ == "__main__":
    is_tiny = "--tiny" in sys.argv
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdecimal()]
    main(numbers[0] if numbers else 2 if is_tiny else IMAGES, is_tiny)
