"""Train one of the demo's models from a seed, on one CPU core: `python -m tools.demo.train git`.

Pictures are drawn once; a picture gets a new caption each time it is used. No held-out scene is used. At the
end the program prints the time it took and how good the saved model is on the held-out scenes, captioned
through the same code as any other checkpoint.
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import evaluator.demo
from evaluator.files.atomic import replacing
from tools.demo.architectures import BUILDERS, IMAGE_SIZE
from tools.demo.captions import describe, wrong_captions
from tools.demo.scenes import Scene, draw, training_scenes

PICTURES = 40_000
BATCH = 64
PEAK_RATE = 1.5e-3
GENTLE_RATE = 5e-4  # for a model that starts from trained layers throughout
WARM_UP = 300
TEMPERATURE = 0.07  # of BLIP's contrastive loss
STEPS = {"git": 7000, "blip": 7000, "itm": 2500, "blip2": 4000, "clip": 7000}
MODELS = Path(evaluator.demo.__file__).parent / "models"


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(prog="python -m tools.demo.train", description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=BUILDERS)
    parser.add_argument("--output", type=Path, help="folder to save to; the package's own by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    start = time.process_time()
    model, processor = BUILDERS[options.model]()
    if options.model == "blip2":
        with_trained_encoder(model, MODELS / "blip")
    if options.model == "itm":
        with_trained_layers(model, MODELS / "blip")
    scenes, pictures = drawn(PICTURES, options.seed)
    print(f"{options.model}: {sum(weight.numel() for weight in model.parameters()):,} weights", flush=True)
    fit(
        model,
        processor,
        LOSSES[options.model],
        scenes,
        pictures,
        options.steps or STEPS[options.model],
        GENTLE_RATE if options.model == "itm" else PEAK_RATE,
        options.seed,
    )
    folder = options.output or MODELS / options.model
    model.half().save_pretrained(folder)
    processor.save_pretrained(folder)
    print(f"saved to {folder} after {(time.process_time() - start) / 60:.1f} CPU minutes")
    from tools.demo.measure import report

    print(report(options.model, folder))


def with_trained_encoder(model: Any, folder: Path) -> None:
    """Start from the image encoder of a trained BLIP, because BLIP-2 expects a trained encoder."""
    from transformers import BlipForConditionalGeneration

    trained = BlipForConditionalGeneration.from_pretrained(folder)
    model.vision_model.load_state_dict(trained.vision_model.float().state_dict())


def with_trained_layers(model: Any, folder: Path) -> None:
    """Start from the layers of a trained BLIP, so that only the heads are new."""
    from transformers import BlipForConditionalGeneration

    trained = BlipForConditionalGeneration.from_pretrained(folder).float()
    model.vision_model.load_state_dict(trained.vision_model.state_dict())
    model.text_encoder.load_state_dict(trained.text_decoder.bert.state_dict())


def drawn(number: int, seed: int) -> tuple[list[Scene], NDArray[np.uint8]]:
    """Training scenes and their pictures, (number, 64, 64, 3); the pictures are kept for the next model."""
    scenes = list(itertools.islice(training_scenes(seed), number))
    kept = Path(tempfile.gettempdir()) / f"evaluator-demo-{number}-{seed}.npy"
    if not kept.exists():
        size = (IMAGE_SIZE, IMAGE_SIZE)
        pictures = np.stack(
            [np.asarray(draw(scene).resize(size, Image.Resampling.BICUBIC)) for scene in scenes]
        )
        with replacing(kept) as temporary, temporary.open("wb") as file:
            np.save(file, pictures)
    return scenes, np.load(kept, mmap_mode="r")


def fit(
    model: Any,
    processor: Any,
    loss_of: Callable[[Any, Any, Any, Sequence[Scene], random.Random], Any],
    scenes: Sequence[Scene],
    pictures: NDArray[np.uint8],
    steps: int,
    rate: float,
    seed: int,
) -> None:
    """AdamW with warm-up and a cosine schedule, in bfloat16 where the CPU has instructions for it."""
    import torch

    processor_has = torch.cpu.get_capabilities()
    mixed = bool(processor_has.get("avx512_bf16") or processor_has.get("amx_bf16"))

    settings = processor.image_processor
    mean = torch.tensor(settings.image_mean)[:, None, None]
    deviation = torch.tensor(settings.image_std)[:, None, None]
    generator = random.Random(seed)
    order = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.05, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: (
            min(1.0, (step + 1) / WARM_UP) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        ),
    )
    model.train()
    start, losses = time.monotonic(), []
    for step in range(1, steps + 1):
        chosen = order.integers(len(scenes), size=BATCH)
        pixels = torch.from_numpy(pictures[np.sort(chosen)]).permute(0, 3, 1, 2).float().div(255)
        batch = [scenes[index] for index in np.sort(chosen)]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=mixed):
            loss = loss_of(model, processor, (pixels - mean) / deviation, batch, generator)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % 250 == 0:
            minutes = (time.monotonic() - start) / 60
            left = minutes * (steps - step) / step
            print(f"step {step}: loss {np.mean(losses[-250:]):.3f}, {left:.1f} minutes left", flush=True)
    model.eval()


def captions_of(processor: Any, scenes: Sequence[Scene], generator: random.Random) -> Any:
    """One new caption per scene as padded token ids, each with the token that ends a caption."""
    return processor.tokenizer(
        [describe(scene, generator) for scene in scenes],
        return_tensors="pt",
        padding=True,
        padding_side="right",
    )


def git_loss(
    model: Any, processor: Any, pixels: Any, scenes: Sequence[Scene], generator: random.Random
) -> Any:
    text = captions_of(processor, scenes, generator)
    labels = text.input_ids.masked_fill(text.attention_mask == 0, -100)
    return model(
        input_ids=text.input_ids, attention_mask=text.attention_mask, pixel_values=pixels, labels=labels
    ).loss


def blip_loss(
    model: Any, processor: Any, pixels: Any, scenes: Sequence[Scene], generator: random.Random
) -> Any:
    text = captions_of(processor, scenes, generator)
    text.input_ids[:, 0] = model.config.text_config.bos_token_id  # `generate` starts with it
    labels = text.input_ids.masked_fill(text.attention_mask == 0, -100)
    return model(
        input_ids=text.input_ids, attention_mask=text.attention_mask, pixel_values=pixels, labels=labels
    ).loss


def blip2_loss(
    model: Any, processor: Any, pixels: Any, scenes: Sequence[Scene], generator: random.Random
) -> Any:
    import torch

    tokenizer = processor.tokenizer
    texts = [describe(scene, generator) + tokenizer.eos_token for scene in scenes]
    text = tokenizer(texts, return_tensors="pt", padding=True, padding_side="right")
    image = torch.full((len(scenes), model.config.num_query_tokens), model.config.image_token_index)
    mask = torch.cat([torch.ones_like(image), text.attention_mask], dim=1)
    labels = text.input_ids.masked_fill(text.attention_mask == 0, -100)
    labels[:, 0] = -100  # the token that OPT starts with
    return model(
        input_ids=torch.cat([image, text.input_ids], dim=1),
        attention_mask=mask,
        pixel_values=pixels,
        labels=torch.cat([torch.full_like(image, -100), labels], dim=1),
    ).loss


def clip_loss(
    model: Any, processor: Any, pixels: Any, scenes: Sequence[Scene], generator: random.Random
) -> Any:
    """Each picture must match its own caption, not another one nor one with a wrong colour or shape."""
    import torch

    right = [describe(scene, generator) for scene in scenes]
    wrong = [
        text
        for scene, caption in zip(scenes, right, strict=True)
        for text in wrong_captions(caption, scene, generator)
    ]
    text = processor.tokenizer([*right, *wrong], return_tensors="pt", padding=True)
    output = model(**text, pixel_values=pixels)
    own = torch.arange(len(scenes))
    cross_entropy = torch.nn.functional.cross_entropy
    logits = output.logits_per_image.float()
    return (cross_entropy(logits, own) + cross_entropy(logits[:, : len(scenes)].T, own)) / 2


def itm_loss(
    model: Any, processor: Any, pixels: Any, scenes: Sequence[Scene], generator: random.Random
) -> Any:
    """BLIP's losses: does a text match (right, slightly wrong, of another picture)? Which is nearest?"""
    import torch

    normalize, cross_entropy = torch.nn.functional.normalize, torch.nn.functional.cross_entropy
    right = [describe(scene, generator) for scene in scenes]
    wrong = [
        generator.choice(wrong_captions(caption, scene, generator))
        for scene, caption in zip(scenes, right, strict=True)
    ]
    texts = [*right, *wrong, *right[1:], right[0]]
    text = processor.tokenizer(texts, return_tensors="pt", padding=True, padding_side="right")
    image = model.vision_model(pixel_values=pixels).last_hidden_state
    matching = model.text_encoder(
        input_ids=text.input_ids,
        attention_mask=text.attention_mask,
        encoder_hidden_states=image.repeat(3, 1, 1),
        encoder_attention_mask=torch.ones(3 * len(scenes), image.shape[1], dtype=torch.long),
    ).last_hidden_state[:, 0]
    is_right = (torch.arange(len(texts)) < len(scenes)).long()
    alone = model.text_encoder(
        input_ids=text.input_ids[: len(scenes)], attention_mask=text.attention_mask[: len(scenes)]
    ).last_hidden_state[:, 0]
    cosines = normalize(model.vision_proj(image[:, 0]), dim=-1) @ normalize(model.text_proj(alone), dim=-1).T
    logits, own = cosines.float() / TEMPERATURE, torch.arange(len(scenes))
    nearest = (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2
    return cross_entropy(model.itm_head(matching).float(), is_right) + nearest


LOSSES = {"git": git_loss, "blip": blip_loss, "itm": itm_loss, "blip2": blip2_loss, "clip": clip_loss}

if __name__ == "__main__":
    main()
