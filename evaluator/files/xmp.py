"""The description of a picture as XMP, in a file of its own or within a JPEG.

    XMP specification, part 1 (ISO 16684-1), 8.4, and part 3, 1.1.3: in a JPEG, a packet is one APP1 segment.

Two properties hold the text: `dc:description`, which photo programs show, and the alternative text of IPTC's
photo metadata standard (2021.1), which programs for the web take.

>>> jpeg = bytes.fromhex("ffd8 ffe0 0004 0102 ffda 0000")
>>> described = with_description(jpeg, "A kite & a dog.")
>>> described[:6] == jpeg[:6], described.endswith(jpeg[8:]), has_description(described), has_description(jpeg)
(True, True, True, False)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from xml.sax.saxutils import escape

from evaluator.core.printable import printable

SIGNATURE = b"http://ns.adobe.com/xap/1.0/\0"
MOST_BYTES = 0xFFFF - 2 - len(SIGNATURE)  # of a packet: the length of a segment has 16 bits
APP0, APP1, START_OF_SCAN = 0xE0, 0xE1, 0xDA
STAND_ALONE = frozenset([0x01, *range(0xD0, 0xDA)])  # markers without a length

PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="evaluator">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
{description} </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""
DESCRIPTION = """  <rdf:Description rdf:about="{about}" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/">
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt></dc:description>
   <Iptc4xmpCore:AltTextAccessibility>
    <rdf:Alt><rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt>
   </Iptc4xmpCore:AltTextAccessibility>
  </rdf:Description>
"""
HAS_DESCRIPTION = re.compile(rb":description\b|:AltTextAccessibility\b")
ABOUT = re.compile(r":about\s*=\s*([\"'])(.*?)\1")
END_OF_PROPERTIES = re.compile(r"\s*</\w+:RDF\s*>")
PADDING = re.compile(r"\s+(?=<\?xpacket end)")


class Segment(NamedTuple):
    """A segment of a JPEG: its marker, and where it begins and ends."""

    marker: int
    start: int
    end: int


def packet(text: str) -> str:
    """A packet with this description and nothing else: the content of an .xmp file."""
    return PACKET.format(description=_description(text, ""))


def is_jpeg(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8\xff")


def has_description(data: bytes) -> bool:
    """Whether a JPEG has a packet with a description or an alternative text."""
    found = _packet_segment(data)
    return found is not None and bool(HAS_DESCRIPTION.search(data[found.start : found.end]))


def with_description(data: bytes, text: str) -> bytes:
    """The JPEG with the description in its packet; every other byte of it stays as it is.

    Raises ValueError where it has a description, where its packet is damaged, and where there is no room.
    """
    if has_description(data):
        raise ValueError("the picture has a description")
    found = _packet_segment(data)
    if found is None:
        place = _place(data)
        start, end, content = place, place, packet(text)
    else:
        start, end = found.start, found.end
        content = _extended(data[start + 4 + len(SIGNATURE) : end].decode(), text)
    written = content.encode()
    if len(written) > MOST_BYTES:
        raise ValueError("the metadata of the picture have no room for a description")
    length = (2 + len(SIGNATURE) + len(written)).to_bytes(2, "big")
    return data[:start] + bytes([0xFF, APP1]) + length + SIGNATURE + written + data[end:]


def _description(text: str, about: str) -> str:
    return DESCRIPTION.format(about=about, text=escape(printable(text)))


def _extended(content: str, text: str) -> str:
    """A packet with the description behind its own properties, about the same resource."""
    ends = list(END_OF_PROPERTIES.finditer(content))
    if len(ends) != 1:
        raise ValueError("the XMP metadata of the picture are damaged")
    about = ABOUT.search(content)
    added = "\n" + _description(text, about[2] if about else "")
    longer = content[: ends[0].start()] + added + content[ends[0].start() :].lstrip()
    return PADDING.sub("\n", longer)


def _packet_segment(data: bytes) -> Segment | None:
    return next(
        (
            segment
            for segment in _segments(data)
            if segment.marker == APP1 and data.startswith(SIGNATURE, segment.start + 4)
        ),
        None,
    )


def _place(data: bytes) -> int:
    """Where a new packet goes: behind the segments of JFIF and EXIF, which must be the first."""
    place = 2
    for segment in _segments(data):
        if segment.marker not in (APP0, APP1):
            break
        place = segment.end
    return place


def _segments(data: bytes) -> Iterator[Segment]:
    """The segments before the pixels. Raises ValueError where the file is no JPEG or is damaged."""
    if not is_jpeg(data):
        raise ValueError("the picture is no JPEG")
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:  # a byte that only fills
            place += 1
            continue
        if marker == START_OF_SCAN or marker in STAND_ALONE:
            return
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if end > len(data) or end < place + 4:
            break
        yield Segment(marker, place, end)
        place = end
    raise ValueError("the JPEG is damaged")
