import pytest

from mainscripts.views.tf_record import crc32c, masked_crc, record


@pytest.mark.parametrize("data, crc", [  # RFC 3720, appendix B.4, and the usual check value
    (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (bytes(range(32)), 0x46DD794E),
    (bytes(reversed(range(32))), 0x113FDB5C), (b"123456789", 0xE3069283), (b"", 0)])
def test_crc_is_that_of_the_standard(data, crc):
    assert crc32c(data) == crc


def test_masking_can_be_undone_as_readers_do_it():
    rotated = masked_crc(b"123456789") - 0xA282EAD8 & 0xFFFFFFFF
    assert (rotated >> 17 | rotated << 15) & 0xFFFFFFFF == 0xE3069283


def test_a_record_is_length_checksum_data_checksum():
    data = record(b"abc")
    assert data[:8] == (3).to_bytes(8, "little") and data[12:15] == b"abc"
    assert data[8:12] == masked_crc(data[:8]).to_bytes(4, "little")
    assert data[15:] == masked_crc(b"abc").to_bytes(4, "little")
