"""Files that are composed once, and options that are set in a copy: the same node as Hydra's own."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hydra
import pytest
from omegaconf import OmegaConf

from evaluator.config import layers
from evaluator.config.compose import CONF_DIR, compose, package_path
from evaluator.core.errors import ConfigError

OWN = Path(__file__).parents[1] / "own" / "conf"
SEARCHED = f"hydra.searchpath=[file://{OWN}]"


def plain(node: Any) -> Any:
    return OmegaConf.to_container(node, resolve=False)


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["model.num_beams=3", "model=tiny-blip", "limit=4", "scorer=[bleu,cider]", "scorer.cider.sigma=3"],
        ["+model={checkpoint: a}", "model.checkpoint=b", "++scorer.bleu.other.deep=[1,{a: null}]"],
        ["model.checkpoint=b", "+model={checkpoint: a}", "~sample_seed", "~prompt.text"],
        ["experiment=demo", "+rubric=clair", "~runner", "hydra.job.config.override_dirname.kv_sep=:"],
        [SEARCHED, "model=scripted", "model.style='it\\'s, ${name}'", "scorer=[words]", "name='a,b=c'"],
        [SEARCHED, "+prompt@other=photo", "other.text=look", "name=${hydra:job.override_dirname}"],
    ],
)
def test_a_node_is_what_hydra_composes(overrides: Sequence[str]) -> None:
    OmegaConf.register_new_resolver("package", package_path, replace=True)
    with hydra.initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        expected = hydra.compose("config", list(overrides), return_hydra_config=True)
    for _ in range(2):  # composed, and from what was composed
        node = layers.composed(overrides, [CONF_DIR, OWN])
        assert plain(node) == plain(expected)
        assert OmegaConf.is_struct(node) == OmegaConf.is_struct(expected)


def test_files_are_composed_once_and_each_node_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    first = compose(["prompt=photo", "model.num_beams=2"])
    monkeypatch.setattr(hydra, "compose", None)
    second = compose(["model.num_beams=3", "prompt=photo", "limit=2"])
    assert (first.node.model.num_beams, second.node.model.num_beams) == (2, 3)
    assert (first.node.limit, second.node.limit) == (None, 2)
    second.node.model.checkpoint = "changed"
    assert compose(["prompt=photo"]).node.model.checkpoint != "changed"


@pytest.mark.parametrize("most_entries", [2000, 3])
def test_a_file_that_changes_is_read_again(
    most_entries: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one in a folder of too many files to look at."""
    monkeypatch.setattr(layers, "MOST_ENTRIES", most_entries)
    conf = tmp_path / "conf"
    shutil.copytree(OWN, conf)
    (conf / "nowhere").symlink_to(tmp_path / "absent")
    (conf / "model" / "nested").mkdir()
    for name, style in (("model/scripted", "plain"), ("model/nested/one", "fine")):
        text = f"_target_: own_components.Scripted\nscript: a\nstyle: {style}\n"
        (conf / f"{name}.yaml").write_text(text)
        chosen = [f"model={name.removeprefix('model/')}"]
        assert compose(chosen, conf).node.model.style == style
        (conf / f"{name}.yaml").write_text(text.replace(style, "other"))
        assert compose(chosen, conf).node.model.style == "other"
    (conf / "prompt").mkdir()
    with pytest.raises(ConfigError, match="there is no 'mine'"):
        compose(["prompt=mine"], conf)
    (conf / "prompt" / "mine.yaml").write_text("_target_: evaluator.core.Prompt\nname: mine\ntext: look\n")
    assert compose(["prompt=mine"], conf).node.prompt.text == "look"
