"""What keys and mouse buttons are for, as the window's help and the documentation tell it."""

HELP = (
    ("mouse", "moves the square; the landmarks in it are found as it moves"),
    ("wheel, + and -", "larger and smaller square; a small one is shown enlarged"),
    ("left button", "locks the face; on a landmark of a locked face drags it, on another face "
     "chooses that, elsewhere unlocks"),
    ("right button", "draws a mean face: nose tip here, the mouse turns and sizes it, upright to "
     "the right; the left button locks it, the right gives it up"),
    ("Enter", "accept the frame as it is drawn, with the face in the square; next frame"),
    ("space", "no face in this frame; next frame"),
    (", and . or arrows", "previous and next frame"),
    ("Home, End", "first and last frame"),
    ("digits, Enter", "go to the frame of that number"),
    ("n", "one more face in this frame"),
    ("Tab", "choose the next face"),
    ("x, Delete", "remove the chosen face"),
    ("c, v", "take the faces of the nearest frame before, behind"),
    ("i", "interpolate between the nearest frames with faces on both sides"),
    ("u, r", "undo, redo; through all frames of this session"),
    ("a", "accurate: look again where the first look saw the face; or look once"),
    ("z", "show the chosen face enlarged"),
    ("Escape", "let go of what follows the mouse"),
    ("h", "this help"),
    ("q", "finish: write the faces; frames not decided on stay for the next time"),
)
"""(keys, what they do) in the order of the help."""

HINTS = {
    "square": "click: lock   wheel: size   Enter: accept, next   space: no face, next   "
              "right click: draw the mean face",
    "mean face": "move: turn and size, upright to the right   click: lock   "
                 "right click: back to the square",
    "locked": "drag a landmark   click: unlock   Enter: accept, next   n: one more face   u: undo",
    "landmark": "let go where the landmark belongs",
}
"""Value of a `hand.Mode` -> what can be done next."""
