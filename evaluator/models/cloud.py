"""What every cloud captioner shares: options, the key, pictures, the client and the meaning of failures.

A provider (gemini.py, openai_compatible.py, anthropic_claude.py) adds three things: its client, one request,
and how to read its answer. The SDKs' own retries are off: the runner alone decides what is retried.
A session opens its client at the first request, in the event loop that runs then, and is closed there.
"""

from __future__ import annotations

import importlib.util
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, TypeVar
from urllib.parse import urlsplit

from annotated_types import Ge, Gt, Le

from evaluator.core import RUNTIME_ONLY, Item, Outcome, Prompt, Reply, Usage
from evaluator.core.errors import CaptionError, ConfigError, EvaluatorError, MissingPackage, RetryableError
from evaluator.core.kinds import key_in_cache, kind_of
from evaluator.models.api_keys import api_key, redact_key
from evaluator.models.encoded_pictures import EncodedPicture, PictureRule, encode_picture
from evaluator.models.failures import Failure, failure_from_connection, failure_from_response, meaning

if TYPE_CHECKING:
    from httpx2 import Response

Client = TypeVar("Client")  # of a provider's SDK

# More than any runner has in flight: the runner alone limits the number of requests.
MAX_CONNECTIONS = 1000
# What reasoning about a picture may take before the answer, where nothing limits it.
THINKING_ROOM_TOKENS = 1024
# The providers' names by host; any other provider is called by its host.
PROVIDERS = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "gemini",
    "openrouter.ai": "openrouter",
}


@dataclass(frozen=True, kw_only=True)
class CloudCaptioner:
    """The options of every provider; `image_tokens` are the least and the most that one picture takes."""

    model: str
    base_url: str
    max_output_tokens: Annotated[int, Ge(1)]
    temperature: Annotated[float, Ge(0)] | None = None
    longest_side: Annotated[int, Ge(64)]
    jpeg_quality: Annotated[int, Ge(1), Le(95)] = 90
    image_tokens: tuple[int, int] = field(default=(0, 0), metadata=RUNTIME_ONLY)
    timeout_seconds: Annotated[float, Gt(0)] = field(default=120.0, metadata=RUNTIME_ONLY)
    key_variable: str | None = field(default=None, metadata=RUNTIME_ONLY)
    key_page: str = field(default="", metadata=RUNTIME_ONLY)
    env_file: Path | None = field(default=None, metadata=RUNTIME_ONLY)

    package: ClassVar[str]  # the name to import
    extra: ClassVar[str]
    media_types: ClassVar[tuple[str, ...]] = ("image/jpeg", "image/png", "image/webp")
    max_bytes: ClassVar[int]
    session: ClassVar[type[CloudSession[Any]]]

    def key(self) -> str:
        return api_key(self.key_variable, self.key_page, self.env_file)

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        """A warning where the prompt is empty. Raises an error for a missing package, address or key."""
        if not is_installed(self.package):
            raise MissingPackage(self.package, self.extra)
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ConfigError(f"model.base_url: {self.base_url!r} is not an address such as https://host/v1")
        if address.username or address.password or address.query:
            raise ConfigError(
                "model.base_url must not contain a user, a password or a key; see model.key_variable"
            )
        self.key()
        if request_text(prompt):
            return ()
        return ("the prompt is empty, so a chat model may answer anything. Type prompt=one-sentence",)

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[CloudSession[Any]]:
        yield self.session(self, prompt, self.key())

    def usage(self, prompt: Prompt) -> Usage:
        """A token is at least one byte of text, and seldom more than eight."""
        text = prompt.system + request_text(prompt)
        fewest, most = math.ceil(len(text) / 8), len(text.encode()) + 32
        image_fewest, image_most = self.image_tokens
        output = (min(5, self.max_output_tokens), self.max_output_tokens)
        provider = PROVIDERS.get(host := urlsplit(self.base_url).hostname or "", host)
        return Usage(self.model, (image_fewest + fewest, image_most + most), output, provider)


class CloudSession(ABC, Generic[Client]):
    """An open cloud captioner."""

    cut_off: ClassVar[tuple[str, ...]]  # the finish reasons of an answer that reached the limit of tokens

    def __init__(self, captioner: CloudCaptioner, prompt: Prompt, key: str) -> None:
        self.captioner, self.prompt, self.secret = captioner, prompt, key
        self.text = request_text(prompt)
        self.rule = PictureRule(
            captioner.media_types, captioner.longest_side, captioner.max_bytes, captioner.jpeg_quality
        )
        self._client: Client | None = None
        self._mixed_up: list[Client] = []
        self._seen: set[str] = set()

    @abstractmethod
    def connect(self) -> Client:
        """The client, its own retries off."""

    @abstractmethod
    async def disconnect(self, client: Client) -> None:
        """Close what `connect` opened."""

    @abstractmethod
    async def request(self, client: Client, picture: EncodedPicture) -> str:
        """One request; the body of its answer."""

    @abstractmethod
    def failure(self, error: Exception) -> Failure | None:
        """The failure that an exception of the SDK stands for; None for a mistake in this program."""

    @abstractmethod
    def read(self, answer: Mapping[str, Any]) -> Reply:
        """The reply in an answer. Raises CaptionError where a filter or an unknown reason ended it."""

    def prepare(self, item: Item) -> EncodedPicture:
        return encode_picture(item, self.rule)

    def cache_key(self, prepared: EncodedPicture) -> Mapping[str, Any]:
        return {"picture": prepared.digest, **self.key_of_all_pictures}

    @cached_property
    def key_of_all_pictures(self) -> Mapping[str, Any]:
        """What decides an answer besides the picture."""
        options = [option.name for option in fields(self.captioner) if option.metadata.get("identity", True)]
        return {
            "rule": self.rule.text,
            "backend": key_in_cache(kind_of(self.captioner)),
            "prompt": [self.prompt.system, self.text],
            **{name: getattr(self.captioner, name) for name in options},
        }

    async def ask(self, prepared: EncodedPicture) -> Reply:
        if self._client is None:
            self._client = self.connect()
        try:
            body = await self.request(self._client, prepared)
        except Exception as error:
            failure = self.failure(error)
            if failure is None:
                raise
            raise self.error(failure) from None  # the SDK's exception holds the request, and with it the key
        # Before any part of it is used: a proxy may send the request's headers back.
        body = redact_key(body, self.secret)
        answer = parse_object(body)
        # Google has a `responseId`. Some local servers draw ids from a thousand, so the time is a part of it.
        if answer_id := answer.get("id") or answer.get("responseId"):
            identity = f"{answer_id} {answer.get('created')}"
            if identity in self._seen:
                # The connection delivers answers to the wrong requests: it must not be used again.
                self._mixed_up.append(self._client)
                self._client = None
                raise RetryableError("the answer to another request was delivered twice", "duplicate answer")
            self._seen.add(identity)
        try:
            reply = self.read(answer)
        except (AttributeError, TypeError, LookupError):
            raise RetryableError(
                f"the answer does not have the expected form: {body[:200]!r}", "malformed answer"
            ) from None
        cut_off = reply.finish_reason in self.cut_off
        if not reply.text:
            raise empty_reply_error(reply, self.captioner.max_output_tokens, cut_off)
        if cut_off:
            message = f"cut off after {reply.output_tokens} tokens ({reply.finish_reason})"
            raise CaptionError(Outcome.TRUNCATED, message, reply)
        return reply

    def error(self, failure: Failure) -> EvaluatorError:
        """The error for a failure, without the key."""
        server, variable = self.captioner.base_url, self.captioner.key_variable
        page = f", see {self.captioner.key_page}" if self.captioner.key_page else ""
        key = f"the key is in {variable}{page}; " if variable else ""
        # Before the message is shortened, which could leave a part of the key.
        message = redact_key(failure.message, self.secret)
        if not failure.status:  # no response: the address may be wrong, or the server is down
            message = f"{message} ({server})"
        failure = replace(failure, message=message)
        error = meaning(failure, f"{key}the model is {self.captioner.model!r} at {server}")
        error.args = (redact_key(str(error), self.secret),)
        return error

    async def close(self) -> None:
        """Call it in the event loop of the requests."""
        clients, self._client, self._mixed_up = [*self._mixed_up, self._client], None, []
        for client in clients:
            if client is not None:
                await self.disconnect(client)


class GeneratedSDK(CloudSession[Client]):
    """What the SDKs of OpenAI and Anthropic share: the same generator makes both."""

    client_name: ClassVar[str]
    no_key: ClassVar[str] = ""  # what the SDK gets where there is no key

    def connect(self) -> Client:
        import httpx2

        sdk = importlib.import_module(self.captioner.package)
        limits = httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS)
        client: Client = getattr(sdk, self.client_name)(
            api_key=self.secret or self.no_key,
            base_url=self.captioner.base_url,
            timeout=self.captioner.timeout_seconds,
            max_retries=0,
            http_client=sdk.DefaultAsyncHttpxClient(limits=limits),
        )
        return client

    async def disconnect(self, client: Any) -> None:
        await client.close()

    def failure(self, error: Exception) -> Failure | None:
        import httpx2

        sdk = importlib.import_module(self.captioner.package)
        if isinstance(error, sdk.APIStatusError):
            return failure_from_response(error.response)
        if isinstance(error, sdk.APIConnectionError | httpx2.HTTPError):
            timed_out = isinstance(error, sdk.APITimeoutError | httpx2.TimeoutException)
            return failure_from_connection(error, timed_out)
        return None


def is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # the parent is missing: `google` of google.genai
        return False


def parse_object(body: str) -> Mapping[str, Any]:
    """The JSON object in the body of an answer, whatever its content type. Raises RetryableError."""
    if body.lstrip().startswith("<"):
        raise RetryableError("a web page instead of an answer: is model.base_url right?", "not an API")
    try:
        answer = json.loads(body)
    except ValueError:
        problem = "JSON"
    else:
        if isinstance(answer, Mapping):
            return answer
        problem = "a JSON object"
    raise RetryableError(f"the answer is not {problem}: it begins with {body[:40]!r}", "malformed answer")


def text_of(response: Response) -> str:
    """The body of a response; JSON is UTF-8 whatever its content type says (RFC 8259, section 8.1)."""
    return response.content.decode("utf-8", "replace")


def request_text(prompt: Prompt) -> str:
    """The prompt's text, followed by example captions, if any."""
    if not prompt.shots:
        return prompt.text
    shots = "\n".join(f"- {shot}" for shot in prompt.shots)
    return f"{prompt.text}\n\nCaptions of other images, as examples of the style:\n{shots}".strip()


def empty_reply_error(reply: Reply, limit: int, cut_off: bool) -> CaptionError:
    """The error for a reply without text: most often reasoning used up all the tokens."""
    message = f"the answer is empty ({reply.finish_reason})"
    if cut_off:
        reasoning = f", {reply.reasoning_tokens} of them for reasoning" if reply.reasoning_tokens else ""
        message += (
            f": it was cut off after {reply.output_tokens} tokens{reasoning}. Let the model reason less, "
            f"or type model.max_output_tokens={max(2048, 4 * limit)}"
        )
    return CaptionError(Outcome.EMPTY, message, reply)
