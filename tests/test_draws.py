"""Several captions per image: `draws=3`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.comparison.compare import compare
from evaluator.comparison.remeasure import remeasure
from evaluator.config.run_config import RunConfig, run_configs
from evaluator.core import Array, Item, Measurement, Signature
from evaluator.core.errors import ConfigError
from evaluator.evaluate import evaluate
from evaluator.plan import plan
from evaluator.report.page.gallery import gallery
from evaluator.report.page.html import write_report
from evaluator.report.text import comparison as text
from evaluator.scorers.bleu import BLEU
from evaluator.scorers.cider import CIDEr
from evaluator.scorers.draws import over_draws, spread, variances
from evaluator.store.merge import merge, parts_of
from evaluator.store.run import Run
from evaluator.store.run_folder import RunFolder
from tests.models.conftest import server  # noqa: F401  (a fixture)
from tests.provider_server import ProviderServer
from tests.wire_formats import Answer, document

WORDS = ["a", "dog", "cat", "runs", "sleeps", "on", "the", "grass", "red", "bus"]
OPTIONS = ["data=demo", "limit=5", "scorer=[bleu,cider]", "resamples=50"]


def sampled(*options: str) -> RunConfig:
    pytest.importorskip("torch")
    return run_configs(["model=tiny-git", "model.temperature=1", *OPTIONS, *options])[0]


def texts(run: Run) -> list[list[str]]:
    """The captions of each draw, in the order of the images."""
    ids = [item.id for item in run.items]
    further = [
        [run.drawn.captions[f"{item_id} #{number}"].text or "" for item_id in ids]
        for number in range(2, 2 + len(run.drawn.captions) // len(ids))
    ]
    return [[run.captions[item_id].text or "" for item_id in ids], *further]


def test_scores_are_those_of_all_captions(tmp_path: Path) -> None:
    run = evaluate(sampled(f"runs={tmp_path}", "draws=3"))
    first, second, third = texts(run)
    assert len(first) == len(second) == len(third) == 5
    assert not first == second == third
    per_draw = [CIDEr().score(run.items, each)[0] for each in (first, second, third)]
    assert run.measurements["CIDEr"].value == pytest.approx(np.mean([each.value for each in per_draw]))
    (of_cider,) = [one for one in run.results.draws if one.name == "CIDEr"]
    best = np.max([each.per_image for each in per_draw], axis=0)
    assert of_cider.best == pytest.approx(best.mean())
    assert (of_cider.first, of_cider.captions_per_image) == (pytest.approx(per_draw[0].value), 3)
    assert of_cider.lowest == pytest.approx(min(each.value for each in per_draw))
    # Corpus BLEU counts every caption alike.
    whole = BLEU().score([*run.items] * 3, first + second + third)
    assert run.measurements["BLEU-4"].value == pytest.approx(whole[3].value)
    assert remeasure(run, run.scored_ids)[0].value == pytest.approx(run.measurements["CIDEr"].value)
    read = RunFolder(run.path).load()
    assert (read.results.draws, read.results.is_incomplete) == (run.results.draws, False)
    notes = gallery(compare([read])).answers[0].notes["further captions"]
    assert notes[0] == f"{second[0]}; {third[0]}"
    assert "Several captions per image" in write_report(compare([read]), tmp_path / "r.html").read_text()
    assert "best of them" in text.markdown(compare([read]))
    assert json.loads(text.as_json(compare([read])))["runs"][0]["draws"][3]["name"] == "BLEU-4"


def test_more_draws_of_the_same_run_ask_for_what_is_missing(tmp_path: Path) -> None:
    one = evaluate(sampled(f"runs={tmp_path}"))
    own = (one.path / "captions.jsonl").read_bytes()
    assert plan(sampled(f"runs={tmp_path}", "draws=3")).images == 10
    two = evaluate(sampled(f"runs={tmp_path}", "draws=2"))
    assert two.path == one.path
    drawn = (two.path / "draws" / "captions.jsonl").read_bytes()
    # As a killed command leaves it: two captions are lost, the second of them in the middle of its line.
    kept = drawn.splitlines(keepends=True)
    (two.path / "draws" / "captions.jsonl").write_bytes(b"".join(kept[:3]) + kept[3][:9])
    three = evaluate(sampled(f"runs={tmp_path}", "draws=3"))
    assert (three.path / "captions.jsonl").read_bytes() == own
    assert texts(three)[:2] == texts(two)
    assert texts(three) == texts(evaluate(sampled(f"runs={tmp_path / 'b'}", "draws=3")))
    # A later command without the option asks for nothing, and keeps the scores.
    assert evaluate(sampled(f"runs={tmp_path}")).results == three.results
    assert plan(sampled(f"runs={tmp_path}", "draws=3")).images == 0


def test_parts_of_a_run_are_merged_with_all_draws(tmp_path: Path) -> None:
    parts = [evaluate(sampled(f"runs={tmp_path}", "draws=2", f"shard={number}/2")) for number in (1, 2)]
    whole = merge(parts_of(parts), RunFolder(tmp_path / "whole"))
    assert sorted(whole.drawn.captions) == sorted(f"{item.id} #2" for item in whole.items)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["model=tiny-git"], r"with temperature=0 model=tiny-git gives the same caption each time"),
        (["model=replay", "model.captions=a.json"], r"model=replay has one caption per image"),
        (["model=vllm", "model.model=x", "prompt=one-sentence"], r"with temperature=0 model=vllm"),
    ],
)
def test_a_model_that_does_not_sample_is_refused(
    options: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.json").write_text('[{"image_id": 1, "caption": "a dog"}]')
    (config,) = run_configs([*options, *OPTIONS, "draws=2"])
    for asked in (plan, evaluate):
        with pytest.raises(ConfigError, match=message):
            asked(config)
    assert not (tmp_path / "runs").exists()


@pytest.fixture
def cloud(
    tmp_path: Path,
    server: ProviderServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:
    """A model behind the tests' server that gives another caption each time, at a dollar per million."""
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prices.yaml").write_text("gpt-5.6-luna: {input: 1.0, output: 1.0}\n")
    answers = (Answer(body=document("openai", f"a dog and {number} cats")) for number in range(100))
    server.script(*answers)
    address = server.base_url("openai")
    return [
        "model=gpt-mini",
        f"model.base_url={address}",
        "prompt=one-sentence",
        *OPTIONS,
        "prices=prices.yaml",
    ]


def test_each_draw_is_a_question_of_its_own_and_is_paid_for(
    cloud: Sequence[str],
    server: ProviderServer,  # noqa: F811
) -> None:
    (config,) = run_configs([*cloud, "draws=3"])
    most = plan(config).cost_usd
    assert most
    assert most[1] == pytest.approx(3 * plan(run_configs(cloud)[0]).cost_usd[1])  # type: ignore[index]
    run = evaluate(config)
    assert len(server.requests) == 15
    assert len(set(chain(*texts(run)))) == 15
    assert run.results.cost_usd == pytest.approx(3 * run.attempts.cost_usd)  # type: ignore[operator]
    # The cache knows all of them: the same run elsewhere pays nothing.
    again = evaluate(run_configs([*cloud, "draws=3", "runs=elsewhere", "name=b"])[0])
    assert len(server.requests) == 15
    assert texts(again) == texts(run)
    # A budget is one of all draws: what is left of it pays for no further caption.
    assert run.results.cost_usd
    short = evaluate(run_configs([*cloud, "draws=4", f"budget_usd={run.results.cost_usd + 1e-9}"])[0])
    assert len(server.requests) == 15
    assert short.results.draws_to_make == 5
    assert short.results.is_incomplete
    assert evaluate(run_configs([*cloud, "draws=4"])[0]).results.draws[0].captions_per_image == 4


def test_an_image_that_was_refused_gets_no_further_caption(
    cloud: Sequence[str],
    server: ProviderServer,  # noqa: F811
) -> None:
    server.behave(
        script=[Answer(body=document("openai", None, refusal="I cannot"))]
        + [Answer(body=document("openai", f"a cat {n}")) for n in range(30)]
    )
    run = evaluate(run_configs([*cloud, "draws=2", "runner.requests.in_flight=1"])[0])
    assert (run.results.captioned, len(run.drawn.captions)) == (4, 4)
    assert not run.results.is_incomplete


# Some images with several captions, some with one.


@settings(max_examples=15)
@given(st.data())
def test_every_caption_counts_once_with_the_weights_of_all_images(data: st.DataObject) -> None:
    sentence = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
    images = data.draw(st.integers(2, 5))
    items = [Item(str(n), None, (data.draw(sentence), data.draw(sentence))) for n in range(images)]
    first = [data.draw(sentence) for _ in items]
    further: list[Mapping[str, str]] = [
        {item.id: data.draw(sentence) for item in items if data.draw(st.booleans())} for _ in range(2)
    ]
    scorers = {"cider": CIDEr()}
    measured = CIDEr().score(items, first)
    (mean,), _ = over_draws(scorers, items, first, measured, further)
    for row, item in enumerate(items):
        own = [first[row], *(each[item.id] for each in further if item.id in each)]
        alone = []
        for caption in own:
            others = [caption if other == row else first[other] for other in range(images)]
            alone.append(CIDEr().score(items, others)[0].per_image[row])
        assert mean.per_image[row] == pytest.approx(np.mean(alone))


def measurement(rows: Array) -> Measurement:
    return Measurement("m", rows, "mean", Signature("m"))


def test_variance_components_are_those_of_the_model() -> None:
    """2,000 images whose scores have a standard deviation of 3, and 4 captions of each with one of 2."""
    generator = np.random.default_rng(0)
    scores = generator.normal(0, 3, 2000) + generator.normal(0, 2, (4, 2000))
    within, between = variances(scores)
    assert within**0.5 == pytest.approx(2, rel=0.05)
    assert between**0.5 == pytest.approx(3, rel=0.05)
    statistics = np.stack([scores, np.ones_like(scores)], axis=-1)
    found = spread(measurement(statistics[0]), statistics)
    assert (found.between_draws, found.between_images) == pytest.approx((within**0.5, between**0.5))
    assert found.best == pytest.approx(scores.max(axis=0).mean())


def test_of_a_metric_where_less_is_better_the_best_is_the_lowest() -> None:
    statistics = np.array([[[3.0, 1.0]], [[1.0, 1.0]], [[0.0, 0.0]]])
    lower = Measurement("m", statistics[0], "mean", Signature("m"), higher_is_better=False)
    found = spread(lower, statistics)
    assert (found.best, found.captions_per_image) == (1.0, 2)


def test_a_run_folder_without_its_draws_still_has_its_scores(tmp_path: Path) -> None:
    run = evaluate(sampled(f"runs={tmp_path}", "draws=2"))
    export = tmp_path / "baseline.zip"
    RunFolder(run.path).export(export)
    assert RunFolder.existing(export).load().results.draws == run.results.draws
    shutil.rmtree(run.path / "draws")
    assert RunFolder(run.path).load().results.scores == run.results.scores
