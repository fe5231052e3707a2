"""Digests that are made piece by piece are those of the whole: runs keep their names and their scores."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.config.identity import dataset_digest, short_hash
from evaluator.config.settings import Settings
from evaluator.core import Caption, Item, Outcome, Reply
from evaluator.files import json_bytes
from evaluator.files.json_bytes import encode_json, encode_list
from evaluator.store.fingerprint import fingerprint
from evaluator.store.provenance import inputs_digest

texts = st.text(max_size=6)
items = st.lists(
    st.builds(Item, texts, st.none(), st.lists(texts, max_size=3).map(tuple)), max_size=6
)  # also texts with quotes, controls and halves of surrogate pairs
answers = st.lists(
    st.builds(Caption, texts, st.sampled_from(Outcome), st.builds(Reply, texts), seconds=st.floats(0, 9)),
    max_size=6,
    unique_by=lambda caption: caption.item_id,
).map(lambda captions: {caption.item_id: caption for caption in captions})


@given(items)
def test_a_data_set_has_the_digest_of_its_list(some: list[Item]) -> None:
    assert dataset_digest(some) == short_hash([[item.id, item.references] for item in some])


@given(items, answers)
def test_inputs_have_the_digest_of_their_texts(some: list[Item], captions: dict[str, Caption]) -> None:
    parts = [text for item in some for text in (item.id, str(len(item.references)), *item.references)]
    parts += [text for each in captions.values() for text in (each.item_id, each.outcome, each.text or "")]
    whole = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    assert inputs_digest(some, captions) == whole


@given(items, answers)
def test_scores_have_the_fingerprint_of_one_document(some: list[Item], captions: dict[str, Caption]) -> None:
    told = [
        [one.item_id, str(one.outcome), one.text, one.seconds if one.outcome is Outcome.OK else 0.0]
        for one in captions.values()
    ]
    rules = Settings()
    document = [rules.missing, rules.refusals, [[item.id, item.references] for item in some], told]
    expected = hashlib.sha256(encode_json(document)).hexdigest()[:16]
    assert fingerprint(some, captions, {}, rules).inputs == expected


@given(st.lists(st.dictionaries(st.text("ab", max_size=2), texts | st.integers() | st.none()), max_size=9))
def test_a_list_is_written_in_pieces(entries: list[object]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_bytes, "ENTRIES_AT_ONCE", 2)
        assert b"".join(encode_list(entries)) == encode_json(entries)
