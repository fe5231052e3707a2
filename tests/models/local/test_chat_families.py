"""Chat models and models with one plain text, each family on a tiny checkpoint, as a user types it.

A family's checkpoint is loaded through its YAML file. Those whose processors need torchvision are tested by
`make test-torchvision`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

torch = pytest.importorskip("torch")

from evaluator.config.components import build  # noqa: E402
from evaluator.config.compose import CONF_DIR  # noqa: E402
from evaluator.core import Item, Prompt, Question, Reply, Shot  # noqa: E402
from evaluator.core.errors import CaptionError, ConfigError, ModelError  # noqa: E402
from evaluator.models.collate import collated  # noqa: E402
from evaluator.models.processor_captioner import ProcessorSession  # noqa: E402
from evaluator.runner.default import DefaultRunner  # noqa: E402
from evaluator.runner.picture_workers import CAN_FORK, kind_for, picture_workers  # noqa: E402
from evaluator.runner.preparation import prepare_ahead  # noqa: E402
from evaluator.scorers.judge.judge import Judge  # noqa: E402
from evaluator.store.judgements import AnsweredJudge, with_answers  # noqa: E402
from tests.models.local import newer_families, tiny_families  # noqa: E402

CHAT = ("llava", "llava-next", "idefics2", "idefics3", "gemma3")
WITH_TORCHVISION = ("llava-onevision", "qwen2.5-vl", "qwen3-vl", "internvl", "smolvlm", "fuyu")
PLAIN = ("paligemma", "instructblip", "kosmos2", "florence2")
NEWER = tuple(newer_families.MAKERS)  # loaded by model=chat; some need torchvision
FAMILIES = (*CHAT, *PLAIN, *WITH_TORCHVISION, *NEWER)
MAKERS = tiny_families.MAKERS | newer_families.MAKERS
NEW_TOKENS = 7


@pytest.fixture(scope="session")
def checkpoint_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The tiny checkpoint of a family, made once."""
    made: dict[str, Path] = {}

    def make(family: str) -> Path:
        if family in (*WITH_TORCHVISION, *NEWER) and not (
            find_spec("torchvision") and find_spec("num2words")
        ):
            pytest.skip("torchvision is not installed beside this torch: `make test-torchvision` runs these")
        if family not in made:
            torch.manual_seed(0)
            folder = tmp_path_factory.mktemp(family)
            made[family] = MAKERS[family](folder)
        return made[family]

    return make


def captioner(family: str, checkpoint: Path, **options: Any) -> Any:
    """What `model=FAMILY model.checkpoint=DIR` builds, with short captions in float32."""
    name = "chat" if family in NEWER else family
    node = yaml.safe_load((CONF_DIR / "model" / f"{name}.yaml").read_text())
    short = {"num_beams": 1, "min_new_tokens": 0, "max_new_tokens": NEW_TOKENS, "no_repeat_ngram_size": 0}
    own = {"checkpoint": str(checkpoint), "dtype": "float32"} | short
    return build(node | {name: value for name, value in own.items() if name in node} | options, "model")


def said(answers: list[Reply | CaptionError]) -> list[tuple[Any, ...]]:
    """Text, what else was written, and the tokens; also of captions without text."""
    replies = [answer if isinstance(answer, Reply) else answer.reply for answer in answers]
    return [(reply.text, reply.whole_text, reply.output_tokens) for reply in replies if reply is not None]


def shaped(pictures: list[Path], folder: Path) -> list[Path]:
    """The pictures in other shapes, so that their numbers of tokens and crops differ."""
    shapes = [(48, 40), (40, 48), (64, 32), (30, 90), (48, 48), (100, 50), (33, 47), (64, 64)]
    paths = []
    for picture, shape in zip(pictures, shapes, strict=False):
        paths.append(folder / picture.name)
        Image.open(picture).resize(shape, Image.Resampling.NEAREST).save(paths[-1])
    return paths


def request(family: str) -> Prompt:
    return Prompt("none") if family in (*PLAIN, "fuyu") else Prompt("p", "Describe it.", system="Be brief.")


def prepared_in(session: ProcessorSession, pictures: list[Path]) -> list[Any]:
    return [session.prepare(Item(str(number), path)) for number, path in enumerate(pictures)]


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # PaliGemma's processor with numpy 2
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_captions_in_batches(
    family: str, checkpoint_of: Callable[[str], Path], pictures: list[Path], tmp_path: Path
) -> None:
    model = captioner(family, checkpoint_of(family))
    prompt, paths = request(family), shaped(pictures, tmp_path)
    assert model.check(prompt, []) == ()
    with model.open(prompt) as session:
        prepared = prepared_in(session, paths)
        elsewhere = model.preparing(prompt)(Item("0", paths[0]))  # without the weights
        torch.testing.assert_close(elsewhere, prepared[0], rtol=0, atol=0)
        whole = said(session.caption(prepared))
        assert whole == [one for each in prepared for one in said(session.caption([each]))]
        assert len(set(whole)) > 1, "the pictures make no difference: the test would not see them ignored"
        # The tail of what the model generates is the caption: nothing of the prompt, and nothing less.
        session.decoding["min_new_tokens"] = NEW_TOKENS
        ((text, written, tokens),) = said(session.caption(prepared[:1]))
        inputs = session._on_device(prepared[0])  # Llama 4's pictures are bfloat16
        output = session.model.generate(**inputs, **session.decoding)[0].tolist()
        new = output[-NEW_TOKENS:][:tokens]
        assert session.processor.tokenizer.decode(new, skip_special_tokens=True).strip() == (written or text)
        assert batched(session, paths, isinstance(prompt.system, str) and bool(prompt.system)) == []


def batched(session: ProcessorSession, paths: list[Path], nested: bool) -> list[str]:
    """The inputs in which our batch differs from the one that the processor makes of all pictures."""
    pictures = [Image.open(path).convert("RGB") for path in paths]
    tokenizer = session.processor.tokenizer
    tokenizer.padding_side = "left"
    theirs = session.processor(
        text=[session.text] * len(pictures),
        images=[[picture] for picture in pictures] if nested else pictures,
        return_tensors="pt",
        padding=True,
        **({"add_special_tokens": False} if session.text.startswith(tokenizer.bos_token) else {}),
    )
    ours = collated(prepared_in(session, paths), {"input_ids": session.padding_id})
    names = theirs.keys() - {"labels"}
    return sorted(name for name in names if not torch.equal(theirs[name], ours[name]))


@pytest.mark.parametrize("family", ["idefics2", "idefics3", "llava-next", "qwen2.5-vl"])
def test_examples_with_pictures(
    family: str, checkpoint_of: Callable[[str], Path], pictures: list[Path], tmp_path: Path
) -> None:
    paths = shaped(pictures, tmp_path)
    shots = (Shot(paths[0], "a dog"), Shot(paths[3], "a cat"))
    model = captioner(family, checkpoint_of(family))
    captions = []
    for prompt in (Prompt("p", "Describe it.", shots=shots), Prompt("p", "Describe it.", shots=shots[::-1])):
        assert model.check(prompt, []) == ()
        with model.open(prompt) as session:
            assert session.text.count("a dog") == session.text.count("a cat") == 1
            prepared = prepared_in(session, paths[4:])
            captions.append(said(session.caption(prepared)))
            assert captions[-1] == [one for each in prepared for one in said(session.caption([each]))]
    assert captions[0] != captions[1], "the examples make no difference"


@pytest.mark.parametrize("family", ["llava", "kosmos2", "instructblip"])
def test_length_limits_are_of_the_caption_alone(
    family: str, checkpoint_of: Callable[[str], Path], pictures: list[Path]
) -> None:
    options = {"min_new_tokens": 5, "max_new_tokens": 5, "num_beams": 2}
    with captioner(family, checkpoint_of(family), **options).open(request(family)) as session:
        (answer,) = session.caption(prepared_in(session, pictures[:1]))
    reply = answer if isinstance(answer, Reply) else answer.reply
    assert reply is not None
    assert (reply.output_tokens, reply.finish_reason) == (5, "length")
    assert reply.input_tokens is not None
    assert reply.input_tokens > 10


def test_an_instructblip_with_an_encoder_and_a_decoder(
    tmp_path_factory: pytest.TempPathFactory, pictures: list[Path]
) -> None:
    """FLAN-T5's output begins with the decoder's start token, and not with the request."""
    torch.manual_seed(0)
    folder = tiny_families.instructblip(tmp_path_factory.mktemp("t5"), t5=True)
    with captioner("instructblip", folder, min_new_tokens=5, max_new_tokens=5).open(
        request("instructblip")
    ) as t5:
        output = t5.model.generate(**prepared_in(t5, pictures[:1])[0], **t5.decoding)[0].tolist()
        assert len(output) == 6
        (caption,) = said(t5.caption(prepared_in(t5, pictures[:1])))
    assert caption[2] == 5


def test_the_boxes_of_kosmos2(checkpoint_of: Callable[[str], Path]) -> None:
    written = (
        " a<phrase> snowman</phrase><object><patch_index_0044><patch_index_0863></object> by<phrase> a fire"
        "</phrase><object><patch_index_0005><patch_index_0911></object>."
    )
    model = captioner("kosmos2", checkpoint_of("kosmos2"))
    processor = model.loader().check_with_processor()
    ids = processor.tokenizer(written, add_special_tokens=False)["input_ids"]
    reply = model.answer(processor, ids, "")
    assert reply.text == "a snowman by a fire."
    assert "<patch_index_0044>" in reply.whole_text
    # The numbers are those of the example in transformers' clean_text_and_extract_entities_with_bboxes.
    assert reply.boxes == (
        ("snowman", 0.390625, 0.046875, 0.984375, 0.828125),
        ("a fire", 0.171875, 0.015625, 0.484375, 0.890625),
    )


# --- the request ------------------------------------------------------------------------------------------


def test_the_template_writes_system_text_examples_and_question(
    checkpoint_of: Callable[[str], Path], pictures: list[Path]
) -> None:
    model = captioner("chat", checkpoint_of("llava"))
    shots = (Shot(pictures[0], "a dog"), "a cat on a mat")
    prompt = Prompt("p", "Describe it.", system="Be brief.", shots=shots)
    question = "user: <image>" + prompt.request
    expected = f"system: Be brief.\n{question}\nassistant: a dog\n{question}\nassistant: "
    assert model.text(model.loader().check_with_processor(), prompt) == expected
    assert "- a cat on a mat" in question


def test_a_template_that_refuses_a_system_text(checkpoint_of: Callable[[str], Path]) -> None:
    model = captioner("chat", checkpoint_of("llava"))
    processor = model.loader().check_with_processor()
    processor.chat_template = "{{ raise_exception('Conversation roles must alternate') }}"
    with pytest.raises(
        ConfigError, match=r"chat template of .* refuses it: Conversation roles must alternate"
    ):
        model.text(processor, Prompt("p", "Describe it.", system="Be brief."))


def test_a_model_without_a_chat_template(checkpoint_of: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigError, match=r"has no chat template.* model=plain"):
        captioner("chat", checkpoint_of("kosmos2")).check(Prompt("p", "Describe it."), [])


def test_a_plain_model_refuses_what_it_cannot_take(
    checkpoint_of: Callable[[str], Path], pictures: list[Path]
) -> None:
    model = captioner("florence2", checkpoint_of("florence2"))
    for prompt in (Prompt("p", system="Be brief."), Prompt("p", shots=(Shot(pictures[0], "a dog"),))):
        with pytest.raises(ConfigError, match=r"prompt\.(system|shots): "):
            model.check(prompt, [])
    with pytest.raises(ConfigError, match=r"model\.form: .* has no place for the prompt"):
        captioner("plain", checkpoint_of("florence2"), form="<image>").check(Prompt("p", "caption"), [])


@pytest.mark.parametrize("tag", ["", "<think>"])
def test_reasoning_is_kept_apart(
    tag: str, checkpoint_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the chat template opens it, and the answer only closes it."""
    from evaluator.core import Caption, Outcome
    from evaluator.core.chat import only_the_answer

    model = captioner("chat", checkpoint_of("llava"))
    processor = model.loader().check_with_processor()
    encode = processor.tokenizer.encode
    written = "I see a cat.</think> a cat" if tag else "<think>I see a cat.</think> a cat"
    reply = model.answer(processor, encode(written, add_special_tokens=False), f"assistant: {tag}\n")
    caption = only_the_answer(Caption("1", Outcome.OK, reply))
    assert (caption.text, caption.reply.whole_text) == ("a cat", "<think>I see a cat.</think> a cat")
    unfinished = model.answer(processor, encode("I see", add_special_tokens=False), "assistant: <think>\n")
    assert only_the_answer(Caption("1", Outcome.OK, unfinished)).outcome is Outcome.TRUNCATED


# --- the checkpoint ---------------------------------------------------------------------------------------


def test_a_processor_that_needs_torchvision(
    checkpoint_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evaluator.models.processor_captioner.find_spec", lambda _: None)
    model = captioner("fuyu", checkpoint_of("llava"))
    loader = model.loader()
    monkeypatch.setattr(type(loader), "check", lambda self: None)
    minor = int(torch.__version__.split(".")[1])
    with pytest.raises(
        ModelError, match=rf"needs torchvision\. Type: pip install 'torchvision==0\.{minor + 15}\."
    ):
        loader.check_with_processor()


def test_the_librarys_own_error_about_torchvision(
    checkpoint_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is what Qwen's, SmolVLM's, InternVL's and LLaVA-OneVision's processors raise."""
    import transformers

    def refuse(*_: object, **__: object) -> None:
        message = "Qwen2VLVideoProcessor requires the Torchvision library but it was not found in your"
        raise ImportError(f"\n{message} environment. Check out the instructions on the installation page")

    model = captioner("chat", checkpoint_of("llava"))
    monkeypatch.setattr(transformers.AutoProcessor, "from_pretrained", refuse)
    with pytest.raises(ModelError, match=r"needs torchvision\. Type: pip install 'torchvision==0\."):
        model.check(Prompt("p", "Describe it."), [])


def test_a_checkpoint_that_is_no_image_text_model(
    git_checkpoint: Path, tmp_path: Path, edited: Callable[[Path, Path, dict[str, object]], Path]
) -> None:
    folder = edited(git_checkpoint, tmp_path / "bert", {"model_type": "bert"})
    with pytest.raises(ModelError, match="a 'bert' checkpoint, and Chat loads models that transformers'"):
        captioner("chat", folder).check(Prompt("p", "Describe it."), [])


def test_options_of_the_image_processor(checkpoint_of: Callable[[str], Path], pictures: list[Path]) -> None:
    checkpoint = checkpoint_of("idefics3")
    tokens = []
    for options in ({}, {"do_image_splitting": False}):
        with captioner("idefics3", checkpoint, image_options=options).open(request("idefics3")) as session:
            tokens.append(prepared_in(session, pictures[:1])[0]["input_ids"].shape[1])
    assert tokens[1] < tokens[0]


def test_vit_gpt2(tmp_path_factory: pytest.TempPathFactory, pictures: list[Path]) -> None:
    torch.manual_seed(0)
    folder = tiny_families.vit_gpt2(tmp_path_factory.mktemp("vit_gpt2"))
    for prompt in ("", "a photo of"):
        with captioner("vit-gpt2", folder, num_beams=3).open(Prompt("p", prompt)) as session:
            prepared = prepared_in(session, pictures)
            whole = said(session.caption(prepared))
            assert whole == [one for each in prepared for one in said(session.caption([each]))]
            assert len(set(whole)) > 1
            assert all(text[2] <= NEW_TOKENS and "photo" not in text[0] for text in whole)


@pytest.mark.skipif(not CAN_FORK, reason="this system cannot fork")
def test_pictures_of_a_chat_model_are_prepared_by_processes(
    checkpoint_of: Callable[[str], Path],
    pictures: list[Path],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Each gives what the session itself does, and the tokenizers' library does not complain."""
    items = [Item(str(number), path) for number, path in enumerate(shaped(pictures, tmp_path))]
    items += [Question("asked", items[0].image, text="Is it a dog?"), Question("of a text", None, text="Hm?")]
    with captioner("llava-next", checkpoint_of("llava-next")).open(request("llava-next")) as session:
        session.processor.tokenizer(["in threads", "of its own"])
        assert kind_for(session, "auto") == "processes"
        expected = [session.prepare(item) for item in items]
        with picture_workers(session.prepare, 2, "processes") as workers:
            found = [each for _, each in prepare_ahead(workers, items, lambda: 4)]
    for one, other in zip(found, expected, strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(value, other[name]) for name, value in one.items())
    assert "huggingface/tokenizers" not in capfd.readouterr().err


def test_a_run_with_a_chat_model(
    checkpoint_of: Callable[[str], Path], command: Callable[..., Any], tmp_path: Path
) -> None:
    typed = ["model=chat", f"model.checkpoint={checkpoint_of('llava')}", "model.dtype=float32"]
    done = command(
        *(
            "run",
            *typed,
            "model.max_new_tokens=5",
            "prompt=one-sentence",
            "limit=3",
            "scorer=[bleu]",
            "name=x",
        )
    )
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "runs" / "x" / "captions.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert all('"input_tokens"' in line for line in lines)


def test_a_chat_model_loaded_here_is_a_judge(
    checkpoint_of: Callable[[str], Path], pictures: list[Path], tmp_path: Path
) -> None:
    """Its weights are noise, so no answer is a verdict: each is kept, and none is a score."""
    options = {"checkpoint": str(checkpoint_of("llava")), "dtype": "float32", "max_new_tokens": NEW_TOKENS}
    items = [Item(str(n), path, ("a red circle",)) for n, path in enumerate(pictures[:2])]
    captions = ["a circle", "a blue square on the left"]
    for rubric in ("clair", "picture"):
        judge = Judge("llava", rubric, options)
        asked = with_answers({"judge": judge}, tmp_path, DefaultRunner(batch_size=2))["judge"]
        assert isinstance(asked, AnsweredJudge)
        (measurement,) = asked.score(items, captions)
        assert asked.answers is not None
        replies = [each.reply for each in asked.answers.captions.values()]
        assert [reply and reply.output_tokens for reply in replies] == [NEW_TOKENS] * 2
        assert not measurement.scored.any()
        assert all(note.startswith("not scored: ") for note in measurement.notes)
    with captioner("llava", checkpoint_of("llava")).open(Prompt("p", "x", system="Obey.")) as session:
        plain, seen = (
            session.prepare(Question("q", image, text="Is it a dog?")) for image in (None, pictures[0])
        )
        assert "pixel_values" not in plain
        assert "pixel_values" in seen
        decoded = session.processor.tokenizer.decode(plain["input_ids"][0])
        assert "Obey." in decoded
        assert "Is it a dog?" in decoded
