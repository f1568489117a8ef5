"""What can be done, by which keys and buttons; the window, its help and the documentation show it.

Keys are named as Qt names them, without regard to the platform: their names, never their codes.
"""

from typing import NamedTuple


class Command(NamedTuple):
    """Something that can be done.

    Attributes:
        name: Of the method of `session.Session` that does it, and of its picture.
        keys: That do it, such as "Ctrl+Z"; the first is shown on the button.
        caption: What the button says, short.
        text: What it does, for help and documentation.
        modified: Whether Shift and Ctrl change what it does, and so any of them may be held.
        repeats: Whether it goes on while its key is held.
    """

    name: str
    keys: tuple[str, ...]
    caption: str
    text: str
    modified: bool = False
    repeats: bool = False


COMMANDS = (
    Command("include", ("Q",), "Include", "polygons that include; also changes the one in hand"),
    Command("exclude", ("W",), "Exclude", "polygons that cut out; also changes the one in hand"),
    Command("undo", ("Ctrl+Z",), "Undo", "take the last point, drag or change of any face back",
            repeats=True),
    Command("redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Redo", "make it again", repeats=True),
    Command("delete", ("Delete", "Backspace"), "Delete", "delete the selected polygon"),
    Command("points", (), "Points", "hold Ctrl: click a point to delete it, an edge to add one"),
    Command("lock", (), "Centre", "hold Shift while drawing: the view follows the mouse"),
    Command("copy", ("C",), "Copy", "take the polygons of the labelled face before this one"),
    Command("carry", ("T",), "Track", "take those of the nearest labelled face of the track, "
            "moved as the landmarks moved"),
    Command("suggest", ("S",), "Suggest", "take the segmenter's mask as polygons to correct"),
    Command("red", ("1",), "Red", "red outlines; also leaves the views of masks"),
    Command("green", ("2",), "Green", "green outlines; also leaves the views of masks"),
    Command("blue", ("3",), "Blue", "blue outlines; also leaves the views of masks"),
    Command("baked", ("4",), "Polygons", "show the mask of the polygons"),
    Command("stored", ("5",), "Mask", "show the stored mask, or else the segmenter's"),
    Command("overlay", ("`",), "Overlay", "darken the face outside that mask"),
    Command("fit", ("F",), "Fit", "show the whole face"),
    Command("panel", ("P",), "Panel", "show or hide poses and the list of unsure faces"),
    Command("help", ("F1", "H"), "Help", "show or hide the keys"),
    Command("previous", ("A", "Left"), "Previous", "previous face; with Shift five, with Ctrl the "
            "one before that has polygons", modified=True, repeats=True),
    Command("next", ("D", "Right"), "Next", "next face; with Shift five, with Ctrl the one behind "
            "that has polygons", modified=True, repeats=True),
    Command("first", ("Home",), "First", "first face"),
    Command("last", ("End",), "Last", "last face"),
    Command("trash", ("X",), "Trash", "move the face to the folder's trash; undo brings it back"),
    Command("unsure", ("N",), "Unsure", "go to the unlabelled face the segmenter is least sure of"),
    Command("jump", ("G", "Ctrl+G"), "Go to", "type a number or a part of a name, then Enter"),
    Command("close", ("Return", "Enter"), "Close", "close the polygon that is drawn"),
    Command("give_up", ("Escape",), "Let go", "drop what is being drawn; let go of what is "
            "selected"),
)

MOUSE = (
    ("left button", "near an outline selects that polygon; elsewhere begins a new one"),
    ("left button, drawing", "adds a point; on the first point closes the polygon"),
    ("left button, selected", "drags a point; elsewhere lets go"),
    ("Ctrl + left button", "on a point of the selected polygon deletes it, on an edge adds one"),
    ("middle button", "moves the picture"),
    ("wheel", "zooms"),
)
"""(what the mouse does, to what effect) in the order of the help."""

LEFT_BAR = (("include", "exclude"), ("undo", "redo"), ("delete", "points", "lock"),
            ("copy", "carry", "suggest"))
RIGHT_BAR = (("red", "green", "blue"), ("baked", "stored", "overlay"), ("fit", "panel", "help"))
"""Names of the commands in the bars, in groups from the top."""

BY_NAME = {command.name: command for command in COMMANDS}
BY_KEY = {key: command for command in COMMANDS for key in command.keys}

# Letters of Cyrillic keyboards stand for those that are on the same keys of Latin ones.
_LATIN = dict(zip("ЙЦУКЕНГШЩЗФЫВАПРОЛДЯЧСМИТЬЁ", "QWERTYUIOPASDFGHJKLZXCVBNM`", strict=True))


def command_of(key: str, *, shift: bool, ctrl: bool) -> Command | None:
    """What a key does; None if nothing.

    Args:
        key: Its name without modifiers, letters as capitals.
        shift: Whether Shift is held.
        ctrl: Whether Ctrl is held.
    """
    key = _LATIN.get(key, key)
    plain = BY_KEY.get(key)
    if plain is not None and plain.modified:
        return plain
    return BY_KEY.get("Ctrl+" * ctrl + "Shift+" * shift + key)
