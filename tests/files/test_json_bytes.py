"""Bytes of JSON: the values are those of Python's own reader and writer."""

from __future__ import annotations

import enum
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.files.json_bytes import decode_json, encode_json

# Lone surrogates, numbers of any size and the values that JSON does not have, all of which Python writes.
texts = st.text(st.characters())
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)


@given(documents, st.booleans())
def test_a_document_is_read_as_python_reads_it(document: Any, ascii_only: bool) -> None:
    content = json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "backslashreplace")
    assert decode_json(content) == document
    assert decode_json(content.decode()) == document
    assert repr(decode_json(content)) == repr(json.loads(content))


@given(documents, st.booleans())
def test_what_is_written_is_read_by_any_program(document: Any, indent: bool) -> None:
    content = encode_json(document, indent)
    assert json.loads(content.decode()) == document
    assert indent or b"\n" not in content


def test_numbers_and_names_are_written_as_python_writes_them() -> None:
    class Colour(enum.StrEnum):
        RED = "red"

    written = encode_json([2**80, math.inf, Colour.RED, "\u00e9"]).decode()
    assert written == f'[{2**80},Infinity,"red","\u00e9"]'
    assert math.isnan(decode_json(encode_json({"a": [math.nan]}))["a"][0])
    with pytest.raises(TypeError):
        encode_json(object())


@pytest.mark.parametrize("content", ["", "{", "[1,]", "[" * 100_000, "9" * 5_000, "\ufeff[1]"])
def test_what_is_not_json_is_a_value_error(content: str) -> None:
    with pytest.raises(ValueError, match=r"line 1 column \d|nested too deeply|limit|BOM"):
        decode_json(content)
