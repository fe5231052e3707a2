"""No key, no picture and no authorization header in anything that a run leaves, by the real SDKs.

The server sends back what it was sent, as broken proxies do: in errors, in answers, in pages.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import evaluator
from evaluator.store.run_folder import RunFolder
from tests.models.backends import BACKENDS
from tests.provider_server import ProviderServer
from tests.wire_formats import CUT, KEY, Answer, error, rate_limited

Command = Callable[..., subprocess.CompletedProcess[str]]
DEMO = Path(evaluator.__file__).parent / "demo" / "data"
PRESETS = {
    "openai": "gpt-mini",
    "anthropic": "claude-haiku",
    "gemini": "gemini",
    "generativeai": "gemini-generativeai",
}
ECHO = {"headers": {"authorization": f"Bearer {KEY}", "x-api-key": KEY, "x-goog-api-key": KEY}}


def misbehaviour(provider: str, malformed: bool) -> Iterator[Answer]:
    """Each passes, and all but the first and the last tell the key.

    About an image with two malformed answers, nothing more is asked.
    """
    yield rate_limited(provider, 0.01)
    yield error(provider, 500, "", f"upstream refused the key {KEY}")
    yield error(provider, 503, "", "x" * 290 + f" {KEY}")  # cut within the key
    yield Answer(502, f"<html>{json.dumps(ECHO)}</html>", content_type="text/html")
    yield Answer(body=ECHO)
    if malformed:
        yield Answer(body=json.dumps(ECHO)[:-3])
        yield Answer(body=f"{KEY} {KEY}", content_type="text/plain")
        yield Answer(body={"choices": [KEY], "content": [KEY], "candidates": KEY})
        yield Answer(body=json.dumps(ECHO).replace("-", "\\u002d"))
    yield CUT


@pytest.mark.parametrize("attempts", [1, 8], ids=["recorded as errors", "tried again"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_that_a_run_leaves_holds_a_secret(
    backend: str,
    attempts: int,
    command: Command,
    server: ProviderServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider, _ = BACKENDS[backend]
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "cache"))
    document = json.loads((DEMO / "captions.json").read_bytes())
    names = [image["file_name"] for image in document["images"][:12]]
    (tmp_path / "captions.json").write_text(json.dumps(document))
    (tmp_path / "images").mkdir()
    for name in names:
        shutil.copy(DEMO / "images" / name, tmp_path / "images")
    server.script(*misbehaviour(provider, malformed=attempts == 1))
    arguments = (
        *("run", f"model={PRESETS[backend]}", f"model.base_url={server.base_url(provider)}", "name=secret"),
        *("data=coco", "data.annotations=captions.json", "data.images=images", "limit=12"),
        *("prompt=one-sentence", "scorer=[bleu]", "resamples=10", f"runner.requests.attempts={attempts}"),
        "runner.requests.in_flight=2",
    )
    first = command(*arguments)
    assert first.returncode == (3 if attempts == 1 else 0), first.stderr
    server.script(error(provider, 401, "", f"wrong key {KEY}"))
    refused = command(*arguments, "name=refused", "cache=off")
    assert refused.returncode == 2
    assert "The provider rejects the key" in refused.stderr

    outcomes = {
        str(caption.outcome) for caption in RunFolder(tmp_path / "runs" / "secret").load().captions.values()
    }
    assert outcomes == ({"ok", "error"} if attempts == 1 else {"ok"})
    written = [
        path for place in ("runs", "cache") for path in (tmp_path / place).rglob("*") if path.is_file()
    ]
    assert {"captions.jsonl", "manifest.json", "report.html"} <= {path.name for path in written}
    assert any(path.suffix == ".sqlite" for path in written)
    pictures = [(tmp_path / "images" / name).read_bytes() for name in names]
    for done in (first, refused):
        (tmp_path / f"log-{done.returncode}").write_text(done.stdout + done.stderr)
    for path in [*written, *tmp_path.glob("log-*")]:
        content = path.read_bytes()
        for start in range(len(KEY) - 11):  # nor most of it
            assert KEY[start : start + 12].encode() not in content, path
        if path.name != "report.html":  # which shows the pictures, made smaller
            assert not any(base64.b64encode(picture)[:60] in content for picture in pictures), path
        assert not any(picture in content for picture in pictures), path
        # Where what was sent back is recorded, the header's name is in it, without the key.
        if attempts > 1 and path.name != "requests.jsonl":
            assert b"uthorization" not in content, path
