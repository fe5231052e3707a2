"""Kinds: each component has one, and no two of a group share it."""

from __future__ import annotations

from importlib import import_module

import pytest

from evaluator.core.kinds import FIRST_CLASS_PATHS, key_in_cache, kind_of, kind_of_class_path, with_kind


@pytest.mark.parametrize("kind", FIRST_CLASS_PATHS)
def test_a_class_declares_the_kind_that_its_first_path_stands_for(kind: str) -> None:
    path = FIRST_CLASS_PATHS[kind]
    module, _, name = path.rpartition(".")
    assert getattr(import_module(module), name).kind == kind
    assert kind_of_class_path(path) == kind
    assert key_in_cache(kind) == path


def test_a_component_of_ones_own_goes_by_its_class() -> None:
    class Own:
        pass

    assert kind_of(Own()) == f"{__name__}.{Own.__qualname__}"
    assert kind_of_class_path("parrot.Parrot") == key_in_cache("parrot.Parrot") == "parrot.Parrot"


def test_an_identity_without_a_class_path_stays_as_it_is() -> None:
    assert with_kind({"kind": "git", "num_beams": 4}) == {"kind": "git", "num_beams": 4}
    assert with_kind({"class": "parrot.Parrot", "words": "a"}) == {"kind": "parrot.Parrot", "words": "a"}
