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


@pytest.mark.parametrize("kind", FIRST_CLASS_PATHS)
def test_a_class_declares_the_kind_that_its_first_path_stands_for(kind: str) -> None:
    path = FIRST_CLASS_PATHS[kind]
    module, _, name = path.rpartition(".")
    assert getattr(import_module(module), name).kind == kind
    assert kind_of_class_path(path) == kind
    assert key_in_cache(kind) == path


@pytest.mark.parametrize("kind", SCORER_CLASSES)
def test_each_scorer_of_the_package_is_known_where_a_run_recorded_its_class(kind: str) -> None:
    """A config.yaml names classes, and only the scorers of the package are built from it."""
    path = SCORER_CLASSES[kind]
    module, _, name = path.rpartition(".")
    assert getattr(import_module(module), name).kind == kind
    assert kind_of_class_path(path) == kind


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
