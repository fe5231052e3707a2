"""A secret in an option is refused before anything is written, and never repeated."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from evaluator.cli.main import cli
from evaluator.config.run_config import run_configs
from evaluator.config.secret_options import refuse_resolvers
from evaluator.core.errors import ConfigError

KEY = "test-key-3141592653589793"
OTHER = "other-key-2718281828459045"
RUN = ["model=gpt-mini", "data=demo", "prompt=one-sentence", "limit=2"]

TYPED = {
    "the key in place of its name": "model.key_variable=sk-proj-abcdefgh12345678",
    "a key in capitals": "model.key_variable=AKIA2X7EXAMPLE9TEST0",
    "a key in capitals without a known shape": "model.key_variable=QX7EXAMPLE9TEST0ZZ",
    "a password": "model.base_url=http://ada:password@localhost/v1",
    "a user": "model.base_url=http://tok123@localhost/v1",
    "a query": "'model.base_url=\"http://localhost/v1?key=abc\"'",
    "a fragment": "'model.base_url=\"http://localhost/v1#key=abc\"'",
    "any fragment": "'model.base_url=\"http://localhost/v1#abc\"'",
    "a path": "model.base_url=http://localhost/sk-proj-abcdefgh12345678/v1",
    "the configured key in a path": f"model.base_url=http://localhost/{KEY}/v1",
    "an escaped address": "model.base_url=http://localhost/v1%3Fkey%3Dabc",
    "the request's body": "model.extra_body={api_key: anything-12}",
    "a header in the request's body": "model.extra_body={x: [{Authorization: anything-12}]}",
    "an env file": "model.env_file=sk-proj-abcdefgh12345678",
    "the configured key in a prompt": f"prompt.text='Describe it. {KEY}'",
    "the key, escaped": "prompt.text='" + "".join(f"%{ord(each):02x}" for each in KEY) + "'",
    "another key of the environment": f"prompt.text='Describe it. {OTHER}'",
    "the environment": "prompt.text='${oc.env:OPENAI_API_KEY}'",
    "the environment in an address": "model.base_url='http://localhost/${oc.env:OPENAI_API_KEY}'",
    "the environment, decoded": "prompt.text='${oc.decode:${oc.env:OPENAI_API_KEY}}'",
    "the environment by another name": "prompt.text='${${prompt.name}.env:OPENAI_API_KEY}'",
    "the name of the run": f"name={KEY}",
    "the folder of the runs": f"runs=runs/{KEY}",
    "a bearer": "prompt.text='Authorization: Bearer abcdef1234567890'",
    "where a number belongs": "model.max_output_tokens=sk-proj-abcdefgh12345678",
    "an unknown option": "model.api_key=sk-proj-abcdefgh12345678",
    "an unknown choice": "model=sk-proj-abcdefgh12345678",
}


@pytest.mark.parametrize("case", TYPED)
def test_nothing_is_written_and_nothing_repeated(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OTHER_API_KEY", OTHER)
    typed = TYPED[case].strip("'") if TYPED[case].startswith("'") else TYPED[case]
    done = CliRunner().invoke(cli, ["run", *RUN, typed])
    assert isinstance(done.exception, ConfigError), done.output
    said = done.output + str(done.exception)
    assert not list(tmp_path.iterdir())
    for secret in (KEY, OTHER, "abcdefgh12345678", "AKIA", "QX7", "password@", "tok123", "anything-12"):
        assert secret not in said


def test_a_config_file_of_one_s_own_reads_no_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "prompt").mkdir()
    prompt = {"_target_": "evaluator.core.Prompt", "name": "own", "text": "${oc.env:OPENAI_API_KEY}"}
    (tmp_path / "prompt" / "mine.yaml").write_text(yaml.safe_dump(prompt))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(ConfigError, match=r"\$\{oc\.env:\.\.\.\} is not resolved") as raised:
        run_configs(["model=gpt-mini", "data=demo", "prompt=mine"], tmp_path)
    assert KEY not in str(raised.value)
    (tmp_path / "prompt" / "mine.yaml").write_text(yaml.safe_dump({**prompt, "text": KEY}))
    with pytest.raises(ConfigError, match=r"prompt\.text: an API key") as raised:
        run_configs(["model=gpt-mini", "data=demo", "prompt=mine"], tmp_path)
    assert KEY not in str(raised.value)


def test_a_key_of_an_env_file_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / "keys.env").write_text(f"OPENAI_API_KEY={KEY}\n")
    with pytest.raises(ConfigError, match=r"prompt\.text: an API key"):
        run_configs([*RUN, f"model.env_file={tmp_path / 'keys.env'}", f"prompt.text='{KEY}'"])


@pytest.mark.parametrize(
    "text",
    [
        "${oc.env:HOME}",
        "a ${ oc.env : HOME}",
        "${oc.decode:${oc.env:HOME}}",
        "${${a}.env:HOME}",
        "${oc.${a}:HOME}",
        r"\\${oc.env:HOME}",
        "${other:HOME}",
    ],
)
def test_what_could_read_the_environment(text: str) -> None:
    with pytest.raises(ConfigError, match="is not resolved in a configuration"):
        refuse_resolvers({"a": [{"b": text}]})


@pytest.mark.parametrize(
    "text",
    ["${model.name}", r"\${oc.env:HOME}", "${package:demo}", "a: {b}", "$HOME", "${data.${x}}", "{a:b}"],
)
def test_what_cannot(text: str) -> None:
    refuse_resolvers({"a": [{"b": text}]})


def test_an_ordinary_run_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert os.environ["OPENAI_API_KEY"] == KEY
    (config,) = run_configs([*RUN, "model.base_url=http://localhost:11434/v1", "model.extra_body={top_k: 1}"])
    assert config.document["model"]["base_url"] == "http://localhost:11434/v1"
