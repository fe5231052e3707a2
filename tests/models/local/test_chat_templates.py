"""Chat templates and processors of other forms: understood, or refused once, before a run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from evaluator.core import Prompt, Shot  # noqa: E402
from evaluator.core.errors import ConfigError, ModelError  # noqa: E402
from evaluator.models.chat import Chat  # noqa: E402
from evaluator.models.plain_prompt import PlainPrompt  # noqa: E402
from evaluator.models.processor_captioner import turn_ends  # noqa: E402
from tests.models.local import tiny_families  # noqa: E402

PROMPT = Prompt("p", "Describe it.", system="Be  brief.")
PARTS = (
    "{% for part in message['content'] %}"
    "{{ '<image>' if part['type'] == 'image' else part['text'] }}{% endfor %}"
)
TURN = "{% for message in messages %}{{ message['role'] }}: CONTENT{{ '\n' }}{% endfor %}assistant: "


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_families.llava(tmp_path_factory.mktemp("llava"))


@pytest.fixture
def with_template(llava: Path, tmp_path: Path) -> Callable[[str], Chat]:
    """The model with another chat template."""

    def make(template: str) -> Chat:
        shutil.copytree(llava, tmp_path / "llava")
        (tmp_path / "llava" / "chat_template.jinja").write_text(template)
        return Chat(str(tmp_path / "llava"))

    return make


def text_of(model: Chat, prompt: Prompt = PROMPT) -> str:
    return model.text(model.loader().check_with_processor(), prompt)


def test_templates_of_the_tokenizer_alone(with_template: Callable[[str], Chat]) -> None:
    """As older checkpoints have them, several by name."""
    template = TURN.replace("CONTENT", PARTS)
    model = with_template(template)
    folder = Path(model.checkpoint)
    (folder / "chat_template.jinja").unlink()
    path = folder / "tokenizer_config.json"
    for own in (template, [{"name": "default", "template": template}, {"name": "tool_use", "template": "x"}]):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"chat_template": own}))
        assert text_of(model) == "system: Be  brief.\nuser: <image>Describe it.\nassistant: "


@pytest.mark.parametrize("shown", ["message['content']", "message['content'] + ''"])
def test_a_message_without_a_picture_may_have_to_be_plain_text(
    shown: str, with_template: Callable[[str], Chat], pictures: list[Path]
) -> None:
    """Some templates add the text of system and assistant to another, some show a list as Python does."""
    content = f"{{% if message['role'] == 'user' %}}{PARTS}{{% else %}}{{{{ {shown} }}}}{{% endif %}}"
    model = with_template(TURN.replace("CONTENT", content))
    prompt = Prompt("p", "Describe it.", system="Be brief.", shots=(Shot(pictures[0], "a dog"),))
    asked = "user: <image>Describe it.\nassistant: "
    assert text_of(model, prompt) == f"system: Be brief.\n{asked}a dog\n{asked}"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("{{ message['content'] }}", "refuses it: it is made for texts alone"),
        ("{{ message['content'] + '' }}", "refuses it: can only concatenate"),
        ("{{ message['content'][-1]['text'] }}", r"cannot prepare a picture with it: .* 0 <image> tokens"),
        (f"<image>{PARTS}", r"cannot prepare a picture with it: .* <image> tokens .*\(the text is "),
    ],
)
def test_templates_that_cannot_be_used(
    content: str, error: str, with_template: Callable[[str], Chat]
) -> None:
    with pytest.raises(ConfigError, match=error):
        with_template(TURN.replace("CONTENT", content)).check(PROMPT, [])


def test_a_system_text_that_is_left_out(llava: Path, with_template: Callable[[str], Chat]) -> None:
    assert Chat(str(llava)).check(PROMPT, []) == ()
    without = TURN.replace("CONTENT", "{% if message['role'] != 'system' %}" + PARTS + "{% endif %}")
    (warning,) = with_template(without).check(PROMPT, [])
    assert warning.endswith("leaves the system text out")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (
            {"image_options": {"sizes": 3}},
            r"model\.image_options: CLIPImageProcessorPil has no option 'sizes'",
        ),
        (
            {"template_options": {"enable_thinking": False}},
            r"model\.template_options: .* no 'enable_thinking'",
        ),
    ],
)
def test_options_that_nothing_reads(options: dict[str, Any], error: str, llava: Path) -> None:
    with pytest.raises(ConfigError, match=error):
        Chat(str(llava), **options).check(PROMPT, [])


def test_a_prompt_with_the_place_of_a_picture(llava: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"cannot prepare a picture with it: .* 2 <image> tokens and 1 images"
    ):
        Chat(str(llava)).check(Prompt("p", "What is in <image>?"), [])
    with pytest.raises(ConfigError, match=r"cannot prepare a picture with it: .* 0 <image> tokens"):
        PlainPrompt(str(llava)).check(Prompt("p", "Describe it."), [])


def test_half_a_processor(llava: Path, tmp_path: Path) -> None:
    folder = tiny_families.vit_gpt2(tmp_path / "vit-gpt2")
    with pytest.raises(
        ModelError, match=r"has no processor that takes a picture and a text.* model=vit-gpt2"
    ):
        Chat(str(folder)).check(PROMPT, [])
    shutil.copytree(llava, tmp_path / "llava")
    (tmp_path / "llava" / "processor_config.json").unlink()
    with pytest.raises(ModelError, match=r"not all files of a processor\. Save that of the model"):
        Chat(str(tmp_path / "llava")).check(PROMPT, [])


def test_own_code_without_the_class_that_is_needed(
    llava: Path, tmp_path: Path, edited: Callable[[Path, Path, dict[str, object]], Path]
) -> None:
    """As Moondream's: trusting it would not help."""
    code = {"AutoConfig": "code.Config", "AutoModelForCausalLM": "code.Model"}
    folder = edited(llava, tmp_path / "coded", {"model_type": "mine", "auto_map": code})
    with pytest.raises(ModelError, match=r"own, which has no AutoModelForImageTextToText.* model=vllm"):
        Chat(str(folder)).check(PROMPT, [])
    unknown = edited(llava, tmp_path / "newer", {"model_type": "newer"})
    with pytest.raises(ModelError, match=r"does not know\. Type pip install -U transformers, or serve it"):
        Chat(str(unknown)).check(PROMPT, [])


def test_the_ids_that_end_a_turn() -> None:
    """Also where generation_config.json does not have them, so that no second turn gets into a caption."""
    words = tiny_families.tokenizer()
    words.add_tokens(["<|im_end|>", "<|im_start|>"], special_tokens=True)
    ends = {words.convert_tokens_to_ids(token) for token in ("</s>", "<|im_end|>", "<end_of_utterance>")}
    assert turn_ends(words) == ends
