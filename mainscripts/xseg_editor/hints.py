"""What the line at the foot of the window says can be done next."""

from mainscripts.xseg_editor.hand import Mode
from mainscripts.xseg_editor.session import Session

HINTS = {
    Mode.NONE: ("click: begin a polygon, or select one", "Q, W: include, exclude",
                "A, D: other faces", "C: copy", "S: suggest", "H: all keys"),
    Mode.DRAWING: ("click: next point", "first point or Enter: close",
                   "Ctrl+Z: take the last point back", "Shift: view follows the mouse",
                   "Escape: drop"),
    Mode.EDITING: ("drag a point", "Ctrl+click: delete a point, add one on an edge",
                   "Delete: remove the polygon", "Q, W: include, exclude", "click elsewhere: done"),
    Mode.BAKED: ("mask of the polygons", "1, 2, 3: back to the face", "5: stored mask"),
    Mode.MASK: ("1, 2, 3: back to the face", "4: mask of the polygons", "S: take it as polygons"),
}


def hint(session: Session) -> str:
    """What can be done now; of a mask, where it comes from."""
    mode, source = session.hand.mode, ()
    if mode is Mode.MASK:
        mask = session.mask()
        source = ("no mask" if mask is None else f"mask: {mask[1]}",)
    return "   ·   ".join((*source, *HINTS[mode]))
