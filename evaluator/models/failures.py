"""What a failed request means: it is retried, it is final for its image, or it ends the run.

One table serves all providers, since the HTTP status and a few words tell their errors apart. The body of an
error is JSON with an `error`: OpenAI's {message, type, param, code}, Anthropic's {type, message, details},
Google's {code, message, status, details} (google.rpc.Status with ErrorInfo, QuotaFailure, RetryInfo and
BadRequest), OpenRouter's {code, message, metadata}.
"""

from __future__ import annotations

import errno
import math
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from evaluator.core import Outcome
from evaluator.core.errors import CaptionError, EvaluatorError, ModelError, RetryableError
from evaluator.models.answers import parse
from evaluator.models.wire import text_of

# A quota that is renewed tomorrow: OpenAI's "requests per day (RPD)", Google's quota ids such as
# GenerateRequestsPerDayPerProject, OpenRouter's "free-models-per-day", Anthropic's "daily rate limit".
DAILY = re.compile(r"(?i)per[ -]?day|daily")
# The account has no money left. Google's sentence for every exhausted limit, "check your plan and billing
# details", is not enough to tell.
CREDIT = re.compile(
    r"(?i)insufficient[ _](quota|credit|balance)|billing_(error|hard_limit|not_active)|credit balance|"
    r"credits? are depleted|spend[ _]limit|usage limits|payment[ _]required"
)
BLOCKED = re.compile(r"(?i)content[ _](filter|policy|management)|moderation|flagged|safety system")
BAD_KEY = re.compile(r"(?i)API_KEY_INVALID|invalid_api_key|key not valid|key (was )?reported|key expired")
# What the providers call the part of a request that differs between images.
IMAGE_FIELDS = ("messages", "contents", "content", "input")
LONGEST_MESSAGE = 400
LONGEST_READ = 20_000  # of a message, before secrets are masked in it and it is shortened
NO_MESSAGE = "the response has no message"


@dataclass(frozen=True)
class Failure:
    """A request that failed; status 0 means that no response came."""

    status: int
    code: str  # the provider's words for it that are meant for programs
    message: str
    field: str = ""  # the part of the request that is wrong
    retry_after_seconds: float | None = None

    @property
    def text(self) -> str:
        text = " ".join(f"{self.status or ''} {self.code}".split()) + f": {self.message}"
        return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 3] + "..."


def failure_from_body(status: int, headers: Mapping[str, str], body: str | bytes) -> Failure:
    """The failure that a response with this status describes; the names in `headers` are in lower case."""
    text = body if isinstance(body, str) else text_of(body)
    if 300 <= status < 400:
        where = headers.get("location", "an address that it does not give")
        return Failure(status, "", f"the server redirects to {where}")
    try:
        return failure_from_document(status, headers, parse(text))
    except (ValueError, AttributeError, TypeError, LookupError):
        pass  # no JSON, or none that any provider sends
    text = text[:LONGEST_READ].strip()
    message = "a web page instead of an answer" if text.startswith("<") else text
    return Failure(status, "", message or NO_MESSAGE, retry_after_seconds=retry_after(headers))


def failure_from_connection(error: Exception, timed_out: bool) -> Failure:
    """No response came: the wait timed out, or the connection broke or could not be opened."""
    reason = error.__cause__ or error
    message = f"{type(reason).__name__}: {reason}".rstrip(": ")
    if is_unreachable(error):
        return Failure(0, RetryableError.NOT_CONNECTED, message)
    return Failure(0, "timeout" if timed_out else "connection", message)


def is_unreachable(error: BaseException | None) -> bool:
    """Whether no request was sent: there is no such host, or nobody listens there."""
    if error is None:
        return False
    if isinstance(error, ConnectionRefusedError | socket.gaierror):
        return True
    if isinstance(error, OSError) and error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return True
    if isinstance(error, BaseExceptionGroup) and any(map(is_unreachable, error.exceptions)):
        return True
    return is_unreachable(error.__cause__ or error.__context__)


def failure_from_document(status: int, headers: Mapping[str, str], document: Any) -> Failure:
    """The same for a body that was parsed."""
    if isinstance(document, list) and document:  # Google's REST sometimes wraps an error in a list
        document = document[0]
    error = document.get("error", document) if isinstance(document, Mapping) else document
    if not isinstance(error, Mapping):
        return Failure(status, "", str(error)[:LONGEST_READ], retry_after_seconds=retry_after(headers))
    message = str(error.get("message") or error.get("detail") or error.get("error") or NO_MESSAGE)
    message = message[:LONGEST_READ]
    details = _mappings(error.get("details"))
    words = [error.get(name) for name in ("type", "status", "code")]
    for detail in details:
        quotas = (violation.get("quotaId") for violation in _mappings(detail.get("violations")))
        words += [detail.get("reason"), detail.get("error_code"), *quotas]
    if isinstance(error.get("metadata"), Mapping) and isinstance(error["metadata"].get("reasons"), list):
        words += error["metadata"]["reasons"]
    violations = (each for detail in details for each in _mappings(detail.get("fieldViolations")))
    violated = next((str(violation.get("field") or "") for violation in violations), "")
    delays = [_seconds(str(each["retryDelay"]).removesuffix("s")) for each in details if "retryDelay" in each]
    named = re.match(r"([a-z_]+[a-z_.0-9]*): ", message)
    return Failure(
        status,
        " ".join(dict.fromkeys(str(word) for word in words if isinstance(word, str) and word)),
        message,
        str(error.get("param") or "") or violated or (named[1] if named else ""),
        max((each for each in [*delays, retry_after(headers)] if each is not None), default=None),
    )


def meaning(failure: Failure, hint: str) -> EvaluatorError:
    """The error to raise. `hint` names the key, the model and the server, for errors that end the run."""
    text, words = failure.text, f"{failure.code} {failure.message}"
    sentence = text if text.endswith(".") else f"{text}."
    match failure.status:
        case 0:
            return RetryableError(failure.message, failure.code)
        case 400 | 403 | 422 if BLOCKED.search(words):
            return CaptionError(Outcome.BLOCKED, text)
        case 400 | 402 | 403 | 429 as status if status == 402 or CREDIT.search(words):
            return ModelError(f"{sentence} The account has no credit left: {hint}")
        case 429 if DAILY.search(words):
            return ModelError(f"{sentence} The daily quota is exhausted; run the same command again tomorrow")
        case 429:
            return RetryableError(text, "rate limit", failure.retry_after_seconds, affects_all_requests=True)
        case 503 | 529:
            return RetryableError(text, "overloaded", failure.retry_after_seconds, affects_all_requests=True)
        case status if status >= 500 or status in (408, 409, 425):
            return RetryableError(text, "server error", failure.retry_after_seconds)
        case 400 | 401 | 403 as status if status != 400 or BAD_KEY.search(words):
            return ModelError(f"{sentence} The provider rejects the key: {hint}")
        case 301 | 302 | 303 | 307 | 308:
            return ModelError(
                f"{sentence} Redirects are not followed, since the key and the pictures would go there. "
                f"If you trust that server, type its address as model.base_url: {hint}"
            )
        case 404:
            return ModelError(f"{sentence} The model does not exist, or model.base_url is wrong: {hint}")
        case 400 | 422 if failure.field and not failure.field.startswith(IMAGE_FIELDS):
            return ModelError(f"{sentence} The provider rejects this option: {hint}")
        case _:
            return CaptionError(Outcome.ERROR, text, may_be_billed=False)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from a header that holds seconds or a date (RFC 9110, section 10.2.3)."""
    if (milliseconds := _seconds(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    if (seconds := _seconds(value)) is not None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError, OSError):
        return None


def _seconds(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, Mapping)]
