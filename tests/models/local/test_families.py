"""GIT, BLIP and BLIP-2 through the same code as real checkpoints, against decoding written out by hand.

`by_hand` asks the model for one next token at a time and knows nothing of `generate`, so it shows that the
prompt goes in as the family expects, that the echo is cut off at the right place, and that nothing is lost.
"""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from evaluator.core import Item, Outcome, Prompt, Reply  # noqa: E402
from evaluator.core.errors import CaptionError, ConfigError, ImageError, ModelError, OutOfMemory  # noqa: E402
from evaluator.models.blip import BLIP  # noqa: E402
from evaluator.models.blip2 import BLIP2  # noqa: E402
from evaluator.models.git import GIT  # noqa: E402
from evaluator.models.local import LocalCaptioner, LocalSession  # noqa: E402
from evaluator.models.plain_prompt import PlainPrompt  # noqa: E402
from tests.models.local import tiny_families  # noqa: E402

FAMILIES = {"git": GIT, "blip": BLIP, "blip2": BLIP2, "blip2_t5": BLIP2}
PROMPTS = ("", "a photo of", "question : what is shown ? answer :")
NEW_TOKENS = 10


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> tuple[str, type[LocalCaptioner], Path]:
    return request.param, FAMILIES[request.param], request.getfixturevalue(f"{request.param}_checkpoint")


def said(answers: list[Reply | CaptionError]) -> list[str]:
    return [answer.text if isinstance(answer, Reply) else f"<{answer.outcome}>" for answer in answers]


def caption(captioner: LocalCaptioner, prompt: str, pictures: list[Path], batch: int = 32) -> list[str]:
    with captioner.open(Prompt("test", prompt)) as session:
        prepared = [session.prepare(Item(str(i), path)) for i, path in enumerate(pictures)]
        batches = (prepared[start : start + batch] for start in range(0, len(prepared), batch))
        return [text for group in batches for text in said(session.caption(group))]


def by_hand(kind: str, session: LocalSession, prompt: str, picture: Path) -> str:
    """Greedy decoding, one forward pass a token."""
    model, tokenizer = session.model, session.tokenizer
    pixels = session.prepare(Item("0", picture))[None]
    words = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    new: list[int] = []
    with torch.inference_mode():
        for _ in range(NEW_TOKENS):
            if kind == "git":
                ids = torch.tensor([[tokenizer.cls_token_id, *words, *new]])
                logits = model(input_ids=ids, pixel_values=pixels).logits
            elif kind == "blip":
                ids = torch.tensor([[model.config.text_config.bos_token_id, *words, *new]])
                encoded = model.vision_model(pixel_values=pixels)[0]
                logits = model.text_decoder(input_ids=ids, encoder_hidden_states=encoded).logits
            else:
                image = [model.config.image_token_index] * model.config.num_query_tokens
                before = torch.tensor([[*image, *tokenizer(prompt)["input_ids"]]])
                if kind == "blip2":
                    ids = torch.cat([before, torch.tensor([new], dtype=torch.long)], dim=1)
                    logits = model(input_ids=ids, pixel_values=pixels).logits
                else:
                    decoder = torch.tensor([[0, *new]])
                    logits = model(input_ids=before, pixel_values=pixels, decoder_input_ids=decoder).logits
            token = int(logits[0, -1].argmax())
            if token in session.stop_ids:
                break
            new.append(token)
    return tokenizer.decode(new, skip_special_tokens=True).strip() or "<empty>"


@pytest.mark.parametrize("prompt", PROMPTS)
def test_captions_are_those_of_decoding_by_hand(
    family: tuple[str, type[LocalCaptioner], Path], prompt: str, pictures: list[Path]
) -> None:
    kind, captioner, checkpoint = family
    options = captioner(str(checkpoint), max_new_tokens=NEW_TOKENS)
    with options.open(Prompt("test", prompt)) as session:
        expected = [by_hand(kind, session, prompt, picture) for picture in pictures]
    assert caption(options, prompt, pictures) == expected
    assert len(set(expected)) > 1, "the pictures make no difference: the test would not see them ignored"


@pytest.mark.parametrize("beams", [1, 3])
def test_captions_do_not_depend_on_the_batch_size(
    family: tuple[str, type[LocalCaptioner], Path], beams: int, pictures: list[Path]
) -> None:
    _, captioner, checkpoint = family
    options = captioner(str(checkpoint), max_new_tokens=NEW_TOKENS, num_beams=beams)
    whole = caption(options, "a photo of", pictures)
    assert [caption(options, "a photo of", pictures, batch) for batch in (1, 2, 4)] == [whole] * 3


def test_length_limits_are_of_the_caption_alone(
    family: tuple[str, type[LocalCaptioner], Path], pictures: list[Path]
) -> None:
    _, captioner, checkpoint = family
    options = captioner(str(checkpoint), min_new_tokens=7, max_new_tokens=7, num_beams=2)
    for prompt in PROMPTS:
        with options.open(Prompt("test", prompt)) as session:
            answers = session.caption([session.prepare(Item("0", pictures[0]))])
        reply = answers[0] if isinstance(answers[0], Reply) else answers[0].reply
        assert reply is not None
        assert (reply.output_tokens, reply.finish_reason) == (7, "length")


def test_the_checkpoints_own_generation_options_change_nothing(
    family: tuple[str, type[LocalCaptioner], Path], pictures: list[Path], tmp_path: Path
) -> None:
    _, captioner, checkpoint = family
    plain = caption(captioner(str(checkpoint), max_new_tokens=6), "", pictures)
    other = tmp_path / "checkpoint"
    shutil.copytree(checkpoint, other)
    model = captioner(str(other))
    with model.open(Prompt("none")) as session:
        generation = session.model.generation_config
    generation.max_length, generation.repetition_penalty, generation.num_beams = 5, 3.0, 4
    generation.save_pretrained(other)
    assert caption(captioner(str(other), max_new_tokens=6), "", pictures) == plain


def test_other_image_sizes(family: tuple[str, type[LocalCaptioner], Path], pictures: list[Path]) -> None:
    _, captioner, checkpoint = family
    with captioner(str(checkpoint), image_size=48, max_new_tokens=5).open(Prompt("none")) as session:
        prepared = session.prepare(Item("0", pictures[0]))
        assert prepared.shape == (3, 48, 48)
        assert len(session.caption([prepared])) == 1


def test_nothing_said_is_an_outcome(
    git_checkpoint: Path, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with GIT(str(git_checkpoint)).open(Prompt("none")) as session:
        end = session.tokenizer.sep_token_id
        monkeypatch.setattr(
            session.model,
            "generate",
            lambda input_ids, **_: torch.cat([input_ids, input_ids * 0 + end], dim=1),
        )
        (answer,) = session.caption([session.prepare(Item("0", pictures[0]))])
    assert isinstance(answer, CaptionError)
    assert answer.outcome is Outcome.EMPTY


def test_options_pickle(git_checkpoint: Path) -> None:
    options = GIT(str(git_checkpoint), num_beams=2)
    assert pickle.loads(pickle.dumps(options)) == options


def test_memory_that_does_not_suffice(
    git_checkpoint: Path, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with GIT(str(git_checkpoint)).open(Prompt("none")) as session:
        prepared = [session.prepare(Item("0", pictures[0]))]
        for error in (
            torch.OutOfMemoryError("CUDA out of memory"),
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        ):

            def fail(error: Exception = error, **_: object) -> None:
                raise error

            monkeypatch.setattr(session.model, "generate", fail)
            with pytest.raises(OutOfMemory):
                session.caption(prepared)
        monkeypatch.setattr(session.model, "generate", lambda **_: [][0])
        with pytest.raises(IndexError):
            session.caption(prepared)


def test_pictures_that_cannot_be_had(git_checkpoint: Path, tmp_path: Path) -> None:
    with GIT(str(git_checkpoint)).open(Prompt("none")) as session:
        with pytest.raises(ImageError):
            session.prepare(Item("7", tmp_path / "absent.jpg"))
        with pytest.raises(CaptionError, match=r"image 7 .* data\.images=DIR"):
            session.prepare(Item("7", None))


@pytest.mark.parametrize("prompt", [Prompt("p", system="be brief"), Prompt("p", shots=("a dog",))])
def test_what_a_family_has_no_place_for(prompt: Prompt) -> None:
    with pytest.raises(ConfigError, match=r"prompt\.(system|shots): GIT takes a text prefix only"):
        GIT("anything").check(prompt, [])


def test_a_checkpoint_that_does_not_exist(tmp_path: Path) -> None:
    for name in ("no-such/checkpoint", str(tmp_path / "absent"), str(tmp_path)):
        with (
            pytest.raises(ModelError, match=r"model\.checkpoint: .* cannot be loaded") as raised,
            GIT(name).open(Prompt("none")),
        ):
            pass
        assert name in str(raised.value)


def test_a_checkpoint_of_another_family(blip_checkpoint: Path) -> None:
    with (
        pytest.raises(ModelError, match="is a 'blip' checkpoint, and GIT loads git"),
        GIT(str(blip_checkpoint)).open(Prompt("none")),
    ):
        pass


def test_a_checkpoint_without_a_captioners_weights(git_checkpoint: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "half"
    shutil.copytree(git_checkpoint, folder)
    weights = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in weights.items() if "image_encoder" in name}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with (
        pytest.raises(ModelError, match=r"lacks \d+ of the model's weights"),
        GIT(str(folder)).open(Prompt("none")),
    ):
        pass


def test_weights_that_can_carry_code(git_checkpoint: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    folder = tmp_path / "pickled"
    shutil.copytree(git_checkpoint, folder)
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    with (
        pytest.raises(ModelError, match=r"model\.safetensors_only=false"),
        GIT(str(folder)).open(Prompt("none")),
    ):
        pass
    with GIT(str(folder), safetensors_only=False).open(Prompt("none")):
        pass


def test_code_that_a_checkpoint_brings_is_not_run(
    git_checkpoint: Path, tmp_path: Path, edited: Callable[[Path, Path, dict[str, object]], Path]
) -> None:
    marker = tmp_path / "ran"
    folder = edited(
        git_checkpoint, tmp_path / "coded", {"model_type": "mine", "auto_map": {"AutoConfig": "code.Config"}}
    )
    (folder / "code.py").write_text(f"open({str(marker)!r}, 'w')\n")
    with (
        pytest.raises(ModelError, match=r"model\.trust_remote_code=true"),
        GIT(str(folder)).open(Prompt("none")),
    ):
        pass
    assert not marker.exists()


def test_checkpoints_saved_by_an_old_transformers(
    blip2_checkpoint: Path, tmp_path: Path, edited: Callable[[Path, Path, dict[str, object]], Path]
) -> None:
    instructblip = tiny_families.instructblip(tmp_path / "instructblip")
    for checkpoint, family in ((blip2_checkpoint, BLIP2), (instructblip, PlainPrompt)):
        without = {"image_token_index": None, "image_token_id": None}
        folder = edited(checkpoint, tmp_path / family.__name__, without)
        with (
            pytest.raises(ModelError, match="without image_token_index"),
            family(str(folder)).open(Prompt("p", "a photo of")),
        ):
            pass


@pytest.mark.parametrize("prompt", ["a photo of " * 100, ""])
def test_more_tokens_than_the_model_has_places_for(git_checkpoint: Path, prompt: str) -> None:
    with (
        pytest.raises(ConfigError, match=r"prompt: it has \d+ tokens, and .* reads and writes 1024 at most"),
        GIT(str(git_checkpoint), max_new_tokens=1024).open(Prompt("p", prompt)),
    ):
        pass


def test_a_checkpoint_of_the_hub_is_known_by_its_commit(
    git_checkpoint: Path, pictures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "models--somebody--git-base-coco"
    shutil.copytree(git_checkpoint, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with GIT("somebody/git-base-coco", max_new_tokens=NEW_TOKENS).open(Prompt("none")) as session:
        assert session.version == commit
        (hub,) = said(session.caption([session.prepare(Item("0", pictures[0]))]))
    with GIT(str(git_checkpoint), max_new_tokens=NEW_TOKENS).open(Prompt("none")) as session:
        assert session.version == "local"
        assert said(session.caption([session.prepare(Item("0", pictures[0]))])) == [hub]
