"""Which part of the frame is shown for what is in the hand, and where the mouse is in it."""

import numpy as np

from mainscripts.manual.hand import Hand, Mode, Point
from mainscripts.manual.square import square_around
from mainscripts.manual.view import View, close_up, fitted_view

REACH = 8.0
"""Pixels of the window within which the mouse grips a landmark."""

_LOCKED_SHARE = 0.8
"""Of the shorter side of the window that an enlarged face fills."""


class Sight:
    """The eyes beside a hand.

    Attributes:
        pointer: x, y of the mouse in the picture of the frame, pixels; negative outside of it.
        is_enlarged: Whether a locked face is shown enlarged, whatever its size.
    """

    def __init__(self, hand: Hand, window_size: int):
        """
        Args:
            hand: What is looked at.
            window_size: As in `view.fitted_view`.
        """
        self.pointer: Point = -1.0, -1.0
        self.is_enlarged = False
        self._hand = hand
        self._window_size = window_size
        self._image_size = 1, 1
        self._shift: Point = 0.0, 0.0

    @property
    def is_inside(self) -> bool:
        """Whether the mouse is over the frame."""
        return self.pointer[0] >= 0 and self.pointer[1] >= 0

    @property
    def reach(self) -> float:
        """How near a landmark has to be to be gripped, pixels of the frame."""
        return REACH / self.view().scale

    def enter(self, image_size: tuple[int, int]) -> None:
        """Comes to a frame of this height and width, pixels."""
        self._image_size = image_size
        self._shift = 0.0, 0.0

    def view(self) -> View:
        """What is shown: the whole frame, or a small or chosen face enlarged."""
        hand, whole = self._hand, self._whole()
        if hand.mode is Mode.SQUARE:
            return close_up(whole, hand.square) if hand.square.is_small else whole
        if hand.mode is Mode.MEAN or hand.chosen is None:
            return whole
        # The locked face, also while its landmark is dragged: the view must not move then.
        square = square_around(hand.faces[hand.chosen].landmarks)
        if self.is_enlarged or square.is_small:
            return close_up(whole, square, _LOCKED_SHARE)
        return whole

    def point(self) -> Point:
        """Where the mouse is in the frame.

        A square under the mouse moves by the whole view, also where it is shown enlarged: else
        the frame would slip away under the mouse.
        """
        if self._hand.mode is not Mode.SQUARE:
            return self.view().to_image(*self.pointer)
        if not self._hand.square.is_small:
            self._shift = 0.0, 0.0
        x, y = self._whole().to_image(*self.pointer)
        return x + self._shift[0], y + self._shift[1]

    def hold_square(self) -> None:
        """A square that is shown enlarged stays where it is until the mouse moves."""
        if self._hand.square.is_small:
            x, y = self._whole().to_image(*self.pointer)
            self._shift = self._hand.square.x - x, self._hand.square.y - y

    def marked(self) -> np.ndarray | None:
        """(2,) float32: the landmark in the hand, or the one that would be gripped; or None."""
        hand = self._hand
        if hand.mode is Mode.DRAG and hand.held is not None:
            return hand.held.landmarks[hand.grip.landmark]
        if hand.mode is not Mode.REST:
            return None
        near = hand.landmark_near(self.point(), self.reach)
        return None if near is None else hand.faces[near[0]].landmarks[near[1]]

    def _whole(self) -> View:
        return fitted_view(self._image_size, self._window_size)
