import cv2
import pytest

from core.window_mouse import REST_SECONDS, MouseEvent, MouseQueue, QtZoom, wheel_delta


def wheel_flags(delta):
    """As OpenCV packs them: the delta in the upper 16 bits of a signed 32-bit number."""
    packed = (delta & 0xFFFF) << 16
    return packed - (1 << 32) if packed >= 1 << 31 else packed


@pytest.mark.parametrize("delta", [120, -120, 15, -1, 240])
def test_how_far_the_wheel_was_turned_is_read_with_its_sign(delta):
    assert wheel_delta(wheel_flags(delta)) == delta
    assert wheel_delta(wheel_flags(delta) | cv2.EVENT_FLAG_CTRLKEY) == delta
    assert wheel_delta(wheel_flags(delta) & 0xFFFFFFFF) == delta


def test_events_come_in_order_and_moves_in_a_row_as_one():
    queue = MouseQueue()
    for event, x, flags in [
            (cv2.EVENT_MOUSEMOVE, 1, 0), (cv2.EVENT_MOUSEMOVE, 2, 0), (cv2.EVENT_LBUTTONDOWN, 3, 1),
            (cv2.EVENT_MOUSEMOVE, 4, 1), (cv2.EVENT_LBUTTONUP, 5, 1),
            (cv2.EVENT_LBUTTONDBLCLK, 6, 1), (cv2.EVENT_MBUTTONDOWN, 7, 0),
            (cv2.EVENT_RBUTTONDOWN, 8, 2), (cv2.EVENT_MOUSEWHEEL, 9, wheel_flags(120)),
            (cv2.EVENT_MOUSEWHEEL, 9, wheel_flags(-15))]:
        queue.take(event, x, 0, flags)
    assert queue.drain() == [
        MouseEvent("move", 2, 0), MouseEvent("left down", 3, 0), MouseEvent("move", 4, 0),
        MouseEvent("left up", 5, 0), MouseEvent("left down", 6, 0), MouseEvent("right down", 8, 0),
        MouseEvent("wheel", 9, 0, 1), MouseEvent("wheel", 9, 0, -1)]
    assert queue.drain() == []


def test_qts_zoom_ends_when_the_wheel_rests_and_only_if_there_is_one():
    seconds = [0.0]
    zoom = QtZoom(lambda: seconds[0])
    zoom.turn(-120)  # never below 1
    seconds[0] += 10
    assert not zoom.must_end
    zoom.turn(120)
    assert not zoom.must_end
    seconds[0] += REST_SECONDS
    assert zoom.must_end
    zoom.turn(-240)  # 1.1 times 0.8
    seconds[0] += 10
    assert not zoom.must_end
    zoom.turn(120)
    seconds[0] += 10
    zoom.end()
    assert not zoom.must_end
