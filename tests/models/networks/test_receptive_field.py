"""The choice of layers by receptive field, against the complete table of the specification."""

import pytest

from models.networks.discriminators.receptive_field import (
    receptive_field,
    strides_by_field,
    strides_for,
)

# Receptive field : stride of each layer (training specification, section 2.11).
TABLE = """
3:2 7:22 11:212 15:222 19:2122 23:2212 27:21212 31:2222 35:21222 39:22122 43:212122 47:22212
51:212212 55:221212 59:2121212 63:22222 67:212222 71:221222 75:2121222 79:222122 83:2122122
87:2212122 91:21212122 95:222212 99:2122212 103:2212212 107:21212212 111:2221212 115:21221212
119:22121212 123:212121212 127:222222 131:2122222 135:2212222 139:21212222 143:2221222 147:21221222
151:22121222 155:212121222 159:2222122 163:21222122 167:22122122 171:212122122 175:22212122
179:212212122 183:221212122 191:2222212 195:21222212 199:22122212 203:212122212 207:22212212
211:212212212 215:221212212 223:22221212 227:212221212 231:221221212 239:222121212 255:2222222
259:21222222 263:22122222 267:212122222 271:22212222 275:212212222 279:221212222 287:22221222
291:212221222 295:221221222 303:222121222 319:22222122 323:212222122 327:221222122 335:222122122
351:222212122 383:22222212 387:212222212 391:221222212 399:222122212 415:222212212 447:222221212
511:22222222 515:212222222 519:221222222 527:222122222 543:222212222 575:222221222 639:222222122
767:222222212 1023:222222222
"""


def test_the_table_equals_the_specification():
    expected = {int(field): tuple(map(int, strides)) for field, strides in
                (entry.split(":") for entry in TABLE.split())}
    assert strides_by_field() == expected


@pytest.mark.parametrize("strides, field", [((), 1), ((2,), 3), ((2, 2), 7), ((2, 1, 2), 11),
                                            ((2, 2, 2), 15)])
def test_receptive_fields_by_hand(strides, field):
    """One pixel, and for each layer two steps more; a step is the product of earlier strides."""
    assert receptive_field(strides) == field


@pytest.mark.parametrize("patch_size, strides", [
    (1, (2,)), (5, (2,)), (6, (2, 2)), (13, (2, 1, 2)), (16, (2, 2, 2)),
    (895, (2, 2, 2, 2, 2, 2, 2, 1, 2)),
    (896, (2, 2, 2, 2, 2, 2, 2, 2, 2)), (5000, (2, 2, 2, 2, 2, 2, 2, 2, 2))])
def test_the_nearest_field_is_chosen_and_of_two_the_smaller(patch_size, strides):
    assert strides_for(patch_size) == strides
