"""Kinds: each component has one, and no two of a group share it."""

from __future__ import annotations

from importlib import import_module

import pytest
import yaml

from evaluator.config.compose import CONF_DIR
from evaluator.core.kinds import (
    FIRST_CLASS_PATHS,
    SCORER_CLASSES,
    key_in_cache,
    kind_of,
    kind_of_class_path,
    with_kind,
)


@pytest.mark.parametrize(("kind", "path"), [*FIRST_CLASS_PATHS.items(), *SCORER_CLASSES.items()])
def test_a_class_declares_the_kind_that_its_path_stands_for(kind: str, path: str) -> None:
    """A config.yaml names classes: those of version 0.1.0, and the scorers of today."""
    module, _, name = path.rpartition(".")
    assert getattr(import_module(module), name).kind == kind
    assert kind_of_class_path(path) == kind


def test_cached_answers_keep_their_first_names() -> None:
    assert {kind: key_in_cache(kind) for kind in FIRST_CLASS_PATHS} == FIRST_CLASS_PATHS


def test_every_choice_of_a_scorer_is_in_the_table() -> None:
    chosen = {yaml.safe_load(path.read_text())["_target_"] for path in (CONF_DIR / "scorer").glob("*.yaml")}
    assert chosen == set(SCORER_CLASSES.values())


def test_a_component_of_ones_own_goes_by_its_class() -> None:
    class Own:
        pass

    assert kind_of(Own()) == f"{__name__}.{Own.__qualname__}"
    assert kind_of_class_path("parrot.Parrot") == key_in_cache("parrot.Parrot") == "parrot.Parrot"


def test_an_identity_without_a_class_path_stays_as_it_is() -> None:
    assert with_kind({"kind": "git", "num_beams": 4}) == {"kind": "git", "num_beams": 4}
    assert with_kind({"class": "parrot.Parrot", "words": "a"}) == {"kind": "parrot.Parrot", "words": "a"}
