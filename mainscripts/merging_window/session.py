"""Merging by hand: what keys and the mouse do. Knows no window."""

from collections.abc import Callable, Sequence
from functools import partial

from core.errors import FaceLabError
from core.option_spec import did_you_mean
from core.window_mouse import MouseEvent
from mainscripts.merging_window.adjust import CHOICES, SPECS, Adjusted, adjusted
from mainscripts.merging_window.document import Document
from mainscripts.merging_window.field import Field
from mainscripts.merging_window.flow import Flow
from mainscripts.merging_window.layout import LEAST_ZOOM, MOST_ZOOM, Layout, layout_of
from mainscripts.merging_window.presets import Presets
from mainscripts.merging_window.scene import Scene
from mainscripts.merging_window.states import States
from mainscripts.merging_window.work import Backstage
from merger.options import MergeOptions

ALIASES = {"right": ".", "left": ",", "home": "<", "backspace": "b", "delete": "B", "+": "=",
           "_": "-"}
"""Key -> the one it is another name of."""

ZOOM_STEP = 0.1


class Session:
    """One sitting at the frames.

    Attributes:
        needs_drawing: Whether `scene` shows something new.
        shows_help: Which of the two screens is shown.
    """

    def __init__(self, document: Document, states: States, work: Backstage, presets: Presets,
                 check: Callable[[MergeOptions], None]):
        """
        Args:
            document: How the frames are to be merged.
            states: How it stands with them.
            work: Does it.
            presets: Options by name.
            check: Raises a FaceLabError for options that need what is not there.
        """
        self.needs_drawing, self.shows_help = True, True
        self._document, self._states, self._work = document, states, work
        self._flow, self._presets, self._check = Flow(document, states, work), presets, check
        self._zoom, self._shows_alpha, self._is_ending = 1.0, False, False
        self._note, self._field, self._is_dragging = "", None, False
        self._layout: Layout | None = None
        self._view_keys = {"tab": self._toggle_help, "v": self._toggle_alpha,
                           "-": partial(self._change_zoom, -ZOOM_STEP),
                           "=": partial(self._change_zoom, ZOOM_STEP)}
        self._keys = {
            ".": partial(self._step, 1), ",": partial(self._step, -1),
            "<": partial(self._go, 0), "end": partial(self._go, len(document.frames) - 1),
            ">": self._run, "/": partial(self._step, 1, copies=True), "?": self._step_and_clear,
            "m": partial(self._step, -1, copies=True), "M": self._copy_to_all_before,
            "space": self._go_to_left, "enter": self._ask_for_frame, "b": self._undo,
            "B": self._redo, "9": self._ask_for_preset, "0": self._ask_for_name,
            "escape": self.end}

    def start(self) -> None:
        """Comes to the frame that was shown last."""
        self._flow.go(self._document.at)

    @property
    def is_finished(self) -> bool:
        """Whether the user has done, and all that was begun is done too."""
        return self._is_ending and self._flow.is_settled

    @property
    def is_waiting(self) -> bool:
        """Whether something is on its way."""
        return not self._flow.is_settled or self._work.is_busy

    @property
    def shows_what_is_set(self) -> bool:
        """Whether the picture is the one that is wanted, on disk or not yet."""
        shown = self._flow.shown(self._document.at)
        return shown is not None and shown.options == self._document.options(self._document.at)

    def end(self) -> None:
        """Begins nothing new; what has begun is still written."""
        self._is_ending = True
        self._flow.end()
        self._document.save()
        self._note = "finishing what has begun"

    def tick(self) -> None:
        """Takes results and hands out work."""
        self.needs_drawing |= self._flow.tick()
        if self._flow.note:
            self._note, self._flow.note = self._flow.note, ""

    def press(self, key: str | None) -> None:
        """Does what a key is for."""
        if key is None or self._is_ending:
            return
        self.needs_drawing = True
        if self._field is not None:
            self._field.press(key)
            self._field = self._field if self._field.is_open else None
            return
        key = ALIASES.get(key, key)
        if key in self._view_keys:
            self._view_keys[key]()
        elif not self.shows_help or key == "escape":
            self._work_on(key)

    def mouse(self, event: MouseEvent) -> None:
        """Goes to the frame under the mouse while its left button is down on the timeline."""
        if event.kind == "left up":
            self._is_dragging = False
        if self._layout is None or self.shows_help or self._is_ending:
            return
        if event.kind == "left down":
            self._is_dragging = self._layout.timeline.holds(event.x, event.y)
        if self._is_dragging and event.kind in ("left down", "move"):
            number = self._layout.frame_at(event.x, len(self._document.frames))
            if number != self._document.at:
                self._stop()
                self._go(number)
                self.needs_drawing = True

    def scene(self) -> Scene:
        """What there is to show now."""
        self.needs_drawing = False
        document, at = self._document, self._document.at
        shown, failure = self._flow.shown(at), self._states.failure(at)
        image = self._work.image(at) if shown is None else shown.image
        scene = Scene(
            frame=document.frames[at], number=at, count=len(document.frames), image=image,
            mask=None if shown is None else shown.mask, options=document.options(at),
            base=document.base(), states=self._states.all(), has_own=document.has_own(at),
            is_working=self._is_ending or self._flow.is_running or self._states.is_left(at)
            or at in self._states.working,
            is_running=self._flow.is_running, shows_alpha=self._shows_alpha, zoom=self._zoom,
            note=self._note or (f"cannot be merged: {failure.reason}" if failure else ""),
            question=self._field.question if self._field else "",
            answer=self._field.text if self._field else "")
        self._layout = layout_of(scene.image, self._zoom)
        return scene

    # -- what keys do ---------------------------------------------------------------------------

    def _work_on(self, key: str) -> None:
        """Keys that change what is done; each of them stops the run to the last frame."""
        was_running = self._stop()
        if key == ">":
            if not was_running:
                self._run()
        elif key in self._keys:
            self._note = ""
            self._keys[key]()
        else:
            self._adjust(key)

    def _stop(self) -> bool:
        was_running = self._flow.is_running
        self._flow.run(False)
        self._note = "stopped" if was_running else self._note
        return was_running

    def _run(self) -> None:
        self._flow.run(True)
        self._note = "goes on to the last frame; any key stops it"

    def _adjust(self, key: str) -> None:
        """Changes the options of this frame."""
        before = self._document.options(self._document.at)
        change = adjusted(before, key)
        if change is not None:
            try:
                change = self._possible(before, key, change)
            except FaceLabError as error:
                self._note = str(error)
                return
            self._set(change.options, change.note)

    def _possible(self, before: MergeOptions, key: str, change: Adjusted) -> Adjusted:
        """Passes over choices that need what is not there.

        Raises:
            FaceLabError: There is no other one.
        """
        n_choices = len(SPECS[CHOICES[key.lower()]].choices) if key.lower() in CHOICES else 0
        for left in range(n_choices, -1, -1):
            try:
                self._check(change.options)
                return change
            except FaceLabError:
                if left == 0 or change.options == before:
                    raise
            change = adjusted(change.options, key)
        return change

    def _set(self, options: MergeOptions, note: str) -> None:
        self._document.set(self._document.at, options)
        self._flow.go(self._document.at)
        self._note = note

    def _go(self, number: int) -> None:
        self._flow.go(number)

    def _step(self, step: int, *, copies: bool = False) -> None:
        at, target = self._document.at, self._document.at + step
        if not 0 <= target < len(self._document.frames):
            self._note = "this is the last frame" if step > 0 else "this is the first frame"
            return
        if copies:
            self._document.copy(at, [target])
            self._note = "same settings as the frame " + ("before" if step > 0 else "behind")
        self._go(target)

    def _step_and_clear(self) -> None:
        self._document.clear_after(self._document.at)
        self._step(1)
        self._note = self._note or "all frames behind do as the one before; b undoes it"

    def _copy_to_all_before(self) -> None:
        at = self._document.at
        self._document.copy(at, range(at))
        self._go(0)
        self._note = f"same settings in the first {at + 1} frames; b undoes it"

    def _go_to_left(self) -> None:
        n_frames = len(self._document.frames)
        order = (number % n_frames for number in range(self._document.at + 1,
                                                       self._document.at + n_frames))
        target = next((number for number in order if self._states.is_left(number)), None)
        if target is None:
            self._note = "no other frame is left"
        else:
            self._go(target)

    def _undo(self) -> None:
        self._show_edit(self._document.undo(), "undone", "there is nothing to undo")

    def _redo(self) -> None:
        self._show_edit(self._document.redo(), "made again", "there is nothing to make again")

    def _show_edit(self, number: int | None, note: str, otherwise: str) -> None:
        if number is not None:
            self._go(number)
        self._note = otherwise if number is None else note

    def _ask_for_frame(self) -> None:
        names = [frame.name for frame in self._document.frames]
        self._field = Field("go to frame (number or name):", self._go_to_named, names)

    def _go_to_named(self, text: str) -> None:
        frames = self._document.frames
        number = next((number for number, frame in enumerate(frames)
                       if text in (frame.name, frame.stem)), None)
        if number is None and text.isdecimal() and 1 <= int(text) <= len(frames):
            number = int(text) - 1
        if number is None:
            near = did_you_mean(text, [frame.name for frame in frames])
            self._note = f"there is no frame {text}" + (near or f"; the last is {len(frames)}")
        else:
            self._go(number)

    def _ask_for_preset(self) -> None:
        names = self._presets.names()
        self._note = f"presets: {self._presets.listed()}"
        if names:
            self._field = Field(f"load preset ({_few(names)}):", self._load, names)

    def _load(self, name: str) -> None:
        try:
            options = self._presets.load(name)
            self._check(options)
        except FaceLabError as error:
            self._note = str(error)
            return
        self._set(options, f"preset {name}")

    def _ask_for_name(self) -> None:
        self._field = Field("save these settings as preset:", self._keep, self._presets.names())

    def _keep(self, name: str) -> None:
        try:
            saved = self._presets.save(name, self._document.options(self._document.at))
        except (FaceLabError, OSError) as error:
            self._note = str(error)
        else:
            self._note = f"saved as preset {saved}"

    # -- how it is shown ------------------------------------------------------------------------

    def _toggle_help(self) -> None:
        self.shows_help = not self.shows_help

    def _toggle_alpha(self) -> None:
        self._shows_alpha = not self._shows_alpha

    def _change_zoom(self, step: float) -> None:
        self._zoom = round(min(max(self._zoom + step, LEAST_ZOOM), MOST_ZOOM), 1)


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:4])
    return f"{shown}, ...; Tab" if len(names) > 4 else f"{shown}; Tab"
