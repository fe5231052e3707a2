"""Which metric decides, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.audit.style import audit
from evaluator.core import Item, Style
from evaluator.core.lead import Lead, lead, unlike_references
from evaluator.core.metrics import METRICS, in_order, metric_of

SHORT = Style(10.0, 10, 10.4, 10, 0.0, 0.0, 0.0, 0.0)
LONG = replace(SHORT, words_mean=41.3, words_median=41)
Published = Callable[[str], tuple[list[Item], list[str]]]
NAMES = [metric.name for metric in METRICS]


@pytest.mark.parametrize(
    ("metrics", "chosen"),
    [
        (["BLEU-4", "CIDEr"], "CIDEr"),
        (["CIDEr", "CLIPScore"], "CLIPScore"),
        (["CIDEr", "CLIPScore", "RefCLIPScore"], "RefCLIPScore"),
        (["CIDEr", "CLIPScore (strip_preamble)", "CLIPScore"], "CLIPScore (strip_preamble)"),
        (["METEOR", "CLIPScore"], "CLIPScore"),
        (["CIDEr", "RefCLIPScore", "CLAIR (gemini)"], "CLAIR (gemini)"),
        (["CIDEr", "CLIPScore", "CLIPScore-sentences", "PAC-S"], "CLIPScore-sentences"),
        (["CLIPScore", "RefCLIPScore"], "CLIPScore"),  # the usual one suits long captions: it stays
        (["CHAIR-s"], "CHAIR-s"),
        (["my metric", "CLIPScore"], "CLIPScore"),
        (["my metric"], "my metric"),
    ],
)
def test_what_leads_where_captions_are_long(metrics: list[str], chosen: str) -> None:
    found = lead(metrics, {"git": SHORT, "llm": LONG})
    assert found is not None
    assert found.metric == chosen
    assert bool(found.reason) == ("CIDEr" in metrics or "METEOR" in metrics)


def test_the_reason_has_the_figures() -> None:
    found = lead(["CIDEr", "RefCLIPScore"], {"llm": LONG})
    assert str(found) == (
        "RefCLIPScore says more here than CIDEr, which expects captions like the references: these captions "
        "have 41 words, the references 10."
    )
    found = lead(["BLEU-4", "CIDEr"], {"git": SHORT, "llm": LONG, "old": None})
    assert str(found) == (
        "CIDEr says little here. It expects captions like the references: those of llm have 41 words, the "
        "references 10. A judge, or a metric that looks at the pictures, such as CLIPScore, says more."
    )


@pytest.mark.parametrize(
    ("style", "said"),
    [
        (SHORT, ""),
        (replace(SHORT, words_median=14.9), ""),
        (replace(SHORT, words_median=15), "have 15 words, the references 10"),
        (replace(SHORT, words_mean=80.0), ""),  # a few that never end are no style
        (replace(SHORT, several_sentences=0.2), "are long: 20 % have several sentences"),
        (
            replace(LONG, several_sentences=0.9),
            "have 41 words, the references 10, and 90 % have several sentences",
        ),
        (replace(LONG, reference_words_mean=None, reference_words_median=None, several_sentences=1.0), ""),
    ],
)
def test_how_captions_are_unlike_the_references(style: Style, said: str) -> None:
    assert unlike_references(style) == said


def test_only_a_metric_that_every_run_has_replaces_the_usual_one() -> None:
    found = lead(["CIDEr", "CLIPScore"], {"git": SHORT, "llm": LONG}, in_all_runs=["CIDEr"])
    assert found is not None
    assert found.metric == "CIDEr"
    assert "CIDEr says little here" in found.reason


@given(st.lists(st.sampled_from(NAMES), unique=True), st.sampled_from([None, SHORT]))
def test_short_captions_change_nothing(metrics: list[str], style: Style | None) -> None:
    found = lead(metrics, {"git": style})
    assert found is None if not metrics else found == Lead(found.metric) and found.metric in metrics
    if "CIDEr" in metrics:
        assert found == Lead("CIDEr")


@given(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
def test_long_captions_are_ranked_by_words_only_where_nothing_else_is_there(metrics: list[str]) -> None:
    found = lead(in_order(metrics), {"llm": LONG})
    assert found is not None
    compares_words = metric_of(found.metric).compares_words
    assert compares_words == found.reason.startswith(f"{found.metric} says little here")
    assert not compares_words or all(metric_of(name).for_long_captions is None for name in metrics)


def test_a_published_system_that_writes_much(published: Published) -> None:
    """MiniGPT-4 (CIDEr 12.6) beside BLIP-2 on COCO's Karpathy test split."""
    styles = {}
    for system in ("blip2_opt2.7b_coco_finetuned", "minigpt4_vicuna7b_zeroshot"):
        items, captions = published(system)
        styles[system] = audit(captions[:500], [item.references for item in items[:500]])
    found = lead(["CIDEr", "CLIPScore", "RefCLIPScore"], styles)
    assert str(found) == (
        "Ranked by RefCLIPScore and not by CIDEr, which expects captions like the references: those of "
        "minigpt4_vicuna7b_zeroshot have 23 words, the references 10, and 89 % have several sentences."
    )
