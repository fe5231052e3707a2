"""The hub's cache, and how soon a program without a network gives up."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from evaluator.core import Prompt
from evaluator.core.errors import DataError, ModelError
from evaluator.data.hub_source import Place, split_of
from evaluator.files import hub
from evaluator.models.git import GIT


@pytest.fixture
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub whose port refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        address = f"http://127.0.0.1:{somebody.getsockname()[1]}"
    monkeypatch.setenv("HF_ENDPOINT", address)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr(hub, "PAUSE_SECONDS", 0)
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.usefixtures("no_network")
def test_a_model_of_a_hub_out_of_reach() -> None:
    pytest.importorskip("torch")
    with pytest.raises(ModelError) as raised:
        GIT("nobody/model").check(Prompt("none"), [])
    said = str(raised.value)
    assert "'nobody/model' is not on this machine, and http://127.0.0.1:" in said
    assert "hf download nobody/model --local-dir DIR, and type model.checkpoint=DIR" in said


@pytest.mark.usefixtures("no_network")
def test_a_data_set_of_a_hub_out_of_reach() -> None:
    pytest.importorskip("datasets")
    place = Place("nobody/data", None, None, "test", None, None)
    with pytest.raises(DataError, match=r"hf download nobody/data --repo-type dataset .* data\.path=DIR"):
        split_of(place, is_streamed=False)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(("failures", "reached"), [(2, True), (3, False)])
def test_a_shaky_network_gets_three_attempts(
    failures: int, reached: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([OSError("no route")] * failures)

    def create_connection(*_: Any) -> socket.socket:
        if error := next(answers, None):
            raise error
        return socket.socket()

    monkeypatch.setattr(hub.socket, "create_connection", create_connection)
    assert hub.is_reachable() is reached
    assert list(answers) == []


@pytest.mark.usefixtures("no_network")
def test_only_a_proxy_knows_what_it_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not hub.is_reachable()
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert hub.is_reachable()


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"HF_HUB_CACHE": "/a/hub"}, "/a/hub"),
        ({"HUGGINGFACE_HUB_CACHE": "/a/hub"}, "/a/hub"),
        ({"HF_HOME": "/a"}, "/a/hub"),
        ({"XDG_CACHE_HOME": "/a"}, "/a/huggingface/hub"),
    ],
)
def test_where_the_hub_s_cache_is(
    variables: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    assert hub.hub_cache() == Path(folder)
