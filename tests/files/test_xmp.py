"""Descriptions in JPEG files: what is there stays, and what cannot take one is refused."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from evaluator.files.xmp import MOST_BYTES, has_description, packet, with_description

RATED = """<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>
<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>
<rdf:Description rdf:about='uuid:7' xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmp:Rating='5'/>
</rdf:RDF></x:xmpmeta>
{padding}<?xpacket end='w'?>"""
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"


def jpeg(**options: object) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((16, 16), 60).convert("RGB").save(buffer, "JPEG", **options)
    return buffer.getvalue()


PLAIN = jpeg()


def packet_of(data: bytes) -> ElementTree.Element:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return ElementTree.fromstring(image.info["xmp"])


@settings(max_examples=50)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_any_text_is_read_again_and_the_other_bytes_stay(text: str) -> None:
    described = with_description(PLAIN, text)
    (found,) = packet_of(described).iter(DESCRIPTION)
    if text.isprintable():
        assert "".join(found.itertext()) == text
    place = next(n for n, (a, b) in enumerate(zip(PLAIN, described, strict=False)) if a != b)
    length = len(described) - len(PLAIN)
    assert any(described[:n] + described[n + length :] == PLAIN for n in range(place - 4, place + 1))


@pytest.mark.parametrize("padding", ["", " " * 60_000], ids=["", "padded"])
def test_what_is_in_the_packet_stays(padding: str) -> None:
    described = with_description(jpeg(xmp=RATED.format(padding=padding).encode(), comment=b"mine"), "A kite.")
    root = packet_of(described)
    one, other = root.iter(f"{RDF}Description")
    assert (one.get("{http://ns.adobe.com/xap/1.0/}Rating"), one.get(f"{RDF}about")) == ("5", "uuid:7")
    assert other.get(f"{RDF}about") == "uuid:7"  # of one packet, all are about the same
    assert "".join(next(other.iter(DESCRIPTION)).itertext()) == "A kite."
    with Image.open(io.BytesIO(described)) as image:
        assert image.info["comment"] == b"mine"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x89PNG\r\n\x1a\n", "no JPEG"),
        (b"\xff\xd8\xff", "damaged"),
        (PLAIN[:15], "damaged"),
        (PLAIN[:2] + b"\xff\xe1\xff\xff" + PLAIN[2:30], "damaged"),
        (with_description(PLAIN, "A kite."), "has a description"),
        (jpeg(xmp=b"<x/>"), "damaged"),
        (jpeg(xmp=RATED.format(padding="").encode("utf-16")), "damaged|codec"),
        (jpeg(xmp=RATED.format(padding="<!--" + "a" * (MOST_BYTES - 600) + "-->").encode()), "no room"),
    ],
)
def test_what_takes_no_description(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        with_description(data, "A dog.")


def test_a_packet_alone() -> None:
    root = ElementTree.fromstring(packet('A <dog> & "cat"\x0b.').encode())
    assert "".join(next(root.iter(DESCRIPTION)).itertext()) == 'A <dog> & "cat"␋.'
    assert not has_description(PLAIN)
