"""What the scores would be without a finding, computed where it can be seen."""

from __future__ import annotations

import pytest

from evaluator.audit import effects
from evaluator.audit.effects import with_effects
from evaluator.audit.findings import damage
from evaluator.core import Caption, Item, Outcome, Reply
from evaluator.scorers.rouge import ROUGE

IMAGES = 50
ITEMS = [Item(str(number), None, (f"a dog and {number} cats",)) for number in range(IMAGES)]


@pytest.mark.parametrize(("many", "is_computed"), [(IMAGES, True), (IMAGES - 1, False)])
def test_of_many_captions_a_few_refusals_change_nothing_that_is_shown(
    monkeypatch: pytest.MonkeyPatch, many: int, is_computed: bool
) -> None:
    monkeypatch.setattr(effects, "MANY", many)
    monkeypatch.setattr(effects, "SMALL_SHARE", 0.05)
    texts = [
        "I'm sorry, I can't help with that.",
        *(f"a dog and {number} birds" for number in range(1, IMAGES)),
    ]
    captions = {
        item.id: Caption(item.id, Outcome.OK, Reply(text)) for item, text in zip(ITEMS, texts, strict=True)
    }
    refusals = [one for one in damage(ITEMS, captions, False) if one.kind == "refusal"]
    (measured,) = ROUGE().score(ITEMS, texts)
    (found,) = with_effects(refusals, {"rouge": ROUGE()}, ITEMS, texts, {"ROUGE-L": measured.value})
    assert found.count == 1
    assert (found.score_without is not None) == is_computed
