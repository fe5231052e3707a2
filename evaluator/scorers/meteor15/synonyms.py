"""WordNet's synonym sets of a word: its own, and those of the form that it is inflected from.

Two words are synonyms to METEOR where they share a set. The form comes from WordNet's list of exceptions,
else from the endings of its morphology (https://wordnet.princeton.edu/documentation/morphy7wn), tried in
their order without regard to the part of speech. Relations between sets take no part.

    >>> sets = {"man": 1, "walk": 2, "dish": 3}
    >>> found = {word: inflected_from(word, sets) for word in ("men", "walking", "dishes", "glass", "cat")}
    >>> found
    {'men': 'man', 'walking': 'walk', 'dishes': 'dish', 'glass': 'glass', 'cat': ''}
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from itertools import chain

from evaluator.scorers.sorted_keys import Numbers

# An ending and what stands for it in the form that the word comes from: nouns, verbs, adjectives.
ENDINGS = (
    ("s", ""),
    ("ses", "s"),
    ("xes", "x"),
    ("zes", "z"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("men", "man"),
    ("ies", "y"),
    ("es", "e"),
    ("es", ""),
    ("ed", "e"),
    ("ed", ""),
    ("ing", "e"),
    ("ing", ""),
    ("er", ""),
    ("est", ""),
    ("er", "e"),
    ("est", "e"),
)


@dataclass(frozen=True, eq=False)
class SynonymSets:
    """The sets of each word that WordNet has, and the words that others are irregular forms of."""

    places: Mapping[str, int]
    starts: Numbers  # of each word's sets; one more than there are words
    sets: Numbers
    bases: Mapping[str, tuple[str, ...]]

    def of(self, word: str) -> frozenset[int]:
        """The numbers of the word's sets, none for a word that WordNet does not have."""
        forms = self.bases.get(word) or (inflected_from(word, self.places),)
        places = {self.places[form] for form in (word, *forms) if form in self.places}
        return frozenset(
            chain.from_iterable(
                self.sets[self.starts[place] : self.starts[place + 1]].tolist() for place in places
            )
        )


def inflected_from(word: str, known: Container[str]) -> str:
    """The first known word that this one's endings allow, the word itself where it has none to lose."""
    if word.endswith("ss") or len(word) <= 2:
        return word
    for ending, replacement in ENDINGS:
        if word.endswith(ending):
            form = word[: len(word) - len(ending)] + replacement
            if form in known:
                return form
    return ""
