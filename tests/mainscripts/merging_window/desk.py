"""A sitting at the merge window without the window."""

import contextlib
import time

from core.report import SilentReporter
from mainscripts.merging.options import MergeFiles
from mainscripts.merging_window.run import open_desk
from merger.options import MergeOptions

SECONDS = 180.0
BASE = MergeOptions(mask_mode="dst", color_transfer="none")
"""Fast, and good for a model that has hardly been trained."""


def files_of(workspace, **changes):
    """What `Workspace.merge_words` say."""
    data = workspace.path("data_dst")
    return MergeFiles(**{
        "input_dir": data, "aligned_dir": data / "aligned", "output_dir": data / "merged",
        "output_mask_dir": data / "merged_mask", "model_dir": workspace.path("model"),
        "interactive": True} | changes)


class Sitter:
    """Somebody who presses keys and waits for what comes of it."""

    def __init__(self, desk):
        self.desk, self.session = desk, desk.session
        self.document, self.states = desk.document, desk.states

    def press(self, *keys):
        """Presses keys one after the other, each when nothing is on its way."""
        for key in keys:
            self.session.press(key)
            self.settle()

    def type(self, text):
        """Types a line and ends it."""
        self.press(*("space" if sign == " " else sign for sign in text), "enter")

    def settle(self, until=None):
        """Ticks until nothing is on its way, or until something holds."""
        end = time.monotonic() + SECONDS
        while True:
            self.session.tick()
            if until() if until else not self.session.is_waiting:
                return
            assert time.monotonic() < end, self.scene()
            time.sleep(0.002)

    def scene(self):
        return self.session.scene()

    def options(self, *numbers):
        return [self.document.options(number) for number in numbers]

    def done(self):
        """Numbers of the frames whose files are as set."""
        return [number for number in range(len(self.document.frames))
                if self.states.is_done(number)]


@contextlib.contextmanager
def sitting(workspace, options=BASE, reporter=None, **changes):
    """A sitting at the main screen; ended as by Escape."""
    with open_desk(files_of(workspace, **changes), options, reporter or SilentReporter()) as desk:
        sitter = Sitter(desk)
        desk.session.start()
        sitter.press("tab")
        sitter.settle()
        yield sitter
        desk.finish()
