"""Only dataclasses are built, each option checked, those within mappings too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import pytest
from annotated_types import Ge

from evaluator.config.components import build, validated
from evaluator.core.errors import ConfigError


@dataclass(frozen=True)
class Inner:
    size: int = 1


@dataclass(frozen=True)
class Outer:
    one: Inner = field(default_factory=Inner)
    several: Mapping[str, Inner] = field(default_factory=dict)
    anything: Mapping[str, object] = field(default_factory=dict)
    batch: Annotated[int, Ge(1)] | Literal["auto"] = "auto"
    share: Annotated[float, Ge(0)] | None = None
    any: object = None


def test_only_dataclasses_are_built_and_nothing_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trap_of_test_components.py").write_text(
        f"def call(**options): open({str(tmp_path / 'called')!r}, 'w')\n\nclass Plain:\n    __init__ = call\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("call", "Plain"):
        with pytest.raises(ConfigError, match="is not a dataclass"):
            build({"_target_": f"trap_of_test_components.{name}"}, "model")
    assert not (tmp_path / "called").exists()
    with pytest.raises(ConfigError, match="it has no _target_"):
        build({}, "model")
    with pytest.raises(ConfigError, match="it has no _target_"):
        build(None, "model")


def test_dataclasses_within_a_component() -> None:
    options = {"one": {"size": 2}, "several": {"a.b": {"size": "3"}}, "anything": {"size": {"size": "4"}}}
    assert validated(Outer, options, "it") == Outer(Inner(2), {"a.b": Inner(3)}, {"size": {"size": "4"}})
    assert validated(Outer, {"several": {"a": Inner(5)}}, "it") == Outer(several={"a": Inner(5)})
    assert validated(Outer, {"any": True, "batch": 2}, "it") == Outer(any=True, batch=2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"one": {"sice": 2}}, "it.one.sice: there is no such option. Did you mean 'size'? Options: size"),
        (
            {"several": {"a.b": {"sice": 2}}},
            "it.several.a.b.sice: there is no such option. Did you mean 'size'? Options: size",
        ),
        ({"several": {"a.b": {"size": "x"}}}, "it.several.a.b.size: 'x': is not an integer"),
        ({"several": {"a.b": 2}}, "it.several.a.b: 2: is not a mapping of options"),
        ({"several": {"a.b": None}}, "it.several.a.b: None: is not a mapping of options"),
        ({"one": 2}, "it.one: 2: is not a mapping of options"),
        ({"one": {"size": True}}, "it.one.size: True: expected whole number"),
        ({"batch": 0}, "it.batch: 0: expected whole number, at least 1, or auto"),
        ({"batch": "most"}, "it.batch: 'most': expected whole number, at least 1, or auto"),
        ({"share": float("inf")}, "it.share: inf: expected number, at least 0, or null"),
        ({"share": True}, "it.share: True: expected number, at least 0, or null"),
    ],
)
def test_what_is_wrong_within_one_is_said_by_its_full_name(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        validated(Outer, options, "it")
    assert str(raised.value).startswith(said)
