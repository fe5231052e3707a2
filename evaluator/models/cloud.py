"""What every cloud captioner shares: options, the key, pictures, the client and the meaning of failures.

A provider (gemini.py, openai_compatible.py, anthropic_claude.py) adds three things: its client, one request,
and how to read its answer. The SDKs' own retries are off: the runner alone decides what is retried.
A session opens its client at the first request, in the event loop that runs then, and is closed there.
"""

from __future__ import annotations

import importlib.util
import logging
import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, TypeVar
from urllib.parse import urlsplit

from annotated_types import Ge, Gt, Le

from evaluator.core import RUNTIME_ONLY, Item, Outcome, Prompt, PromptForm, Question, Reply, Usage
from evaluator.core.errors import (
    CaptionError,
    ConfigError,
    EvaluatorError,
    MissingPackage,
    ModelError,
    RetryableError,
)
from evaluator.core.kinds import key_in_cache, kind_of
from evaluator.core.secrets import Secrets, known_secrets, remember, reply_without_secrets
from evaluator.models.answers import WrongType, parse, whole
from evaluator.models.api_keys import api_key, check_variable
from evaluator.models.asked import Asked
from evaluator.models.encoded_pictures import PictureRule, encode_picture
from evaluator.models.failures import Failure, failure_from_body, meaning
from evaluator.models.wire import MAX_BODY_BYTES, ErrorResponse

Client = TypeVar("Client")  # of a provider's SDK

logger = logging.getLogger(__name__)

# What is kept of an answer that has not the expected form.
KEPT_CHARACTERS = 2000
# How often an image is asked about whose answers, which are billed, do not have the expected form.
MALFORMED_ANSWERS = 2
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
    recommended_prompt: str = field(default="one-sentence", metadata=RUNTIME_ONLY)
    prompt_forms: tuple[PromptForm, ...] = field(default=(), metadata=RUNTIME_ONLY)

    package: ClassVar[str]  # the name to import
    extra: ClassVar[str]
    media_types: ClassVar[tuple[str, ...]] = ("image/jpeg", "image/png", "image/webp")
    max_bytes: ClassVar[int]
    session: ClassVar[type[CloudSession[Any]]]
    answers_questions: ClassVar[bool] = (
        True  # of their own text, also without a picture, as a judge asks them
    )

    def __post_init__(self) -> None:
        """Raises ConfigError, before anything is written, for an option that may hold a secret."""
        if self.key_variable is not None:
            check_variable(self.key_variable)
        try:
            address = urlsplit(self.base_url)
            holds_more = "@" in address.netloc or address.query or address.fragment
        except ValueError:
            raise ConfigError("model.base_url is not an address such as https://host/v1") from None
        if holds_more or Secrets().kind_of_secret(self.base_url):
            raise ConfigError(
                "model.base_url must not contain a user, a password or a key; see model.key_variable"
            )

    def key(self) -> str:
        """The key; empty for a server without keys. Raises ConfigError where there is none."""
        return api_key(self.key_variable, self.key_page, self.env_file)

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        """A warning where the prompt is empty. Raises an error for a missing package, address or key."""
        if not is_installed(self.package):
            raise MissingPackage(self.package, self.extra)
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ConfigError(f"model.base_url: {self.base_url!r} is not an address such as https://host/v1")
        self.key()
        if prompt.pictured:
            raise ConfigError(
                "prompt.shots: examples with pictures are for local chat models (model=chat). Here give "
                "captions alone: prompt.shots=['a dog on a beach']"
            )
        if prompt.request:
            return ()
        return ("the prompt is empty, so a chat model may answer anything. Type prompt=one-sentence",)

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[CloudSession[Any]]:
        yield self.session(self, prompt, self.key())

    def usage(self, prompt: Prompt) -> Usage:
        """A token is at least one byte of text, and seldom more than eight."""
        text = prompt.system + prompt.request
        fewest, most = math.ceil(len(text) / 8), len(text.encode()) + 32
        image_fewest, image_most = self.image_tokens
        output = (min(5, self.max_output_tokens), self.most_output_tokens)
        provider = PROVIDERS.get(host := urlsplit(self.base_url).hostname or "", host)
        return Usage(self.model, (image_fewest + fewest, image_most + most), output, provider)

    def fixed_by(self) -> str:
        fixed = {"temperature": self.temperature == 0, "seed": getattr(self, "seed", None) is not None}
        return " and ".join(f"{name}={getattr(self, name):g}" for name, is_set in fixed.items() if is_set)

    @property
    def most_output_tokens(self) -> int:
        """The most that a request can be billed for, whatever `extra_body` asks for: several answers, say."""
        extra = getattr(self, "extra_body", {})
        limits = (extra.get(name) for name in ("max_tokens", "max_completion_tokens", "max_output_tokens"))
        most = max([self.max_output_tokens, *(limit for limit in limits if isinstance(limit, int))])
        answers = [extra.get(name) for name in ("n", "best_of", "num_return_sequences")]
        return most * max([1, *(number for number in answers if isinstance(number, int))])


class CloudSession(ABC, Generic[Client]):
    """An open cloud captioner."""

    cut_off: ClassVar[tuple[str, ...]]  # the finish reasons of an answer that reached the limit of tokens
    own_domain: ClassVar[str]  # the provider's: only there goes what the SDK adds from the environment
    no_key: ClassVar[str] = ""  # what the SDK gets where there is no key
    most_bytes: int = MAX_BODY_BYTES  # of an answer

    def __init__(self, captioner: CloudCaptioner, prompt: Prompt, key: str) -> None:
        self.captioner, self.prompt, self.key = captioner, prompt, key
        remember(key)
        self.secrets = known_secrets()
        self.text = prompt.request
        self.rule = PictureRule(
            captioner.media_types, captioner.longest_side, captioner.max_bytes, captioner.jpeg_quality
        )
        self._client: Client | None = None
        self._mixed_up: list[Client] = []
        self._seen: Counter[str] = Counter()
        self._ids_differ = True
        self._gives_probabilities = True

    @abstractmethod
    def connect(self) -> Client:
        """The client, its own retries off."""

    @abstractmethod
    async def disconnect(self, client: Client) -> None:
        """Close what `connect` opened."""

    @abstractmethod
    async def request(self, client: Client, asked: Asked) -> str:
        """One request; the body of its answer."""

    @abstractmethod
    def failure(self, error: Exception) -> Failure | None:
        """The failure to connect or to get an answer that an exception of the SDK stands for, if it does."""

    @abstractmethod
    def billed(self, answer: Mapping[str, Any]) -> Reply:
        """What an answer was billed for, as a reply without text. Raises nothing, whatever the answer is."""

    @abstractmethod
    def read(self, answer: Mapping[str, Any]) -> Reply:
        """The reply in an answer. Raises CaptionError where a filter or an unknown reason ended it, and
        ValueError where the answer does not have the expected form.
        """

    def client_options(self) -> dict[str, Any]:
        """The arguments of the HTTP client that the SDK gets."""
        from evaluator.models.httpx_client import client_options

        options = self.captioner
        return client_options(
            *(options.base_url, self.own_domain, self.key_sent, options.timeout_seconds, self.most_bytes)
        )

    @property
    def key_sent(self) -> str:
        """What is sent as the key, also to a server without keys where the SDK requires one."""
        return self.key or self.no_key

    def prepare(self, item: Item) -> Asked:
        if not isinstance(item, Question):
            return Asked(self.text, encode_picture(item, self.rule), item.draw)
        picture = encode_picture(item, self.rule) if item.image else None
        return Asked(item.text, picture, item.draw, item.wants_probabilities)

    def cache_key(self, prepared: Asked) -> Mapping[str, Any]:
        prompt = [self.prompt.system, prepared.text]
        return {**prepared.key, **self.key_of_all_pictures, "prompt": prompt}

    @cached_property
    def key_of_all_pictures(self) -> Mapping[str, Any]:
        """What decides an answer besides the picture and the text."""
        options = [option.name for option in fields(self.captioner) if option.metadata.get("identity", True)]
        return {
            "rule": self.rule.text,
            "backend": key_in_cache(kind_of(self.captioner)),
            **{name: getattr(self.captioner, name) for name in options},
        }

    async def ask(self, prepared: Asked) -> Reply:
        form = self.form_of(prepared)
        try:
            return await self._ask(form)
        except (CaptionError, ModelError) as error:
            if not self.gives_no_probabilities(form, error):
                raise
            return await self._ask(self.form_of(prepared))

    def form_of(self, prepared: Asked) -> Asked:
        """What is asked, without probabilities where the model gives none."""
        wants = prepared.wants_probabilities and self._gives_probabilities
        return replace(prepared, wants_probabilities=wants)

    def gives_no_probabilities(self, asked: Asked, error: EvaluatorError) -> bool:
        """Whether a request was rejected for that, as by models that reason: from now on none wants them.

        Such a request is not billed.
        """
        if not asked.wants_probabilities or "logprob" not in str(error).lower():
            return False
        self._gives_probabilities = False
        logger.info("%s gives no probabilities of tokens: it is asked without", self.captioner.model)
        return True

    @property
    def client(self) -> Client:
        """The client, which is connected at its first use."""
        if self._client is None:
            self._client = self.connect()
        return self._client

    async def _ask(self, prepared: Asked) -> Reply:
        try:
            body = await self.request(self.client, prepared)
        except EvaluatorError:
            raise
        except Exception as error:
            # The SDK's exception holds the request, and with it the key.
            raise self.failed_request(error) from None
        return self.reply_in(body)

    def failed_request(self, error: Exception) -> EvaluatorError:
        """The error for an exception of the SDK, whatever it is: it concerns one request only."""
        response = error if isinstance(error, ErrorResponse) else error.__cause__
        if isinstance(response, ErrorResponse):
            return self.error(failure_from_body(response.status, response.headers, response.body))
        if failure := self.failure(error):
            return self.error(failure)
        message = self.secrets.scrubbed(f"{type(error).__name__}: {error}")[:KEPT_CHARACTERS]
        return RetryableError(message, "client error", most_attempts=MALFORMED_ANSWERS)

    def reply_in(self, body: str, names_its_request: bool = False) -> Reply:
        """The reply in the body of an answer. Raises CaptionError, RetryableError or ModelError.

        Whatever is odd about an answer concerns its image only, and what it was billed for is in the error.
        An answer that names its request, as one of a batch, cannot be that to another.
        """
        answer: Mapping[str, Any] = {}
        try:
            answer = parse_object(body)
            if not names_its_request:
                self.check_is_new(answer, body)
            reply = self.read(answer)
        except EvaluatorError as error:
            if isinstance(error, RetryableError) and answer:
                error.reply = self.billed(answer)
            raise self.without_secrets(error) from None
        except Exception as error:
            raise self.malformed(answer, body, error) from None
        reply = reply_without_secrets(reply, self.secrets)
        cut_off = reply.finish_reason in self.cut_off
        if not reply.text:
            raise empty_reply_error(reply, self.captioner.max_output_tokens, cut_off)
        if cut_off:
            message = f"cut off after {reply.output_tokens} tokens ({reply.finish_reason})"
            raise CaptionError(Outcome.TRUNCATED, message, reply)
        return reply

    def check_is_new(self, answer: Mapping[str, Any], body: str) -> None:
        """Raises RetryableError for an answer that another request got: the connection mixed them up.

        A server that gives the same answer a third time, over a new connection, is one that gives all its
        answers one id: from then on ids mean nothing. The body and the time are compared too, since some
        local servers draw ids from a thousand.
        """
        answer_id = answer.get("id") or answer.get("responseId")  # Google's
        if not answer_id or not self._ids_differ:
            return
        identity = f"{answer_id} {answer.get('created')} {hash(body)}"
        self._seen[identity] += 1
        if self._seen[identity] > 2:
            self._ids_differ = False
        elif self._seen[identity] == 2:
            if self._client is not None:  # it must not be used again
                self._mixed_up.append(self._client)
                self._client = None
            raise RetryableError("the answer to another request was delivered twice", "duplicate answer")

    def malformed(self, answer: Mapping[str, Any], body: str, problem: Exception) -> RetryableError:
        """The error for an answer without the expected form: how it begins and what it was billed for."""
        kept = whole(self.secrets.scrubbed(body[: 2 * KEPT_CHARACTERS])[:KEPT_CHARACTERS])
        reply = reply_without_secrets(replace(self.billed(answer), text=kept), self.secrets)
        size = "" if len(body) < self.most_bytes else f", which is longer than {self.most_bytes:,} bytes"
        reason = self.secrets.scrubbed(str(problem)) if isinstance(problem, ValueError) else repr(problem)
        return RetryableError(
            f"the answer does not have the expected form ({reason[:200]}){size}: {kept[:200]!r}",
            "malformed answer",
            reply=reply,
            most_attempts=MALFORMED_ANSWERS,
        )

    def error(self, failure: Failure) -> EvaluatorError:
        """The error for a failure, without the key."""
        server, variable = self.captioner.base_url, self.captioner.key_variable
        page = f", see {self.captioner.key_page}" if self.captioner.key_page else ""
        key = f"the key is in {variable}{page}; " if variable else ""
        if not variable and failure.status in (401, 403):
            key = "none was sent, and model.key_variable=NAME names the variable that holds it; "
        # Before the message is shortened, which could leave a part of the key.
        failure = replace(
            failure,
            code=self.secrets.scrubbed(whole(failure.code)),
            message=self.secrets.scrubbed(whole(failure.message)),
            field=self.secrets.scrubbed(whole(failure.field)),
        )
        if not failure.status:  # no response: the address may be wrong, or the server is down
            failure = replace(failure, message=f"{failure.message} ({server})")
        return meaning(failure, f"{key}the model is {self.captioner.model!r} at {server}")

    def without_secrets(self, error: EvaluatorError) -> EvaluatorError:
        """The error with every secret masked in its message and its reply."""
        error.args = (self.secrets.scrubbed(str(error)),)
        reply = getattr(error, "reply", None)
        if isinstance(error, CaptionError | RetryableError) and reply is not None:
            error.reply = reply_without_secrets(reply, self.secrets)
        return error

    async def close(self) -> None:
        """Call it in the event loop of the requests."""
        clients, self._client, self._mixed_up = [*self._mixed_up, self._client], None, []
        for client in clients:
            if client is not None:
                await self.disconnect(client)


def is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # the parent is missing: `google` of google.genai
        return False


def parse_object(body: str) -> Mapping[str, Any]:
    """The JSON object in the body of an answer. Raises ValueError, and RetryableError for a web page."""
    if body.lstrip().startswith("<"):
        raise RetryableError("a web page instead of an answer: is model.base_url right?", "not an API")
    answer = parse(body)
    if not isinstance(answer, Mapping):
        raise WrongType(f"expected an object, found {type(answer).__name__}")
    return answer


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
