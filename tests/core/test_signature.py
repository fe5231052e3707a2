"""A signature is text: nothing in it gets lost when one option is added, replaced or left out."""

from evaluator.core.signature import Signature

METEOR = Signature("METEOR|norm:en|tok:ptb|refs:5-6|images:90|v:1.5")


def test_the_same_option_may_be_there_twice():
    # METEOR's own text normalization and the caption's have the same name.
    marked = METEOR.marked("norm", "strip_preamble")
    assert marked == f"{METEOR}|norm:strip_preamble"
    assert marked.over(7) == "METEOR|norm:en|tok:ptb|refs:5-6|images:7|v:1.5|norm:strip_preamble"
    assert marked.recipe == "METEOR|norm:en|tok:ptb|v:1.5|norm:strip_preamble"


def test_the_recipe_is_independent_of_the_images():
    assert METEOR.recipe == METEOR.over(3).recipe != METEOR.marked("missing", "empty").recipe


def test_a_value_cannot_be_mistaken_for_two_options():
    assert Signature.of("mine", {"note": "a|b:c", "sigma": 6.0}).options == {"note": "a/b:c", "sigma": "6"}
