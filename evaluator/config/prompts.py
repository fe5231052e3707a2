r"""A prompt is text, not syntax: prompts that are typed, read from a file, or given as `prompt.text=`.

>>> OwnPrompt('Describe this, in "one" sentence: {short}').overrides
['prompt=own', 'prompt.text=\'Describe this, in "one" sentence: {short}\'']
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluator.config.compose import quoted
from evaluator.config.identity import short_hash
from evaluator.core.errors import ConfigError

OWN = "own"  # the choice in conf/prompt/ that stands for a text of the user's
LABEL_LENGTH = 40  # characters
# An option that is a text: whatever follows its `=` is the text. The devices 0,1 are no two runs, but a list
# in brackets is one.
TEXT_OPTION = re.compile(r"(\+{0,2}(?:prompt\.(?:text|system)|runner\.devices(?==[^\[])))=(.*)", re.DOTALL)
QUOTED = r"""(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""


@dataclass(frozen=True)
class OwnPrompt:
    """A text of the user's, and the name of the file that it comes from."""

    text: str
    name: str = OWN

    @property
    def overrides(self) -> list[str]:
        """The same prompt as options."""
        named = [] if self.name == OWN else [f"prompt.name={quoted(self.name)}"]
        return [f"prompt={OWN}", *named, f"prompt.text={quoted(self.text)}"]


def typed_prompt(text: str) -> OwnPrompt:
    """Raises ConfigError for a text that is empty or is not Unicode."""
    return OwnPrompt(_checked(text, "--prompt"))


def prompt_from_file(path: Path) -> OwnPrompt:
    """The text of a UTF-8 file without its final line break, under the file's name without its ending."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: byte {error.start} is not UTF-8. Save the file as UTF-8 in your editor"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    return OwnPrompt(_checked(re.sub(r"\r?\n\Z", "", text), str(path)), path.stem)


def _checked(text: str, where: str) -> str:
    if not text.strip():
        raise ConfigError(f"{where}: the prompt is empty. Type prompt=none for no prompt")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        character = ascii(text[error.start])
        raise ConfigError(f"{where}: character {error.start + 1}, {character}, is not Unicode text") from None
    return text


def with_literal_texts(overrides: Sequence[str]) -> list[str]:
    """The overrides with the options that are only text in Hydra's quotes.

    A value in quotes of its own is taken without them, as Hydra does.

    >>> with_literal_texts(["model=git", "prompt.text=a dog, or a cat?", "prompt.text='a dog'"])
    ['model=git', "prompt.text='a dog, or a cat?'", "prompt.text='a dog'"]
    >>> with_literal_texts(["runner.devices=0,1", "runner.devices=[0,1]"])
    ["runner.devices='0,1'", 'runner.devices=[0,1]']
    """
    return [_with_literal_text(override) for override in overrides]


def _with_literal_text(override: str) -> str:
    match = TEXT_OPTION.fullmatch(override)
    if match is None:
        return override
    option, text = match.groups()
    if re.fullmatch(QUOTED, text, re.DOTALL):
        return override
    if re.fullmatch(rf"{QUOTED}(?:\s*,\s*{QUOTED})+", text, re.DOTALL):
        raise ConfigError(
            f"{override}: this may be one prompt or several. Type each of several as --prompt TEXT, "
            "and one with quotes and commas also as --prompt TEXT"
        )
    return f"{option}={quoted(text)}"


def prompt_label(choice: str, prompt: Any, overrides: Sequence[str]) -> str:
    """What tables call a prompt: its choice, its file, or the beginning of a text that was typed."""
    if choice == OWN and prompt.name != OWN:
        return str(prompt.name)
    is_typed = any(re.match(r"\+{0,2}prompt\.text=", override) for override in overrides)
    return beginning(prompt.text) if is_typed and prompt.text else choice


def beginning(text: str) -> str:
    """The text on one line. A long one is cut, and six digits tell it from others that begin alike.

    >>> beginning("Describe  this image."), beginning("Describe this image for somebody who is blind.")
    ('Describe this image. a21281', 'Describe this image for… 5c9c59')
    """
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if plain == text and len(plain) <= LABEL_LENGTH:
        return plain
    if len(plain) > LABEL_LENGTH:
        start = plain[: LABEL_LENGTH - 8]
        plain = (start[: start.rfind(" ")] if " " in start[12:] else start) + "…"
    return f"{plain} {short_hash(text)}"


def folder_part(choice: str, label: str) -> str:
    """What the name of a run folder says of the prompt: its choice, or the first words of its label.

    >>> [folder_part("own", label) for label in ("Describe this image, please", "v2", "?")]
    ['describe-this-image', 'v2', 'own']
    """
    if choice != OWN:
        return choice
    words = re.findall(r"[a-z0-9]+", label.lower())
    while len("-".join(words)) > 24:
        words.pop()
    return "-".join(words) or OWN


def prompt_folder_parts(label: str, name: str | None) -> list[str]:
    """What the name of a run folder may say of a prompt that tables call `label`."""
    return [label, folder_part(OWN, label), *([name] if name else [])]


def names_a_prompt(overrides: Sequence[str], swept: Mapping[str, str]) -> bool:
    """Whether the prompt was chosen, by what is typed or by an experiment's sweep."""
    return "prompt" in swept or any(re.match(r"\+{0,2}prompt[.=@]", override) for override in overrides)
