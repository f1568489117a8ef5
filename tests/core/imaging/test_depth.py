import numpy as np
import pytest

from core.imaging.depth import from_unit, to_unit, white_level


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_every_level_comes_back(dtype, white):
    every = np.arange(white + 1, dtype=dtype).reshape(-1, 1, 1)
    units = to_unit(every)
    assert units.dtype == np.float32 and units.min() == 0 and units.max() == pytest.approx(1)
    np.testing.assert_allclose(units.ravel(), np.linspace(0, 1, white + 1), atol=1e-7)
    back = from_unit(units, dtype)
    assert back.dtype == dtype and white_level(dtype) == white
    np.testing.assert_array_equal(back, every)


@pytest.mark.parametrize(("dtype", "expected"), [
    (np.uint8, [0, 0, 1, 128, 255, 255]), (np.uint16, [0, 98, 131, 32768, 65535, 65535])])
def test_levels_are_rounded_to_the_nearest_and_clipped(dtype, expected):
    values = np.float32([-0.2, 0.0015, 0.002, 0.50001, 1.0, 3.0]).reshape(1, -1, 1)
    before = values.copy()
    assert from_unit(values, dtype).ravel().tolist() == expected
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint32])
def test_other_depths_are_refused(dtype):
    with pytest.raises(ValueError, match="8 or 16 bits"):
        to_unit(np.zeros((2, 2, 3), dtype))
