"""Changes of captions before they are scored a second time: what would the scores be without the damage?

    >>> captions = [f"a photo of {what}" for what in ("a cat", "two dogs", "men", "a photo of an egg")]
    >>> references = [("a cat",), ("two dogs",), ("men",), ("an egg",)]
    >>> how = normalization("strip_shared_start", captions, references)
    >>> how.removed, how("a photo of a cat")
    ('a photo of', 'a cat')

Some learn from the captions of the run and their references what to remove, and the signature names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from evaluator.audit.not_captions import unwrapped
from evaluator.audit.shared_ends import shared_end, shared_start, without_end, without_start
from evaluator.audit.style import first_sentence, strip_preamble
from evaluator.audit.writing import form_of, in_form
from evaluator.core import Item, Measurement, Scorer
from evaluator.core.chat import without_markers
from evaluator.scorers.draws import measure_draws
from evaluator.scorers.measure import renamed_for_normalization
from evaluator.scorers.progress import Begin, in_silence


@dataclass(frozen=True)
class Normalization:
    """A change of captions by its name."""

    name: str
    change: Callable[[str], str]
    removed: str = ""  # what the captions of this run share and lose

    def __call__(self, text: str) -> str:
        return self.change(text)


# Those that look at each caption by itself.
PLAIN: dict[str, Callable[[str], str]] = {
    "none": lambda text: text,
    "strip_preamble": strip_preamble,
    "first_sentence": first_sentence,
    "strip_markers": without_markers,
    "unwrap": unwrapped,
}
NAMES = (*PLAIN, "strip_shared_start", "strip_shared_end", "unicode_form")


def normalization(name: str, captions: Sequence[str], references: Sequence[Sequence[str]]) -> Normalization:
    """The normalization of this name, one of NAMES, for these captions; references[i] are of captions[i]."""
    if name in PLAIN:
        return Normalization(name, PLAIN[name])
    if name == "unicode_form":
        form = form_of(tuple(map(tuple, references)))
        return Normalization(name, lambda text: in_form(text, form))
    # Markers stand before a shared beginning, so they go with it.
    unmarked = [without_markers(text) for text in captions]
    if name == "strip_shared_start":
        start = shared_start(unmarked, references)
        return Normalization(name, lambda text: without_start(without_markers(text), start), start)
    if name == "strip_shared_end":
        end = shared_end(unmarked, references)
        return Normalization(name, lambda text: without_end(without_markers(text), end), end)
    raise ValueError(f"{name!r} is not a normalization: {', '.join(NAMES)}")


def measure_normalized(
    how: Normalization,
    scorers: Mapping[str, Scorer],
    items: Sequence[Item],
    captions: Sequence[str],
    further: Sequence[Mapping[str, str]],
    begin: Begin = in_silence,
) -> list[Measurement]:
    """What the scorers measure of the changed captions, under names of their own (`measure_draws`)."""
    changed = [{item_id: how(text) for item_id, text in of_draw.items()} for of_draw in further]
    measured, _, _ = measure_draws(scorers, items, list(map(how, captions)), changed, begin)
    return [renamed_for_normalization(one, how.name, how.removed) for one in measured]
