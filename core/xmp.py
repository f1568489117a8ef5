"""The XMP packet that tells readers without C2PA how a picture came to be.

Source: XMP specification part 3 (embedding), IPTC Photo Metadata Standard, "Digital Source Type".
"""

import struct
import zlib

from core.jpeg import read_app, with_app

APP1 = 0xE1
JPEG_IDENTIFIER = b"http://ns.adobe.com/xap/1.0/\x00"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_KEYWORD = b"XML:com.adobe.xmp"

PACKET = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF \
xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" \
xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" \
xmlns:xmp="http://ns.adobe.com/xap/1.0/" \
Iptc4xmpExt:DigitalSourceType="{source_type}" xmp:CreatorTool="{tool}"/></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def with_source_type(data: bytes, source_type: str, tool: str) -> bytes:
    """Puts the IPTC digital source type into a PNG or JPEG; pixels stay untouched.

    Args:
        data: The file. Other kinds, and files that hold an XMP packet already, come back as
            they are.
        source_type: URI of the IPTC term; must not need XML escapes.
        tool: Name of the program; the same.
    """
    packet = PACKET.format(source_type=source_type, tool=tool).encode("utf-8")
    if data.startswith(PNG_SIGNATURE):
        return _png_with_xmp(data, packet)
    if data.startswith(b"\xff\xd8") and read_app(data, APP1, JPEG_IDENTIFIER) is None:
        return with_app(data, APP1, JPEG_IDENTIFIER, packet)
    return data


def _png_with_xmp(data: bytes, packet: bytes) -> bytes:
    """Inserts an uncompressed iTXt chunk behind the header chunk, which comes first."""
    header_end = len(PNG_SIGNATURE) + 8 + 13 + 4  # length and type, 13 bytes of IHDR, checksum
    if PNG_KEYWORD in data[header_end : data.find(b"IDAT")]:
        return data
    body = b"iTXt" + PNG_KEYWORD + b"\x00" + b"\x00\x00" + b"\x00" + b"\x00" + packet
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:header_end] + chunk + data[header_end:]
