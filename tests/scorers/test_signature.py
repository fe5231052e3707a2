from __future__ import annotations

import evaluator
from evaluator.core import Item
from evaluator.scorers.signature import reference_counts, signature

FIVE = Item("1", None, ("a", "b", "c", "d", "e"))
SEVEN = Item("2", None, ("a", "b", "c", "d", "e", "f", "g"))


def test_the_options_stand_in_their_order_and_idf_next_to_the_images() -> None:
    told = signature("CIDEr", [FIVE] * 5000, variant="D", n=4, sigma=6.0, tok="ptb", idf="corpus")
    version = evaluator.__version__
    assert told == f"CIDEr|variant:D|n:4|sigma:6|tok:ptb|refs:5|idf:corpus|images:5000|v:{version}"


def test_a_fraction_stays_a_fraction() -> None:
    assert "|sigma:2.5|" in signature("CIDEr", [FIVE], sigma=2.5)


def test_references_that_vary_are_a_range() -> None:
    assert reference_counts([FIVE, SEVEN]) == "5-7"
    assert reference_counts([FIVE, FIVE]) == "5"
    assert reference_counts([]) == "0"


def test_a_value_cannot_pass_for_two_parts() -> None:
    assert signature("CLIPScore", [FIVE], prefix="a|b").split("|")[1] == "prefix:a/b"
