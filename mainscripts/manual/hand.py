"""What the mouse does with the faces of one frame; all places in pixels of the frame."""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

import numpy as np

from facelib.types import FoundFace
from mainscripts.manual.document import HAND_SCORE, Document, with_landmark
from mainscripts.manual.drawn_face import drawn_face
from mainscripts.manual.square import Square, face_box, square_of_box

Look = Callable[[np.ndarray, np.ndarray, bool], np.ndarray | None]
"""(picture (H, W, 3) uint8 BGR, box (4,) float32, accurate) -> (68, 2) float32 landmarks in pixels
of the picture, or None where no face is seen."""

NOT_SEEN = "no face is seen in the square; move it, or draw the mean face with the right button"

Point = tuple[float, float]


class Mode(Enum):
    """What is in the hand."""

    REST = "locked"
    SQUARE = "square"
    MEAN = "mean face"
    DRAG = "landmark"


class Grip(NamedTuple):
    """A `landmark` that is dragged, and the way from the mouse to it (`offset`)."""

    landmark: int
    offset: Point


class Hand:
    """The square, the mean face or the landmark that follows the mouse, and the chosen face.

    Attributes:
        mode: What is in the hand.
        square: Where the square is, or was last.
        chosen: Index of the face that keys and drags are for, or None without a face.
        held: The face in the hand, if there is one to be seen.
        grip: Of the landmark in the hand, or None.
        is_accurate: Whether landmarks are looked for again where they were seen.
    """

    def __init__(self, document: Document, look: Look):
        """
        Args:
            document: What is edited.
            look: Finds the landmarks in a square.
        """
        self.mode = Mode.SQUARE
        self.square = Square()
        self.chosen: int | None = None
        self.held: FoundFace | None = None
        self.grip: Grip | None = None
        self.is_accurate = True
        self._document = document
        self._look = look
        self._number = 0
        self._image = np.zeros((1, 1, 3), np.uint8)
        self._nose: Point = 0.0, 0.0
        self._replaces: int | None = None
        self._is_stale = self._is_new = True

    @property
    def faces(self) -> tuple[FoundFace, ...]:
        """Those of the frame."""
        return self._document.faces(self._number)

    def enter(self, number: int, image: np.ndarray) -> None:
        """Comes to a frame, (H, W, 3) uint8: its faces are locked, else the square follows."""
        self._number, self._image = number, image
        if self._is_new:  # later the square stays where it was in the frame before
            height, width = image.shape[:2]
            self.square, self._is_new = self.square.moved((width / 2, height / 2),
                                                          (height, width)), False
        self.settle()

    def settle(self) -> None:
        """Lets go of what is in the hand and takes the faces as they are now."""
        self.grip = self.held = None
        n_faces = len(self.faces)
        if n_faces:
            self._rest(min(self.chosen or 0, n_faces - 1))
        else:
            self.follow(None)

    def follow(self, replaces: int | None) -> None:
        """From now on the square follows the mouse.

        Args:
            replaces: Index of the face whose place it takes; None makes a new one.
        """
        if replaces is not None:
            self.square = square_of_box(self.faces[replaces].box)
        self.mode, self._replaces, self.chosen = Mode.SQUARE, replaces, replaces
        self.held, self._is_stale = None, True

    def move(self, point: Point) -> None:
        """The mouse is here now."""
        if self.mode is Mode.SQUARE:
            self.square = self.square.moved(point, self._image.shape[:2])
            self._is_stale = True
        elif self.mode is Mode.MEAN:
            self.held = drawn_face(self._nose, point)
        elif self.mode is Mode.DRAG:
            self.held = with_landmark(self.faces[self.chosen], self.grip.landmark,
                                      np.add(point, self.grip.offset))

    def resize(self, steps: int) -> None:
        """The wheel was turned."""
        if self.mode is Mode.SQUARE:
            self.square = self.square.resized(steps)
            self._is_stale = True

    def look(self) -> None:
        """Finds the landmarks in the square where it is now, if they are not known yet."""
        if self.mode is Mode.SQUARE and self._is_stale:
            landmarks = self._look(self._image, self.square.box, self.is_accurate)
            self._is_stale = False
            self.held = None if landmarks is None else FoundFace(
                face_box(landmarks), HAND_SCORE, landmarks)

    def press(self, point: Point, reach: float) -> str:
        """The left button goes down.

        Args:
            point: Where.
            reach: How near a landmark has to be to be gripped, pixels.

        Returns:
            What to tell the user, often nothing.
        """
        if self.mode is Mode.SQUARE:
            self.move(point)
        if self.mode in (Mode.SQUARE, Mode.MEAN):
            return self.place()
        if self.mode is Mode.REST:
            self._take(point, reach)
        return ""

    def release(self, point: Point) -> None:
        """The left button goes up."""
        if self.mode is Mode.DRAG:
            face, index = self.held, self.chosen
            self.grip = self.held = None
            self._rest(index)
            if face is not None:
                self._document.replace_face(self._number, index, face)

    def draw(self, point: Point) -> None:
        """The right button: begins a mean face with its nose here, or gives it up."""
        if self.mode is Mode.MEAN:
            self.follow(self._replaces)
        elif self.mode in (Mode.SQUARE, Mode.REST):
            self._replaces = self.chosen
            self.mode, self._nose, self.held = Mode.MEAN, point, None

    def place(self) -> str:
        """Locks the face in the hand; returns what to tell the user if there is none."""
        self.look()
        if self.mode not in (Mode.SQUARE, Mode.MEAN):
            return ""
        if self.held is None:
            return NOT_SEEN if self.mode is Mode.SQUARE else "draw a longer line"
        face, self.held, half = self.held, None, self.square.half
        if self._replaces is None:
            self._rest(self._document.add_face(self._number, face))
        else:
            self._document.replace_face(self._number, self._replaces, face)
            self._rest(self._replaces)
        # In the frames to come the square is on the face, so that it goes with it.
        self.square = self.square._replace(half=half)
        return ""

    def choose_next(self) -> None:
        """Goes on to the next face of the frame."""
        if self.mode is Mode.REST:
            self._rest(((self.chosen or 0) + 1) % len(self.faces))

    def remove(self) -> bool:
        """Takes the chosen face away; returns whether there was one."""
        if self.chosen is None:
            return False
        self._document.remove_face(self._number, self.chosen)
        self.settle()
        return True

    def toggle_accurate(self) -> None:
        """Looks again from now on, or once."""
        self.is_accurate = not self.is_accurate
        self._is_stale = True

    def landmark_near(self, point: Point, reach: float) -> tuple[int, int] | None:
        """(face, landmark) nearest to a point within reach, the chosen face first; or None."""
        order = sorted(range(len(self.faces)), key=lambda index: index != self.chosen)
        for index in order:
            distances = np.linalg.norm(self.faces[index].landmarks - np.float32(point), axis=1)
            if distances.min() <= reach:
                return index, int(distances.argmin())
        return None

    def _rest(self, index: int) -> None:
        self.mode, self.chosen, self._replaces = Mode.REST, index, None
        self.square = square_of_box(self.faces[index].box)

    def _take(self, point: Point, reach: float) -> None:
        """Grips a landmark, chooses another face, or unlocks the chosen one."""
        near = self.landmark_near(point, reach)
        inside = [index for index, face in enumerate(self.faces) if _is_inside(point, face.box)]
        if near is not None:
            index, landmark = near
            self._rest(index)
            place = self.faces[index].landmarks[landmark]
            self.mode = Mode.DRAG
            self.grip = Grip(landmark, (float(place[0]) - point[0], float(place[1]) - point[1]))
        elif inside and self.chosen not in inside:
            self._rest(inside[0])
        else:
            self.follow(self.chosen)


def _is_inside(point: Point, box: np.ndarray) -> bool:
    x1, y1, x2, y2 = np.asarray(box, np.float64).tolist()
    return x1 <= point[0] <= x2 and y1 <= point[1] <= y2
