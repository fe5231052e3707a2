"""Text as a page can hold it: control characters shown, data packed, and a policy against everything else."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from evaluator.core.printable import CONTROL_PICTURES
from evaluator.core.secrets import refuse_known_keys
from evaluator.files.json_bytes import encode_json

# The escapes of JSON, the delete character, which has none, and half of a surrogate pair.
_ESCAPE = re.compile(rb"\\(?:u00(?P<code>[01][0-9a-f])|(?P<letter>[bfr])|(?P<half>ud[89a-f]..)|.)|\x7f")
_CODES = {b"b": 0x08, b"f": 0x0C, b"r": 0x0D}


def visible(value: Any) -> Any:
    """Control characters, which a page cannot hold or would swallow, as pictures of themselves."""
    return value.translate(CONTROL_PICTURES) if type(value) is str else value


def breakable(text: str, behind: str = "|") -> Markup:
    """A signature or a name that may be broken into lines behind each of these characters."""
    return Markup("<wbr>").join(re.split(f"(?<=[{behind}])", visible(text)))


def shortened(text: str, most: int = 28) -> str:
    """A name of at most so many characters: its middle is left out, since names differ at both ends.

    >>> shortened("instructblip_vicuna7b_zeroshot", 20)
    'instructbli…zeroshot'
    """
    if len(text) <= most:
        return text
    end = (most - 1) * 9 // 20
    return f"{text[: most - 1 - end]}…{text[-end:]}"


def json_to_show(document: Mapping[str, Any]) -> bytes:
    """JSON with control characters as pictures of themselves. Raises StoreError for a known key."""
    content = _ESCAPE.sub(_visible_escape, encode_json(document))
    refuse_known_keys(content, "the report")  # which nobody can see in it afterwards
    return content


def within_script(content: bytes) -> Markup:
    """JSON that cannot end, or comment out, the element it is in."""
    return Markup(content.decode().replace("<", "\\u003c"))


def packed(content: bytes) -> Markup:
    """Base64 of gzip, the same for the same content. Its alphabet cannot end its element."""
    # Level 6 takes twice as long and saves 6 % of the space.
    return Markup(base64.b64encode(gzip.compress(content, compresslevel=4, mtime=0)).decode())


def _visible_escape(escape: re.Match[bytes]) -> bytes:
    """A control character's escape, replaced by its picture; half of a surrogate pair by a question mark."""
    if escape["half"]:
        return b"?"
    code = 0x7F if escape[0] == b"\x7f" else _CODES.get(escape["letter"])
    code = int(escape["code"], 16) if escape["code"] else code
    return CONTROL_PICTURES[code].encode() if code in CONTROL_PICTURES else escape[0]


def policy(style: str, script: str, pictures_beside: bool) -> str:
    """Nothing but pictures within the page or beside it, this style and this script."""
    pictures = "'self' data:" if pictures_beside else "data:"
    return (
        f"default-src 'none'; img-src {pictures}; style-src '{csp_hash(style)}'; "
        f"script-src '{csp_hash(script)}'; base-uri 'none'; form-action 'none'"
    )


def csp_hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
