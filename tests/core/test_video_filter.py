"""FFmpeg's filters on pictures."""

import numpy as np
import pytest

from core.errors import VideoError
from core.video_filter import filter_pictures


def noise(n, seed=0, kind=np.uint8, shape=(32, 48, 3)):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, np.iinfo(kind).max + 1, shape).astype(kind) for _ in range(n)]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_filter_that_does_nothing_gives_every_value_back(kind):
    pictures = noise(5, kind=kind, shape=(31, 47, 3))  # odd sides: padded lines
    got = list(filter_pictures(pictures, [("null", "")]))
    assert len(got) == 5 and got[0].dtype == kind
    assert all(map(np.array_equal, got, pictures))


def test_channels_keep_their_places():
    blue, green, red = (np.full((16, 16, 3), 0, np.uint8) for _ in range(3))
    for channel, picture in enumerate((blue, green, red)):
        picture[..., channel] = 200
    # lutrgb sets red to 255 minus itself and leaves the others.
    got = list(filter_pictures([blue, green, red], [("lutrgb", "r=negval")]))
    assert got[0][0, 0].tolist() == [200, 0, 255]
    assert got[1][0, 0].tolist() == [0, 200, 255]
    assert got[2][0, 0].tolist() == [0, 0, 55]


def test_filters_that_look_at_neighbours_give_as_many_pictures():
    rng = np.random.default_rng(3)
    still = [np.clip(np.full((24, 24, 3), 120) + rng.normal(0, 6, (24, 24, 3)), 0, 255)
             .astype(np.uint8) for _ in range(20)]
    wide = "s=9:" + ":".join(f"{n}{k}=0.3" for n in range(3) for k in "ab")
    got = list(filter_pictures(still, [("atadenoise", wide)]))
    assert len(got) == 20
    # The mean of nine independent values has a ninth of the variance.
    assert np.std(got[10].astype(float)) == pytest.approx(6 / 3, rel=0.2)


def test_what_does_not_fit_is_told():
    with pytest.raises(VideoError, match="cannot filter pictures by nosuch"):
        list(filter_pictures(noise(1), [("nosuch", "")]))
    with pytest.raises(VideoError, match="cannot filter pictures by nlmeans=s=-4"):
        list(filter_pictures(noise(1), [("nlmeans", "s=-4")]))
    with pytest.raises(VideoError, match="picture 2 is 48x30 with 8 bits, but those before are "
                                         "48x32 with 8 bits"):
        list(filter_pictures([*noise(1), *noise(1, shape=(30, 48, 3))], [("null", "")]))


def test_nothing_gives_nothing():
    assert list(filter_pictures([], [("null", "")])) == []
