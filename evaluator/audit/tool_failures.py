"""What programs write into captions files where they have no caption: errors, markers, empty values.

>>> tool_failure("[SAFETY_BLOCKED: HARM_CATEGORY_X]"), tool_failure("Failed to obtain answer via API.")
(<Outcome.BLOCKED: 'blocked'>, <Outcome.MISSING: 'missing'>)
>>> tool_failure("none of the dogs sleeps"), tool_failure("a traffic light with an error: it is green")
(None, None)
"""

from __future__ import annotations

import re

from evaluator.audit.texts import Texts
from evaluator.core import Finding, Outcome

# One beginning a line: a regular expression in which a space is any white space.
BLOCKED = r"""
\[?safety_blocked
\[[a-z_]*(?:blocked|filtered|censored|prohibited)[a-z_]*[\]:]
responsibleaipolicyviolation
(?:the )?(?:response|request|prompt|content) was (?:blocked|filtered|flagged)
(?:blocked|filtered) by (?:the )?(?:content|safety)
"""
_WHICH = "(?:unexpected|internal|server|api|connection|request|http|fatal|unknown)"
FAILED = rf"""
\[lmms_eval_[a-z_]+
failed to (?:obtain|get|generate|fetch|load|call|connect|parse|process|retrieve|decode|open|download)\b
(?:an? )?(?:{_WHICH} )*error ?(?::|[\[(]?[1-5]\d\d\b)
(?:an? )?(?:{_WHICH} )*error (?:occurred|code|while|during)\b
exception ?:
[a-z_.]{{0,80}}(?:error|exception)(?: ?[:(]|\Z)
traceback \(most recent
cuda (?:out of memory|error)
out of memory\Z
(?:http )?(?:4[0-3]\d|50\d|529) (?:bad|unauthorized|forbidden|not found|too many|internal|service|gateway)
(?:http|status)(?: (?:status|error|code))* ?:? ?[45]\d\d\b
rate limit (?:exceeded|reached)
too many requests
(?:bad gateway|service unavailable|internal server error|gateway time-?out)\b
(?:request|read|connection|operation|query) (?:timed out|failed|aborted|refused|reset)
max(?:imum)? retries exceeded
(?:insufficient[ _]quota|quota exceeded|invalid api key)
(?:the )?(?:model|server|engine) is (?:currently )?overloaded
\{{ ?["']?(?:error|detail|message)["']? ?:
(?:<!doctype|<html\b|<\?xml)
(?:could not|cannot|unable to) (?:open|load|read|decode|download|identify) (?:the )?(?:image|file)\b
"""
# The whole text.
VALUES = r"""
(?:nan|none|null|n/?a|<na>|nil|undefined|unknown|missing|todo|tbd|\(?empty\)?)
(?:\[object object\]|#n/a|#value!|#ref!)
(?:error|failed?|time ?out)
\[?no[ _](?:caption|answer|response|output|prediction|result)\]?
"""


def _any_of(beginnings: str, end: str = "") -> re.Pattern[str]:
    lines = "|".join(line for line in beginnings.splitlines() if line)
    return re.compile(f"(?:{lines}){end}".replace("[ _]", r"[\s_]").replace(" ", r"\s"), re.IGNORECASE)


_PATTERNS = (
    (Outcome.BLOCKED, _any_of(BLOCKED)),
    (Outcome.MISSING, _any_of(FAILED)),
    (Outcome.MISSING, _any_of(VALUES, r"[.!]?\s*\Z")),
    (Outcome.MISSING, re.compile(r"\[[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+\b")),  # [REQUEST_FAILED], of any program
)


def tool_failures(texts: Texts) -> Finding | None:
    return texts.where("tool_failure", tool_failure)


def tool_failure(text: str) -> Outcome | None:
    """The outcome that a failure text stands for; None for any other text."""
    stripped = text.strip()
    return next((outcome for outcome, pattern in _PATTERNS if pattern.match(stripped)), None)
