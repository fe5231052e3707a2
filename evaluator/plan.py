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

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from evaluator.config.run_config import RunConfig
from evaluator.core import AsksModel, Priced, Questionnaire, Runner, Usage, Weighted, WeightsSize
from evaluator.core.errors import MetricError
from evaluator.prepare import PreparedRun, check_draws, prepared_run
from evaluator.runner.batch import BatchRunner
from evaluator.runner.prices import MILLION, Price, price_of
from evaluator.runner.remote_options import RemoteOptions
from evaluator.runner.request_options import Requests
from evaluator.store.draws import drawn_again
from evaluator.store.judgements import FOLDER, unanswered
from evaluator.store.past_runs import PastRun, past_run

Range = tuple[float, float]

USUAL_ANSWER_TOKENS = 30.0  # one sentence, by a model that does not reason
USUAL_VERDICT_TOKENS = 60.0  # a score and a sentence, as JSON
USUAL_CAPTION = "word " * 40  # what a judge will be asked about, where there is no caption yet


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
    in_batch: bool = False  # whether a provider answers within a day, without limits per minute
    is_judge: bool = False  # its images are questions about captions


@dataclass(frozen=True)
class Likely:
    """What a run will probably take: tokens per image, and the money."""

    input_tokens: float
    output_tokens: float
    cost_usd: float | None


def plan(config: RunConfig) -> Plan:
    """What `evaluator run` with the same options would need from now on for its captions."""
    return captioning(config, prepared_run(config, config.data.load()))


def plans(config: RunConfig) -> list[Plan]:
    """The same, followed by what each judge among the scorers would need."""
    one = prepared_run(config, config.data.load())
    return [captioning(config, one), *judging(config, one)]


def captioning(config: RunConfig, one: PreparedRun) -> Plan:
    if one.to_draw:
        check_draws(config, one.items)
    images = len(one.todo) + len(one.to_draw)
    label, already_captioned = config.choices["model"], len(one.items) * config.settings.draws - images
    past = past_run(config.folder.parent, config.identity)
    if isinstance(config.model, Priced):
        named = Plan(label, config.choices["prompt"], images, already_captioned, is_local=False, past=past)
        return of_requests(named, config.model.usage(config.prompt), config.runner)
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


def judging(config: RunConfig, one: PreparedRun) -> Iterator[Plan]:
    """What the judges would need: one question per caption and draw. Missing captions are guessed."""
    known = {**one.known, **(one.before.drawn.captions if one.before else {})}
    items = [*one.items, *drawn_again(one.items, config.settings.draws)]
    captions = [known[item.id].text if item.id in known else USUAL_CAPTION for item in items]
    pairs = [(item, text) for item, text in zip(items, captions, strict=True) if text is not None]
    for judge in config.scorers.values():
        if not isinstance(judge, AsksModel):
            continue
        try:
            asked = judge.questionnaire([item for item, _ in pairs], [text for _, text in pairs])
        except MetricError:  # the images lack what the rubric needs: the run will say so
            continue
        yield of_questions(", ".join(judge.names), asked, config.folder / FOLDER, config.runner)


def of_questions(label: str, asked: Questionnaire, folder: Path, runner: Runner) -> Plan:
    """What the questions that have no answer in `folder` yet would need."""
    todo = unanswered(asked, folder)
    done = len(asked.questions) - len(todo)
    named = Plan(label, asked.prompt.name, len(todo), done, is_local=True, is_judge=True)
    if not isinstance(asked.captioner, Priced):
        return named
    texts = sorted((question.text for question in todo or asked.questions), key=len)
    shortest, longest = (
        asked.captioner.usage(replace(asked.prompt, text=text)) for text in (texts[0], texts[-1])
    )
    bounds = (shortest.input_tokens[0], longest.input_tokens[1])
    return of_requests(replace(named, is_local=False), replace(longest, input_tokens=bounds), runner)


def of_requests(named: Plan, usage: Usage, runner: Runner) -> Plan:
    """The plan with the tokens, money and minutes of one request per image."""
    options = runner if isinstance(runner, RemoteOptions) else None
    batch = runner if isinstance(runner, BatchRunner) else None
    ours = options or batch
    price = ours.price(usage) if ours else price_of(usage.model, usage.provider)
    requests = options.requests.for_model(usage) if options else None
    images = named.images
    input_tokens, output_tokens = times(images, usage.input_tokens), times(images, usage.output_tokens)
    return replace(
        named,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        price=price,
        cost_usd=times(images, price.bounds_usd(usage)) if price else None,
        requests=requests,
        in_batch=batch is not None,
        minutes=minutes(requests, images, input_tokens[1] + output_tokens[1]) if requests else None,
        likely=likely(images, usage, price, named.past, USUAL_VERDICT_TOKENS if named.is_judge else None),
    )


def likely(
    images: int, usage: Usage, price: Price | None, past: PastRun | None, output: float | None = None
) -> Likely:
    """What the images will probably take, always within the bounds."""
    known = (past.input_tokens, past.output_tokens) if past else (None, None)
    usual = (sum(usage.input_tokens) / 2, output or USUAL_ANSWER_TOKENS)
    tokens = [
        min(max(usually if before is None else before, bounds[0]), bounds[1])
        for before, usually, bounds in zip(
            known, usual, (usage.input_tokens, usage.output_tokens), strict=True
        )
    ]
    cost_usd = None
    if price:
        each = (tokens[0] * price.input + tokens[1] * price.output) / MILLION
        cost_usd = images * (each + usage.pictures * price.picture)
    return Likely(tokens[0], tokens[1], cost_usd)


def minutes(requests: Requests, images: int, tokens: float) -> float | None:
    """The minutes that the limits alone require; None where there is no limit."""
    needed = ((images, requests.per_minute), (tokens, requests.tokens_per_minute))
    return max((amount / limit for amount, limit in needed if limit), default=None)


def times(images: int, bounds: Range) -> Range:
    least, most = bounds
    return images * least, images * most
