"""WordNet's synonym sets of a word: its own, and those of the form that it is inflected from.

METEOR calls two words synonyms if they share a set. The form comes from WordNet's list of exceptions, or
else from the endings of its morphology (https://wordnet.princeton.edu/documentation/morphy7wn), which are
tried in order whatever the part of speech. Relations between sets are not used.

    >>> sets = {"man": 1, "walk": 2, "dish": 3}
    >>> {word: inflected_from(word, sets) for word in ("men", "walking", "dishes", "glass", "cat")}
    {'men': 'man', 'walking': 'walk', 'dishes': 'dish', 'glass': 'glass', 'cat': ''}
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from itertools import chain

from evaluator.scorers.packed_keys import Ids

# An ending, and what replaces it in the form that the word comes from: nouns, verbs, adjectives.
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
    """The sets of each word in WordNet, and the base forms of irregular words."""

    words: Mapping[str, int]  # the index of each word
    starts: Ids  # of each word's sets, and the end of the last word's
    sets: Ids
    bases: Mapping[str, tuple[str, ...]]

    def of(self, word: str) -> frozenset[int]:
        """The ids of the word's sets, none for a word that WordNet does not have."""
        forms = self.bases.get(word) or (inflected_from(word, self.words),)
        indexes = {self.words[form] for form in (word, *forms) if form in self.words}
        return frozenset(
            chain.from_iterable(
                self.sets[self.starts[index] : self.starts[index + 1]].tolist() for index in indexes
            )
        )


def inflected_from(word: str, dictionary: Container[str]) -> str:
    """The first word of the dictionary that this one can be inflected from by its ending.

    It is the word itself if it is too short for an ending or ends in "ss", and empty if there is none.
    """
    if word.endswith("ss") or len(word) <= 2:
        return word
    for ending, replacement in ENDINGS:
        if word.endswith(ending):
            form = word[: len(word) - len(ending)] + replacement
            if form in dictionary:
                return form
    return ""
