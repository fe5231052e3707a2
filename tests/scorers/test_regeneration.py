"""Captions drawn by an image generator: OpenAI's SDK against a server of its image API, and a real CLIP."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("openai")

import evaluator.demo
from evaluator.config.run_config import run_configs
from evaluator.core.errors import ConfigError, MetricError
from evaluator.evaluate import evaluate
from evaluator.plan import plans
from evaluator.scorers.regeneration import Regeneration
from evaluator.store.run import Run
from tests.models.conftest import server  # noqa: F401  (a fixture)
from tests.provider_server import ProviderServer
from tests.wire_formats import error

DEMO = Path(evaluator.demo.__file__).parent
IMAGES = 5
NAME = "regeneration (gpt-image)"
Scored = Callable[..., Run]


@pytest.fixture
def captions(tmp_path: Path) -> dict[str, str]:
    """Each image's first reference."""
    (config,) = run_configs(["data=demo", f"limit={IMAGES}"])
    found = {item.id: item.references[0] for item in list(config.data.load())[:IMAGES]}
    lines = [{"image_id": int(item), "caption": text} for item, text in found.items()]
    (tmp_path / "captions.json").write_text(json.dumps(lines))
    return found


@pytest.fixture
def options(
    tmp_path: Path,
    captions: dict[str, str],
    server: ProviderServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prices.yaml").write_text("gpt-image-1-mini: {input: 2.0, output: 8.0, picture: 0.01}\n")
    return [
        *("model=replay", "model.captions=captions.json", "data=demo", f"limit={IMAGES}", "name=one"),
        *("scorer=[regeneration]", f"scorer.regeneration.options.base_url={server.base_url('openai')}"),
        *(f"scorer.regeneration.checkpoint={DEMO / 'models' / 'clip'}", "prices=prices.yaml", "resamples=20"),
    ]


def scored(options: list[str], *more: str) -> Run:
    (config,) = run_configs([*options, *more])
    return evaluate(config)


def original(item: str) -> bytes:
    return (DEMO / "data" / "images" / f"{int(item):012d}.png").read_bytes()


def test_a_faithful_drawing_scores_higher_than_another_picture(
    options: list[str],
    captions: dict[str, str],
    server: ProviderServer,  # noqa: F811
    tmp_path: Path,
) -> None:
    image_of = {caption: item for item, caption in captions.items()}
    server.painter = lambda prompt: original(image_of[prompt])
    run = scored(options)
    (score,) = run.results.scores
    assert score.name == NAME
    assert score.value > 0.98  # a JPEG of the picture itself
    assert score.images == IMAGES
    each_usd = (10 * 2.0 + 272 * 8.0) / 1e6 + 0.01
    assert score.cost_usd == pytest.approx(IMAGES * each_usd)
    assert "|generator:gpt-image-1-mini|size:1024x1024|checkpoint:clip|" in score.signature
    asked = [request.document for request in server.requests]
    assert {each["prompt"] for each in asked} == set(captions.values())
    assert all(each["n"] == 1 and each["quality"] == "low" for each in asked)
    # What was drawn lies in the run folder, as a small JPEG.
    (answers,) = (tmp_path / "runs" / "one" / "judgements").glob("*/answers.jsonl")
    first = json.loads(answers.read_text().splitlines()[0])["reply"]
    with Image.open(io.BytesIO(base64.b64decode(first["picture"]))) as kept:
        assert (kept.format, kept.size) == ("JPEG", (128, 128))
    # The same again, without scores, and in another run: nothing is drawn twice.
    (tmp_path / "runs" / "one" / "scores.json").unlink()
    assert scored(options).results.scores[0].value == score.value
    assert scored(options, "name=two").results.scores[0].value == score.value
    assert len(server.requests) == IMAGES
    # The next image's picture.
    items = list(captions)
    server.painter = lambda prompt: original(items[(items.index(image_of[prompt]) + 1) % IMAGES])
    other = scored(options, "name=three", "cache=refresh").results.scores[0].value
    assert other < score.value - 0.1


def test_what_is_not_drawn_is_not_scored(
    options: list[str],
    captions: dict[str, str],
    server: ProviderServer,  # noqa: F811
) -> None:
    refused, odd, *_ = captions.values()
    answers = {
        refused: error(
            "images", 400, "moderation_blocked", "Your request was rejected by the safety system."
        ),
        odd: b"no picture",
    }
    plain = server.painter
    server.painter = lambda prompt: answers.get(prompt) or plain(prompt)
    run = scored(options, "runner.requests.attempts=2")
    (score,) = run.results.scores
    assert score.images == IMAGES - 2
    first, second, third, *_ = run.measurements[NAME].notes
    assert first.startswith("not scored: blocked: ")
    assert second.startswith("not scored: error: ")
    assert third == ""
    assert run.results.unanswered == (NAME,)  # the error may still become a picture
    server.painter = plain
    before = len(server.requests)
    assert scored(options).results.scores[0].images == IMAGES - 1
    assert len(server.requests) == before + 1


def test_the_plan_and_the_budget_count_pictures(
    options: list[str],
    server: ProviderServer,  # noqa: F811
) -> None:
    (config,) = run_configs([*options, "budget_usd=0.03"])
    *_, drawing = plans(config)
    assert (drawing.label, drawing.images) == (NAME, IMAGES)
    assert drawing.cost_usd is not None
    least, most = drawing.cost_usd
    assert IMAGES * (0.01 + 272 * 8e-6) < least < most < IMAGES * 0.013
    assert not server.requests
    evaluate(config)
    assert len(server.requests) == 2  # a third picture could exceed the budget
    assert scored(options, "budget_usd=1").results.scores[0].images == IMAGES


def test_what_cannot_work_is_told_before_anything_is_drawn(options: list[str], tmp_path: Path) -> None:
    for option, told in (
        ("scorer.regeneration.options.key_variable=NO_SUCH_KEY", "NO_SUCH_KEY is not set"),
        ("scorer.regeneration.options.base_url=nowhere", "is not an address"),
        ("scorer.regeneration.generator=none", "there is no 'none'"),
        (
            "scorer.regeneration.options.sise=1",
            r"scorer\.regeneration\.options\.sise: there is no such option",
        ),
    ):
        with pytest.raises(ConfigError, match=told):
            scored(options, option)
    assert not (tmp_path / "runs").exists()
    with pytest.raises(MetricError, match="asks an image generator"):
        Regeneration().score([], [])
    with pytest.raises(MetricError, match="needs the pictures"):
        Regeneration().questionnaire([], [])
