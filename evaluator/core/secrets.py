r"""Secrets: keys, passwords and tokens, which no file of a run may hold, however they are written.

A known key is found as it is, in capitals, with JSON's, HTML's or URLs' escapes, and in base64 or hexadecimal
digits. Keys that are not known are found by their shape, and credentials by their place in an address.

    >>> secrets = Secrets(("correct-horse-1234",))
    >>> secrets.scrubbed(r"the key \u0063orrect-horse-1234 is wrong")
    'the key *** is wrong'
    >>> secrets.kind_of_secret("http://ada:secret@example.com/v1")
    'a user or password in an address'
    >>> secrets.kind_of_secret("a dog on a bench")
    ''
"""

from __future__ import annotations

import base64
import html
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, BinaryIO
from urllib.parse import unquote

from evaluator.core.errors import StoreError
from evaluator.core.values import Caption, Reply

MASK = "***"
# What is shorter is no secret, and would be found in ordinary words.
SHORTEST_KEY = 8
BYTES_AT_ONCE = 16_000_000
# The usual shapes of keys. A word has no digits, and no name is as long as a key.
SHAPES = re.compile(
    r"""
      (?<![\w-]) (?: sk | pk | rk ) [-_] (?: (?=[\w-]*\d) [\w-]{12,} | [\w-]{32,} )
    | (?<!\w) AIza [\w-]{20,}                                                        # Google
    | (?<!\w) ya29\. [\w-]{20,}
    | (?<!\w) (?: AKIA | ASIA ) [A-Z0-9]{12,}                                        # Amazon
    | (?<!\w) (?: gh[opsur]_ | github_pat_ | glpat- | hf_ | gsk_ | xai- | r8_ | nvapi- | pplx- ) \w{20,}
    | (?<!\w) xox[abeprs]- [\w-]{10,}                                                # Slack
    | (?<!\w) eyJ [\w-]{10,} \. [\w-]{10,} \. [\w-]{10,}                             # JSON Web Token
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----
    | (?i: (?<!\w) bearer (?: \s | %20 | \+ )+ (?=\S*\d) [\w.~+/=-]{12,} )
    | (?i: (?<!\w) basic \ + [A-Z0-9+/]{8,} ={1,2} )
    """,
    re.VERBOSE | re.ASCII,
)
# In small letters: what each of them begins with, which is faster to look for.
SHAPE_BEGINNINGS = (
    *(
        "sk-",
        "sk_",
        "pk-",
        "pk_",
        "rk-",
        "rk_",
        "aiza",
        "ya29.",
        "akia",
        "asia",
        "ghp_",
        "gho_",
        "ghs_",
        "ghu_",
    ),
    *("ghr_", "github_pat_", "glpat-", "hf_", "gsk_", "xai-", "r8_", "nvapi-", "pplx-", "xox", "eyj"),
    *("-----begin", "bearer", "basic "),
)
USER = re.compile(r"(?i)(?<=://)[^\s/?#@\"'<>\\]{1,300}@")
QUERY = re.compile(
    r"(?i)(?<=[?&#;])(?:[\w-]{0,30}[_-])?"
    r"(?:api[_-]?key|key|token|secret|password|passwd|pwd|signature|sig|auth|authorization|credentials?)"
    r"=[^\s&#;\"'<>]+"
)
# Options and headers that hold a secret, whatever it looks like.
SECRET_NAMES = re.compile(
    r"(?i)(?:.*[_-])?(?:(?:api|access|secret|private|auth|subscription)[_-]?key"
    r"|(?:api|access|auth|bearer|refresh|session)[_-]?token|secret|password|passwd|authorization|credentials?)"
)
# These hold one where it looks so: `key: caption` and `stop_token: "."` are ordinary.
DOUBTFUL_NAMES = re.compile(r"(?i)(?:.*[_-])?(?:key|token)")
SECRET_VARIABLE = re.compile(
    r"(?i)\w*(?:key|token|secret|password|passwd|credentials?)"
    r"|(?:.*_)?(?:key|token|secret|password|passwd|credentials?)_.*"
)
ESCAPED = re.compile(r"\\+(?:u00|x)([0-9a-fA-F]{2})|\\+([^\w\s])")


@dataclass(frozen=True)
class Secrets:
    """The keys that are known here. One of fewer than 8 characters is not looked for."""

    keys: tuple[str, ...] = ()

    def scrubbed(self, text: str) -> str:
        """The text with *** in place of each secret."""
        if len(text) < SHORTEST_KEY:
            return text
        if self._may_hold_key(text):
            text = self._pattern.sub(MASK, text)
        if "://" in text:
            text = QUERY.sub(lambda found: f"{found[0].partition('=')[0]}={MASK}", USER.sub(f"{MASK}@", text))
        return SHAPES.sub(MASK, text) if _may_hold_shape(text) else text

    def kind_of_secret(self, text: str) -> str:
        """What kind of secret the text holds, in words; empty where it holds none."""
        return next((kind for form in _unescaped(text) if (kind := self._kind(form))), "")

    def found_in(self, document: Any) -> str:
        """The first place in a document of plain values that holds a secret, and its kind; else empty."""
        for path, value in _leaves(document, ""):
            if kind := self.kind_of_secret(value):
                return f"{path}: {kind}" if path else kind
            name = path.rpartition(".")[2]
            doubtful = DOUBTFUL_NAMES.fullmatch(name) and _looks_random(value)
            if value and (doubtful or SECRET_NAMES.fullmatch(name)):
                return f"{path}: a value that belongs into an environment variable"
        return ""

    def holds_key(self, text: str) -> bool:
        """Whether the text holds one of the known keys, as it is or escaped."""
        return self._may_hold_key(text) and bool(self._pattern.search(text))

    def plainly_in(self, content: bytes) -> bool:
        """Whether the bytes of a file hold a known key, in base64 and in hexadecimal digits, too."""
        if not self._secret_keys:
            return False
        lowered = content.lower()
        return any(form.encode() in lowered for form in self._forms)

    @property
    def longest_form(self) -> int:
        """The bytes of the longest that `plainly_in` looks for; 0 where no key is known."""
        return max((len(form.encode()) for form in self._forms), default=0)

    def _kind(self, text: str) -> str:
        if self.holds_key(text):
            return "an API key, or what an environment variable named like one holds"
        if "://" in text and (found := USER.search(text)) and MASK not in found[0]:
            return "a user or password in an address"
        if "://" in text and (found := QUERY.search(text)) and MASK not in found[0]:
            return "a key in an address"
        return "what looks like an API key" if _may_hold_shape(text) and SHAPES.search(text) else ""

    def _may_hold_key(self, text: str) -> bool:
        """Whether the pattern, which takes time, can be found: a cheap look for what it cannot do without."""
        if not self._secret_keys:
            return False
        if "\\" in text or "%" in text or "&" in text:
            return True
        lowered = text.lower()
        for form in self._forms:  # noqa: SIM110  (`any` takes twice as long)
            if form in lowered:
                return True
        return False

    @cached_property
    def _secret_keys(self) -> tuple[str, ...]:
        return tuple(key for key in dict.fromkeys(self.keys) if len(key) >= SHORTEST_KEY)

    @cached_property
    def _forms(self) -> tuple[str, ...]:
        """What a key becomes without escapes, in small letters."""
        encoded = (form for key in self._secret_keys for form in (key.encode().hex(), *_in_base64(key)))
        return tuple(form.lower() for form in (*self._secret_keys, *encoded))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        plain = (f"(?i:{_escapable(key)})" for key in self._secret_keys)
        digits = (f"(?i:{key.encode().hex()})" for key in self._secret_keys)
        encoded = (form for key in self._secret_keys for form in _in_base64(key))
        # Of base64's alphabet only these are ever escaped.
        parts = (re.sub(r"[+/=_-]", lambda found: _escapable(found[0]), form) for form in encoded)
        return re.compile("|".join([*plain, *digits, *parts]))


def remember(key: str) -> None:
    """Let `known_secrets` know a key that this process uses, wherever it came from."""
    _remembered.add(key)


def known_secrets() -> Secrets:
    """The keys that this process uses, and those that the environment's variables look like holding."""
    values = (value.strip() for name, value in os.environ.items() if SECRET_VARIABLE.fullmatch(name))
    return _secrets_with(frozenset(_remembered.union(filter(_looks_random, values))))


_remembered: set[str] = set()
_secrets_with = lru_cache(8)(lambda keys: Secrets(tuple(sorted(keys))))


def refuse_known_keys(content: bytes, what: str) -> None:
    """Raises StoreError where a file would hold a known key: the last check before it is written."""
    if known_secrets().plainly_in(content):
        raise StoreError(
            f"{what} was not written: it would hold an API key of this machine. Find out how the key came "
            "into the run, perhaps by its captions or references, and replace that key with a new one"
        )


def refuse_known_keys_in(file: BinaryIO, what: str) -> None:
    """The same of an open file, which may be large."""
    longest, before = known_secrets().longest_form, b""
    while longest and (content := before + file.read(BYTES_AT_ONCE)) != before:
        refuse_known_keys(content, what)
        before = content[-longest:]


def reply_without_secrets(reply: Reply, secrets: Secrets) -> Reply:
    """The reply with every secret masked, once all its texts are joined and nothing is cut."""
    found = (reply.text, reply.model_version, reply.finish_reason)
    text, model_version, finish_reason = masked = tuple(map(secrets.scrubbed, found))
    if masked == found:
        return reply
    return replace(reply, text=text, model_version=model_version, finish_reason=finish_reason)


def caption_without_secrets(caption: Caption, secrets: Secrets) -> Caption:
    """The caption with every secret masked in its reply and its error."""
    error = secrets.scrubbed(caption.error)
    reply = caption.reply and reply_without_secrets(caption.reply, secrets)
    if reply is caption.reply and error == caption.error:
        return caption
    return replace(caption, reply=reply, error=error)


def _may_hold_shape(text: str) -> bool:
    lowered = text.lower()
    for beginning in SHAPE_BEGINNINGS:  # noqa: SIM110
        if beginning in lowered:
            return True
    return False


def _looks_random(value: str) -> bool:
    """Whether a value is a secret rather than a path, a number or a word."""
    is_one_word = re.fullmatch(r"[^\s/~.\\:][^\s\\:]{15,}", value) is not None
    return is_one_word and any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Each text in a document of mappings and lists, keys included, with its place."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield path, str(key)
            yield from _leaves(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _leaves(each, path)
    elif value is not None and not isinstance(value, bool | int | float):
        yield path, str(value)


def _unescaped(text: str) -> Iterator[str]:
    """The text, and what it becomes when its escapes are read."""
    yield text
    if "%" in text or "\\" in text or "&" in text:
        read = text
        for _ in range(3):  # escaped more than once
            read = html.unescape(unquote(ESCAPED.sub(_character, read)))
        yield read


def _character(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else escape[2]


def _escapable(text: str) -> str:
    """A pattern for the text, each of whose characters may be escaped as in JSON, HTML or an address."""
    return "".join(
        rf"(?:\\{{0,8}}{re.escape(character)}"
        rf"|\\{{1,8}}(?:u00|x)(?i:{ord(character):02x})"
        rf"|%(?:25){{0,3}}(?i:{ord(character):02x})"
        rf"|&(?:amp;)?\#(?:0{{0,4}}{ord(character)}|[xX]0{{0,4}}(?i:{ord(character):x}));?)"
        for character in text
    )


def _in_base64(key: str) -> set[str]:
    """The key in both alphabets of base64, as it may stand within a longer text.

    Its characters depend on where in a group of three bytes the key begins.
    """
    content = key.encode()
    return {
        encode(b"\0" * before + content).decode()[-(-8 * before // 6) : 8 * (before + len(content)) // 6]
        for before in range(3)
        for encode in (base64.b64encode, base64.urlsafe_b64encode)
    }
