"""What every cloud captioner shares: its options, the key, the picture, the client and what failures mean.

A provider (gemini.py, openai_compatible.py, anthropic_claude.py) adds three things: its client, one request,
and how its answer reads. The SDKs' own retries are off: the runner alone decides what is asked again.
A session makes its client at the first request, in the event loop that is running then, and is closed there.

    evaluator run model=claude-sonnet prompt=one-sentence data=coco ...
"""

from __future__ import annotations

import importlib.util
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from annotated_types import Ge, Gt, Le

from evaluator.core import NOT_IDENTITY, Item, Outcome, Prompt, Reply, Usage
from evaluator.core.errors import CaptionError, ConfigError, EvaluatorError, MissingPackage, RetryableError
from evaluator.core.kinds import key_in_cache, kind_of
from evaluator.models.api_keys import api_key, without_key
from evaluator.models.encoded_pictures import EncodedPicture, PictureRule, encode_picture
from evaluator.models.failures import Failure, meaning

# More than any runner has in flight: the number of requests is the runner's to limit.
MOST_CONNECTIONS = 1000
# What a model may think about a picture before it answers, where nothing limits it.
THINKING_ROOM_TOKENS = 1024
# What the provider at an address is called; one that is not here is called by its host.
PROVIDERS = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "gemini",
    "openrouter.ai": "openrouter",
}


@dataclass(frozen=True, kw_only=True)
class CloudCaptioner(ABC):
    """Options that every provider has; `image_tokens` are what one picture takes, at least and at most."""

    model: str
    base_url: str
    max_output_tokens: Annotated[int, Ge(1)]
    temperature: Annotated[float, Ge(0)] | None = None
    longest_side: Annotated[int, Ge(64)]
    jpeg_quality: Annotated[int, Ge(1), Le(95)] = 90
    image_tokens: tuple[int, int] = field(default=(0, 0), metadata=NOT_IDENTITY)
    timeout_seconds: Annotated[float, Gt(0)] = field(default=120.0, metadata=NOT_IDENTITY)
    key_variable: str | None = field(default=None, metadata=NOT_IDENTITY)
    key_page: str = field(default="", metadata=NOT_IDENTITY)
    env_file: Path | None = field(default=None, metadata=NOT_IDENTITY)

    package: ClassVar[str]  # as it is imported
    extra: ClassVar[str]
    media_types: ClassVar[tuple[str, ...]]
    max_bytes: ClassVar[int]

    @abstractmethod
    def session(self, prompt: Prompt, key: str) -> CloudSession:
        """What asks."""

    @property
    def rule(self) -> PictureRule:
        return PictureRule(self.media_types, self.longest_side, self.max_bytes, self.jpeg_quality)

    @property
    def provider(self) -> str:
        host = urlsplit(self.base_url).hostname or ""
        return PROVIDERS.get(host, host)

    def key(self) -> str:
        return api_key(self.key_variable, self.key_page, self.env_file)

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        """The package, the address and the key must be there; an empty prompt is worth a warning."""
        if not is_installed(self.package):
            raise MissingPackage(self.package, self.extra)
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ConfigError(f"model.base_url: {self.base_url!r} is no address such as https://host/v1")
        if address.username or address.password or address.query:
            raise ConfigError(
                "model.base_url: no user, password or key may stand in it; see model.key_variable"
            )
        self.key()
        if request_text(prompt):
            return ()
        return ("the prompt is empty, and a chat model then says what it likes. Type prompt=one-sentence",)

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[CloudSession]:
        yield self.session(prompt, self.key())

    def usage(self, prompt: Prompt) -> Usage:
        """A token is at least a byte of text, and seldom more than eight."""
        text = prompt.system + request_text(prompt)
        fewest, most = math.ceil(len(text) / 8), len(text.encode()) + 32
        image_fewest, image_most = self.image_tokens
        output = (min(5, self.max_output_tokens), self.max_output_tokens)
        return Usage(self.model, (image_fewest + fewest, image_most + most), output, self.provider)


class CloudSession(ABC):
    """An open cloud captioner."""

    def __init__(self, captioner: CloudCaptioner, prompt: Prompt, key: str) -> None:
        self.captioner, self.prompt, self.secret = captioner, prompt, key
        self._client: Any = None
        self._mixed_up: list[Any] = []
        self._seen: set[str] = set()

    @abstractmethod
    def connect(self) -> Any:
        """The client, its own retries off."""

    @abstractmethod
    async def request(self, client: Any, picture: EncodedPicture) -> str:
        """One request; the body of its answer."""

    @abstractmethod
    def failure(self, error: Exception) -> Failure | None:
        """What an exception of the SDK says; None for one that is a mistake of ours."""

    @abstractmethod
    def read(self, answer: Mapping[str, Any]) -> Reply:
        """The reply that an answer is. Raises CaptionError where it holds no caption."""

    @abstractmethod
    def number(self, answer: Mapping[str, Any]) -> str:
        """What the provider calls this one answer; empty where it does not."""

    @abstractmethod
    async def disconnect(self, client: Any) -> None:
        """Close what `connect` opened."""

    def prepare(self, item: Item) -> EncodedPicture:
        return encode_picture(item, self.captioner.rule)

    def cache_key(self, prepared: EncodedPicture) -> Mapping[str, Any]:
        options = {
            option.name: getattr(self.captioner, option.name)
            for option in fields(self.captioner)
            if option.metadata.get("identity", True)
        }
        return {
            "picture": prepared.digest,
            "rule": self.captioner.rule.text,
            "backend": key_in_cache(kind_of(self.captioner)),
            "prompt": [self.prompt.system, request_text(self.prompt)],
            **options,
        }

    async def ask(self, prepared: EncodedPicture) -> Reply:
        if self._client is None:
            self._client = self.connect()
        try:
            body = await self.request(self._client, prepared)
        except Exception as error:
            found = self.failure(error)
            if found is None:
                raise
            raise self.error(found) from None  # the SDK's exception holds the request, and with it the key
        # Before anything is cut out of it: a proxy may send the request's headers back.
        body = without_key(body, self.secret)
        answer = parsed(body)
        if (number := self.number(answer)) and number in self._seen:
            # The connection gives one request's answer to another: no further request may go over it.
            self._mixed_up.append(self._client)
            self._client = None
            raise RetryableError("the answer to another request came a second time", "duplicate answer")
        self._seen.add(number)
        try:
            return self.read(answer)
        except (AttributeError, TypeError, LookupError):
            raise RetryableError(f"the answer has another form: {body[:200]!r}", "malformed answer") from None

    def error(self, found: Failure) -> EvaluatorError:
        """What a failure means, without the key."""
        server, variable = self.captioner.base_url, self.captioner.key_variable
        page = f", see {self.captioner.key_page}" if self.captioner.key_page else ""
        key = f"the key is in {variable}{page}; " if variable else ""
        # Before it is cut to its length, which could leave a part of the key.
        found = replace(found, message=without_key(found.message, self.secret))
        if not found.status:  # nobody answered: it may be the wrong address, or nobody there
            found = replace(found, message=f"{found.message} ({server})")
        error = meaning(found, f"{key}the model is {self.captioner.model!r} at {server}")
        error.args = (without_key(str(error), self.secret),)
        return error

    async def close(self) -> None:
        """To be called in the event loop that the requests were made in."""
        clients, self._client, self._mixed_up = [*self._mixed_up, self._client], None, []
        for client in clients:
            if client is not None:
                await self.disconnect(client)


def is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # of google.genai not even google is there
        return False


def parsed(body: str) -> Mapping[str, Any]:
    """The JSON object that an answer must be, whatever its content type says. Raises RetryableError."""
    try:
        answer = json.loads(body)
    except ValueError:
        if body.lstrip().startswith("<"):
            raise RetryableError(
                "a web page instead of an answer: is model.base_url right?", "not an API"
            ) from None
        raise RetryableError(
            f"the answer is not JSON: it begins with {body[:40]!r}", "malformed answer"
        ) from None
    if not isinstance(answer, Mapping):
        raise RetryableError(
            f"the answer is no JSON object: it begins with {body[:40]!r}", "malformed answer"
        )
    return answer


def request_text(prompt: Prompt) -> str:
    """The prompt's text, and the captions that are examples of what is wanted.

    >>> print(request_text(Prompt("two", "Describe it.", shots=("a dog", "two cats"))))
    Describe it.
    <BLANKLINE>
    Captions of other images, as examples of the style:
    - a dog
    - two cats
    """
    if not prompt.shots:
        return prompt.text
    shots = "\n".join(f"- {shot}" for shot in prompt.shots)
    return f"{prompt.text}\n\nCaptions of other images, as examples of the style:\n{shots}".strip()


def without_text(reply: Reply, limit: int, cut_off: bool) -> CaptionError:
    """The error for a reply that says nothing: most often thinking took all the tokens there were."""
    if not cut_off:
        return CaptionError(Outcome.EMPTY, f"the answer is empty ({reply.finish_reason})", reply)
    thought = f", {reply.reasoning_tokens} of them spent on thinking" if reply.reasoning_tokens else ""
    return CaptionError(
        Outcome.EMPTY,
        f"the answer is empty ({reply.finish_reason}): it was cut off after {reply.output_tokens} tokens"
        f"{thought}. Let the model think less, or type model.max_output_tokens={max(2048, 4 * limit)}",
        reply,
    )
