"""`transformers serve` itself, with a tiny LLaVA of random weights, answers our requests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluator.core import Item, Outcome, Prompt, Reply
from evaluator.core.errors import CaptionError, RetryableError
from evaluator.models.openai_compatible import OpenAICompatible
from evaluator.runner.default import DefaultRunner
from evaluator.scorers.judge.judge import Judge
from evaluator.store.judgements import AnsweredJudge, with_answers
from tests.models.backends import ask

transformers = pytest.importorskip("transformers")
pytest.importorskip("fastapi", reason="pip install 'transformers[serving]'")

WORDS = [
    "a",
    "photo",
    "of",
    "dog",
    "cat",
    "red",
    "blue",
    "describe",
    "it",
    ".",
    "user",
    "assistant",
    ":",
    "<unk>",
    "<s>",
    "</s>",
    "<pad>",
    "<image>",
]
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }} : {% for part in message['content'] %}"
    "{{ '<image>' if part['type'] == 'image' else part['text'] }} {% endfor %}{% endfor %}assistant :"
)


def save_tiny_llava(folder: Path) -> None:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        additional_special_tokens=["<image>"],
    )
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.LlavaConfig(
        vision_config=transformers.CLIPVisionConfig(**shape, image_size=32, patch_size=8),
        text_config=transformers.LlamaConfig(
            **shape,
            vocab_size=len(WORDS),
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        ),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=16,
    )
    torch.manual_seed(0)
    transformers.LlavaForConditionalGeneration(config).save_pretrained(folder)
    transformers.LlavaProcessor(
        image_processor=transformers.CLIPImageProcessorPil(
            size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
        ),
        tokenizer=tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        chat_template=TEMPLATE,
        num_additional_image_tokens=1,
    ).save_pretrained(folder)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The server's base_url, once it listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    line = [
        sys.executable,
        "-m",
        "transformers.cli.transformers",
        "serve",
        "--host",
        "127.0.0.1",
        "--port",
        port,
    ]
    environment = os.environ | {"HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([str(each) for each in line], stdout=log, stderr=log, env=environment)
        try:
            until = time.monotonic() + 120
            while time.monotonic() < until and process.poll() is None:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.2)
            else:
                pytest.fail((tmp_path / "log").read_text())
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()
            process.wait()


def test_a_served_model_is_asked_like_any_other(address: str, tmp_path: Path, photo: Path) -> None:
    save_tiny_llava(tmp_path / "model")
    asked = OpenAICompatible(
        model=str(tmp_path / "model"),
        base_url=address,
        max_output_tokens=8,
        temperature=0.0,
        longest_side=512,
        timeout_seconds=100.0,
    )
    (found,) = ask(asked, photo, prompt=Prompt("p", "describe it ."))
    assert not isinstance(found, RetryableError), found
    reply = found if isinstance(found, Reply) else getattr(found, "reply", None)
    assert reply is not None, found
    assert reply.input_tokens > 16  # the picture alone takes sixteen
    assert 0 < reply.output_tokens <= 8
    if isinstance(found, CaptionError):  # weights of chance do not always come to an end
        assert found.outcome is Outcome.TRUNCATED
    # The same server as a judge, of the picture and of the text alone: noise is kept, and is no score.
    options = {"model": asked.model, "base_url": address, "max_output_tokens": 8, "timeout_seconds": 100.0}
    for rubric in ("picture", "clair"):
        judge = Judge("transformers-serve", rubric, options)
        judged = with_answers({"judge": judge}, tmp_path / "judgements", DefaultRunner(cache="off"))["judge"]
        assert isinstance(judged, AnsweredJudge)
        (measurement,) = judged.score([Item("1", photo, ("a red dog",))], ["a dog"])
        assert judged.answers is not None
        (answer,) = judged.answers.captions.values()
        assert answer.outcome in (Outcome.OK, Outcome.TRUNCATED, Outcome.EMPTY), answer.error
        assert not measurement.scored.any()
        assert measurement.notes[0].startswith("not scored: ")
