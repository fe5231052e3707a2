"""Keys come from the environment or a named file, and are shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.core.errors import ConfigError
from evaluator.models.api_keys import api_key, read_env_file

PAGE = "https://example.com/keys"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "keys.env"
    path.write_text("# keys\nexport SOME_KEY='from file'\nOTHER=x$SOME_KEY\nEMPTY=\n")
    monkeypatch.delenv("SOME_KEY", raising=False)
    assert api_key("SOME_KEY", PAGE, path) == "from file"
    assert read_env_file(path)["OTHER"] == "x$SOME_KEY"  # a key may hold a dollar sign
    monkeypatch.setenv("SOME_KEY", " from environment\n")
    assert api_key("SOME_KEY", PAGE, path) == "from environment"
    monkeypatch.setenv("SOME_KEY", "")
    assert api_key("SOME_KEY", PAGE, path) == "from file"
    assert api_key(None, PAGE, path) == ""


def test_a_missing_key_names_the_variable_the_page_and_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    with pytest.raises(
        ConfigError, match=r"SOME_KEY is not set in the environment\. .*example\.com/keys.*export"
    ):
        api_key("SOME_KEY", PAGE)
    (tmp_path / "keys.env").write_text("SOME_KEY=\n")
    with pytest.raises(ConfigError, match=r"nor in .*keys\.env"):
        api_key("SOME_KEY", PAGE, tmp_path / "keys.env")
    with pytest.raises(ConfigError, match=r"model\.env_file: there is no file"):
        api_key("SOME_KEY", PAGE, tmp_path / "no.env")


@pytest.mark.parametrize("value", ["sk-é", "two\nlines"])
def test_what_cannot_be_a_key_is_not_sent(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", value)
    with pytest.raises(ConfigError, match="SOME_KEY does not hold an API key") as raised:
        api_key("SOME_KEY", PAGE)
    assert value not in str(raised.value)


@pytest.mark.parametrize(
    "variable", ["sk-proj-abc", "AIzaSyabc", "some_key", "KEY=1", "", "AKIA2X7EXAMPLE9TEST0"]
)
def test_a_key_in_the_place_of_its_name_is_refused_unseen(variable: str) -> None:
    with pytest.raises(ConfigError, match="never the key itself") as raised:
        api_key(variable, PAGE)
    assert not variable or variable not in str(raised.value)
