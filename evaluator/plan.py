"""What a run would need: images, tokens, money, minutes. Reads files, opens no model, sends nothing.

    for config in run_configs(["model=gemini", "data=coco"]):
        print(plan(config).cost_usd)

The money is a range: the least is a short answer to every image, the most is the longest allowed answer to
every image. Between them lies what is likely: answers as long as those of the newest run of the same model
with the same prompt, else of a caption's usual length. Images that already have a caption in the run folder
are not counted. Cached answers, which are free, are counted as if they were not cached, because looking for
them means reading every picture.
"""

from __future__ import annotations

from dataclasses import dataclass

from evaluator.config.run_config import RunConfig
from evaluator.core import Priced, Usage, Weighted, WeightsSize
from evaluator.prepare import prepared_run
from evaluator.runner.default import DefaultRunner
from evaluator.runner.prices import MILLION, Price, price_of
from evaluator.runner.request_options import Requests
from evaluator.store.past_runs import PastRun, past_run

Range = tuple[float, float]

USUAL_ANSWER_TOKENS = 30.0  # one sentence, by a model that does not reason


@dataclass(frozen=True)
class Plan:
    """What one run still needs; ranges are (least, most), and None means not known."""

    label: str
    prompt: str
    images: int
    already_captioned: int
    is_local: bool
    input_tokens: Range | None = None
    output_tokens: Range | None = None
    price: Price | None = None
    cost_usd: Range | None = None
    requests: Requests | None = None  # with the limits of this model
    minutes: float | None = None  # at these limits with the most tokens, or as fast as before
    likely: Likely | None = None  # of a remote model
    past: PastRun | None = None
    weights: WeightsSize | None = None  # of a local model


@dataclass(frozen=True)
class Likely:
    """What a run will probably take: tokens per image, and the money."""

    input_tokens: float
    output_tokens: float
    cost_usd: float | None


def plan(config: RunConfig) -> Plan:
    """What `evaluator run` with the same options would need from now on."""
    one = prepared_run(config, config.data.load())
    images = len(one.todo)
    label, already_captioned = config.choices["model"], len(one.items) - images
    past = past_run(config.folder.parent, config.identity)
    if not isinstance(config.model, Priced):
        speed = past.images_per_second if past else None
        return Plan(
            label,
            config.choices["prompt"],
            images,
            already_captioned,
            is_local=True,
            minutes=images / speed / 60 if speed else None,
            past=past,
            weights=config.model.weights_size() if isinstance(config.model, Weighted) else None,
        )
    usage = config.model.usage(config.prompt)
    runner = config.runner if isinstance(config.runner, DefaultRunner) else None
    price = price_of(usage.model, usage.provider, runner.prices if runner else None)
    requests = runner.requests.for_model(usage) if runner else None
    input_tokens, output_tokens = times(images, usage.input_tokens), times(images, usage.output_tokens)
    return Plan(
        label,
        config.choices["prompt"],
        images,
        already_captioned,
        is_local=False,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        price=price,
        cost_usd=times(images, price.bounds_usd(usage)) if price else None,
        requests=requests,
        minutes=minutes(requests, images, input_tokens[1] + output_tokens[1]) if requests else None,
        likely=likely(images, usage, price, past),
        past=past,
    )


def likely(images: int, usage: Usage, price: Price | None, past: PastRun | None) -> Likely:
    """What the images will probably take, always within the bounds."""
    known = (past.input_tokens, past.output_tokens) if past else (None, None)
    usual = (sum(usage.input_tokens) / 2, USUAL_ANSWER_TOKENS)
    tokens = [
        min(max(usually if before is None else before, bounds[0]), bounds[1])
        for before, usually, bounds in zip(
            known, usual, (usage.input_tokens, usage.output_tokens), strict=True
        )
    ]
    cost_usd = images * (tokens[0] * price.input + tokens[1] * price.output) / MILLION if price else None
    return Likely(tokens[0], tokens[1], cost_usd)


def minutes(requests: Requests, images: int, tokens: float) -> float | None:
    """The minutes that the limits alone require; None where there is no limit."""
    needed = ((images, requests.per_minute), (tokens, requests.tokens_per_minute))
    return max((amount / limit for amount, limit in needed if limit), default=None)


def times(images: int, bounds: Range) -> Range:
    least, most = bounds
    return images * least, images * most
