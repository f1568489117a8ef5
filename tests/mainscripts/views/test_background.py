import errno
import threading

import numpy as np
import pytest

from core.errors import DiskFull, ImageError
from mainscripts.views.background import BackgroundView, CommandBox, Complaints, LatestStatus
from mainscripts.views.view import Command
from models.history import LossHistory
from tests.mainscripts.views.synthetic import status_of

PICTURE = {"faces": np.zeros((2, 2, 3), np.uint8)}


def status(iteration, **changes):
    return status_of(LossHistory(), iteration=iteration, **changes)


# -- the newest status --------------------------------------------------------------------------

def test_only_the_newest_status_is_kept():
    latest = LatestStatus()
    for iteration in range(5):
        latest.put(status(iteration))
    assert latest.take().iteration == 4
    assert latest.take(0.0) is None


def test_previews_outlive_the_status_that_brought_them():
    latest = LatestStatus()
    latest.put(status(1, previews=PICTURE))
    latest.put(status(2))
    taken = latest.take()
    assert taken.iteration == 2 and taken.previews is PICTURE
    latest.put(status(3))
    assert latest.take().previews is None


def test_what_came_before_the_end_is_still_given_and_nothing_after_it():
    latest = LatestStatus()
    latest.put(status(1))
    latest.close()
    latest.put(status(2))
    assert latest.is_closed and not latest.is_over
    assert latest.take().iteration == 1
    assert latest.is_over and latest.take() is None


def test_taking_waits_for_a_status_of_another_thread():
    latest = LatestStatus()
    timer = threading.Timer(0.05, lambda: latest.put(status(7)))
    timer.start()
    assert latest.take(60.0).iteration == 7
    timer.join()


# -- commands -----------------------------------------------------------------------------------

def test_commands_come_in_order_and_one_that_waits_is_not_doubled():
    box = CommandBox()
    assert [box.put(command) for command in (Command.SAVE, Command.PREVIEW, Command.SAVE)] == [
        1, 2, 1]
    assert box.take_all() == [Command.SAVE, Command.PREVIEW]
    assert box.n_taken == 2 and box.take_all() == []
    assert box.put(Command.SAVE) == 3


# -- complaints ---------------------------------------------------------------------------------

def full(path):
    """A full disk, as `write_image` tells of it."""
    error = DiskFull(f"{path}: the disk is full; free some space and run it again")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device", path)
    return error


def test_a_full_disk_is_told_once_whatever_file_it_hits():
    told = []
    complaints = Complaints(told.append)
    for error in (full("a.png"), full("b.png"),
                  OSError(errno.ENOSPC, "No space left on device", ".part-1.json"),
                  OSError(errno.ENOSPC, "No space left on device", ".part-2.json")):
        complaints.tell("previews in /model", error)
    assert told == ["previews in /model: cannot be written (No space left on device); training "
                    "goes on, and they are tried again"]


def test_another_reason_is_told_besides():
    told = []
    complaints = Complaints(told.append)
    complaints.tell("previews", OSError(errno.ENOSPC, "No space left on device", "a"))
    complaints.tell("previews", PermissionError(errno.EACCES, "Permission denied", ".part-1"))
    complaints.tell("previews", PermissionError(errno.EACCES, "Permission denied", ".part-2"))
    complaints.tell("previews", ImageError("too wide for a JPEG"))
    assert [line.partition("(")[2].partition(")")[0] for line in told] == [
        "No space left on device", "Permission denied", "too wide for a JPEG"]


# -- a view with a thread -----------------------------------------------------------------------

class Painter:
    """Shows statuses, each only once it is allowed to."""

    def __init__(self):
        self.allowed = threading.Semaphore(0)
        self.begun = threading.Event()
        self.shown, self.finished = [], 0

    def show(self, status):
        self.begun.set()
        self.allowed.acquire()
        self.shown.append(status.iteration)

    def finish(self):
        self.finished += 1


def test_training_is_never_held_up_and_the_newest_state_is_shown_next():
    painter, problems = Painter(), []
    view = BackgroundView("previews", painter.show, problems.append, painter.finish).start()
    view.update(status(1))
    assert painter.begun.wait(60)
    for iteration in range(2, 1000):  # all return, although the first is still being shown
        view.update(status(iteration))
    assert painter.shown == []
    painter.allowed.release(2)
    view.close()
    assert painter.shown == [1, 999] and painter.finished == 1
    assert view.commands() == [] and problems == []


def test_a_hanging_disk_ends_neither_training_nor_its_end():
    painter, problems = Painter(), []
    view = BackgroundView("previews in /model", painter.show, problems.append, painter.finish,
                          close_seconds=0.05).start()
    view.update(status(1))
    assert painter.begun.wait(60)
    view.close()  # returns
    view.close()
    assert painter.shown == []
    assert problems == ["previews in /model: not finished within 0.05 s; the last ones may be "
                        "missing"]
    painter.allowed.release()


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device", "x.png"),
                                   DiskFull("x.png: the disk is full")])
def test_what_cannot_be_written_is_told_once_and_tried_again(error):
    shown, problems, done = [], [], threading.Semaphore(0)

    def show(status):
        try:
            if status.iteration < 3:
                raise error
            shown.append(status.iteration)
        finally:
            done.release()

    view = BackgroundView("previews", show, problems.append).start()
    for iteration in range(1, 5):
        view.update(status(iteration))
        assert done.acquire(timeout=60)
    view.close()
    assert shown == [3, 4] and len(problems) == 1


def test_nothing_is_shown_after_the_end_and_closing_twice_does_no_more():
    painter = Painter()
    painter.allowed.release(9)
    view = BackgroundView("previews", painter.show, print, painter.finish).start()
    view.update(status(1))
    view.close("target iteration")
    view.update(status(2))
    view.close()
    assert painter.shown == [1] and painter.finished == 1
