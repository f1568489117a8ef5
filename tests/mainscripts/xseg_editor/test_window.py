"""The window by real mouse and key events, on Qt's platform without a screen."""

import os
import time

import numpy as np
import pytest

from core.polygons import Polygon
from mainscripts.xseg_editor.hand import Mode
from mainscripts.xseg_editor.settings import load_settings
from mainscripts.xseg_editor.toolkit import leave_opencv
from samplelib.face_image import read_info
from samplelib.face_labels import write_mask, write_polygons

QtCore = pytest.importorskip("PySide6.QtCore", reason="needs requirements-editor.txt")
pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError,  # found, but not loaded
                    reason="needs the system's libegl1, libgl1 and libxkbcommon0")

SQUARE = [(20, 20), (100, 20), (100, 100), (20, 100)]


@pytest.fixture(scope="module", name="application")
def application_fixture():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QT_QPA_PLATFORM", "offscreen")
        leave_opencv(os.environ)
        from PySide6.QtWidgets import QApplication

        from mainscripts.xseg_editor.theme import apply_theme

        application = QApplication.instance() or QApplication(["test"])
        apply_theme(application)
        yield application


class Person:
    """Clicks, drags and types in a window."""

    def __init__(self, window):
        from PySide6.QtTest import QTest

        self.test, self.window, self.canvas = QTest, window, window.canvas
        self.hand, self.document = window.session.hand, window.session.document

    def place(self, at):
        return QtCore.QPoint(*np.rint(self.canvas.sight.to_canvas(at)).astype(int).tolist())

    def click(self, *places, held="NoModifier"):
        for at in places:
            self.test.mouseMove(self.canvas, self.place(at))
            self.test.mouseClick(self.canvas, QtCore.Qt.MouseButton.LeftButton,
                                 QtCore.Qt.KeyboardModifier[held], self.place(at))

    def drag(self, start, end, button="LeftButton"):
        start, end = self.place(start), self.place(end)
        button = QtCore.Qt.MouseButton[button]
        self.test.mousePress(self.canvas, button, pos=start)
        self.test.mouseMove(self.canvas, end)
        self.test.mouseRelease(self.canvas, button, pos=end)

    def key(self, name, held="NoModifier"):
        modifiers = QtCore.Qt.KeyboardModifier.NoModifier
        for one in held.split("+"):
            modifiers |= QtCore.Qt.KeyboardModifier[one]
        self.test.keyClick(self.canvas, QtCore.Qt.Key[f"Key_{name}"], modifiers)

    def button(self, name):
        from mainscripts.xseg_editor.bars import CommandButton

        return self.window.findChild(CommandButton, name)

    def press_button(self, name):
        self.test.mouseClick(self.button(name), QtCore.Qt.MouseButton.LeftButton)

    def until(self, is_so):
        deadline = time.monotonic() + 30
        while not is_so():
            assert time.monotonic() < deadline
            self.test.qWait(5)

    def pixels(self):
        """(H, W, 3) float RGB of the canvas as it is painted."""
        from PySide6.QtGui import QImage

        image = self.canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(
            image.height(), image.bytesPerLine())
        return rows[:, :3 * image.width()].reshape(
            image.height(), image.width(), 3).astype(np.float64)

    def pixel(self, at):
        place = self.place(at)
        return self.pixels()[place.y(), place.x()]


@pytest.fixture(name="settings")
def settings_fixture(tmp_path):
    return tmp_path / "settings.json"


@pytest.fixture(name="open_person")
def open_person_fixture(application, folder, settings):
    """Function: a person before the window on the faceset, as a context manager."""
    from contextlib import contextmanager

    from mainscripts.xseg_editor.run import open_window

    @contextmanager
    def make(segmenter=None):
        with open_window(folder, segmenter, settings) as window:
            window.resize(1280, 800)
            window.show()
            person = Person(window)
            person.until(lambda: window.session.scan.is_complete and window.isVisible())
            yield person
    return make


@pytest.fixture(name="person")
def person_fixture(open_person):
    with open_person() as person:
        yield person


def polygons_in(folder, name="0.jpg"):
    return read_info(folder / name).polygons


def test_a_polygon_is_drawn_closed_and_in_the_file(person, folder):
    person.click(*SQUARE)
    assert person.hand.mode is Mode.DRAWING
    person.click(SQUARE[0])
    (polygon,) = polygons_in(folder)
    assert polygon.is_include and polygon.points == pytest.approx(np.array(SQUARE), abs=0.3)
    assert person.window._count.text() == "1 labelled"


@pytest.mark.parametrize("undo, redo", [
    (("Z", "ControlModifier"), ("Z", "ControlModifier+ShiftModifier")),
    (("Z", "ControlModifier"), ("Y", "ControlModifier"))])
def test_keys_undo_and_redo(person, folder, undo, redo):
    person.click(*SQUARE, SQUARE[0])
    person.key(*undo)
    assert polygons_in(folder) == () and len(person.document.labels.open.points) == 4
    person.key(*undo)
    assert len(person.document.labels.open.points) == 3
    person.key(*redo)
    person.key(*redo)
    assert len(polygons_in(folder)) == 1


def test_points_are_dragged_inserted_and_deleted(person, folder):
    person.click(*SQUARE, SQUARE[0])
    person.drag(SQUARE[2], (110, 115))
    assert polygons_in(folder)[0].points[2] == pytest.approx((110, 115), abs=0.3)
    person.click((60, 20), held="ControlModifier")
    assert len(polygons_in(folder)[0].points) == 5
    person.click((110, 115), held="ControlModifier")
    assert len(polygons_in(folder)[0].points) == 4
    person.key("Delete")
    assert polygons_in(folder) == ()


def test_eight_pixels_of_the_screen_decide_at_any_zoom(person):
    person.click(*SQUARE, SQUARE[0])
    person.key("Escape")
    for _ in range(2):
        scale = person.canvas.sight.scale
        person.click((20 + 9 / scale, 60))
        assert person.hand.mode is Mode.DRAWING
        person.key("Escape")
        person.click((20 + 7 / scale, 60))
        assert person.hand.mode is Mode.EDITING
        person.key("Escape")
        wheel(person, (60, 60), -3)


def wheel(person, at, notches):
    from PySide6.QtCore import QPoint, QPointF, Qt
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    place = QPointF(person.place(at))
    QApplication.sendEvent(person.canvas, QWheelEvent(
        place, person.canvas.mapToGlobal(place), QPoint(), QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase,
        False))


def test_the_wheel_zooms_at_the_mouse_and_the_middle_button_moves(person):
    scale, place = person.canvas.sight.scale, person.place((30, 40))
    wheel(person, (30, 40), 1)
    assert person.canvas.sight.scale == pytest.approx(scale + 0.2 + scale / 10)
    assert (person.place((30, 40)) - place).manhattanLength() <= 2
    before = person.place((64, 64))
    person.drag((64, 64), (70, 60), "MiddleButton")
    moved = person.place((64, 64)) - before
    assert moved.x() == pytest.approx(6 * person.canvas.sight.scale, abs=1.5)
    assert person.document.labels.open is None
    person.key("F")
    assert person.canvas.sight.scale == scale


def test_other_faces_by_keys_buttons_and_thumbnails(person):
    for name, held, current in [("D", "NoModifier", "1.jpg"), ("D", "ShiftModifier", "6.jpg"),
                                ("A", "NoModifier", "5.jpg"), ("Right", "NoModifier", "6.jpg"),
                                ("End", "NoModifier", "11.jpg"), ("Home", "NoModifier", "0.jpg")]:
        person.key(name, held)
        assert person.document.current == current
    person.press_button("next")
    assert person.document.current == "1.jpg"
    name, place = person.window.strip.places()[-1]
    person.test.mouseClick(person.window.strip, QtCore.Qt.MouseButton.LeftButton,
                           pos=place.center().toPoint())
    assert person.document.current == name == "5.jpg"


def test_small_letters_of_x11_and_cyrillic_ones_count_too(person):
    from PySide6.QtGui import QKeyEvent
    from PySide6.QtWidgets import QApplication

    # On X11 the system's code of this key is 0x64, a small d, which is not what Qt calls it.
    for code, text in ((ord("D"), "d"), (0x0412, "в")):
        QApplication.sendEvent(person.canvas, QKeyEvent(
            QtCore.QEvent.Type.KeyPress, code, QtCore.Qt.KeyboardModifier.NoModifier, 40, 0x64, 0,
            text))
        QApplication.sendEvent(person.canvas, QKeyEvent(
            QtCore.QEvent.Type.KeyRelease, code, QtCore.Qt.KeyboardModifier.NoModifier))
    assert person.document.current == "2.jpg"


def test_a_held_key_goes_on_until_it_is_let_go(person):
    person.test.keyPress(person.canvas, QtCore.Qt.Key.Key_D)
    person.until(lambda: person.document.number >= 4)
    person.test.keyRelease(person.canvas, QtCore.Qt.Key.Key_D)
    number = person.document.number
    person.test.qWait(400)
    assert person.document.number == number


def test_thumbnails_arrive_and_nine_are_shown(person):
    person.window.session.go("5.jpg")
    person.window.follow()
    names = [name for name, _ in person.window.strip.places()]
    assert names == [f"{number}.jpg" for number in range(1, 10)]
    person.until(lambda: all(person.window._thumbnails.find(name) for name in names))
    sides = [place.width() for _, place in person.window.strip.places()]
    assert sides == [64] * 4 + [80] + [64] * 4


def test_a_typed_number_is_gone_to_and_typing_does_nothing_else(person):
    person.key("G")
    line = person.window.panel.line
    person.until(line.hasFocus)
    person.test.keyClicks(line, "xqwd")
    assert person.document.current == "0.jpg" and len(person.document.names) == 12
    line.clear()
    person.test.keyClicks(line, "#8")
    person.test.keyClick(line, QtCore.Qt.Key.Key_Return)
    assert person.document.current == "7.jpg" and person.canvas.hasFocus()


def test_a_click_on_a_pose_goes_to_its_face(person):
    field = person.window.panel.poses
    person.test.mouseClick(field, QtCore.Qt.MouseButton.LeftButton,
                           pos=field.place(0.1 * 9 - 0.5, 0.1).toPoint())
    assert person.document.current == "9.jpg"


def test_trash_and_back(person, folder):
    person.key("X")
    assert person.document.current == "1.jpg" and not (folder / "0.jpg").exists()
    person.key("Z", "ControlModifier")
    assert person.document.current == "0.jpg" and (folder / "0.jpg").exists()


def test_buttons_show_what_is_so(person):
    person.key("W")
    assert person.button("exclude").is_on and not person.button("include").is_on
    person.press_button("blue")
    assert person.button("blue").is_on and person.window.session.colour == "blue"
    assert not person.button("delete").isEnabled()
    person.click(*SQUARE, SQUARE[0])
    assert person.button("delete").isEnabled()
    person.press_button("delete")
    assert person.document.labels.polygons == ()


def test_outlines_have_their_colours_and_excluding_ones_gaps(person):
    channels = {"1": 0, "2": 1, "3": 2}
    person.click(*SQUARE, SQUARE[0])
    person.key("Escape")
    person.test.mouseMove(person.canvas, QtCore.QPoint(3, 3))
    for key, channel in channels.items():
        person.key(key)
        pixel = person.pixel((60, 20))
        assert pixel.argmax() == channel and pixel.max() - np.median(pixel) > 60
    solid = coloured_share(person)
    person.click((60, 20))
    person.key("W")
    person.key("Escape")
    person.test.mouseMove(person.canvas, QtCore.QPoint(3, 3))
    assert solid > 0.95 and 0.2 < coloured_share(person) < 0.8


def coloured_share(person):
    """How much of the left edge of the square is blue."""
    start, end = person.place((20, 30)), person.place((20, 90))
    line = person.pixels()[start.y():end.y(), start.x()]
    return np.mean(line[:, 2] > line[:, 0] + 60)


def test_views_show_the_masks(person, folder):
    person.click(*SQUARE, SQUARE[0])
    person.key("4")
    assert person.pixel((60, 60)).min() == 255 and person.pixel((10, 60)).max() == 0
    person.key("5")
    assert person.pixel((10, 10)).max() < 60  # nothing is stored yet
    mask = np.zeros((64, 64, 1), np.float32)
    mask[:32] = 1
    write_mask(folder / "1.jpg", mask, "test")
    person.key("D")
    assert person.pixel((64, 20)).min() == 255 and person.pixel((64, 110)).max() == 0
    person.key("2")
    plain = person.pixel((64, 110))
    person.key("QuoteLeft")
    assert person.pixel((64, 110)) == pytest.approx(plain * 0.5, abs=2)
    assert person.pixel((5, 20)) == pytest.approx(plain, abs=2)


def test_hovering_tints_the_polygon(person):
    person.click(*SQUARE, SQUARE[0])
    person.key("Escape")
    person.test.mouseMove(person.canvas, person.place((5, 64)))
    before = person.pixel((26, 64))
    person.test.mouseMove(person.canvas, person.place((20, 64)))
    green = np.array((64, 224, 96))
    assert person.pixel((26, 64)) == pytest.approx(before + (green - before) * 72 / 255, abs=3)


def test_with_shift_the_view_follows_the_mouse_and_clicks_count_in_the_middle(person):
    person.click(SQUARE[0], SQUARE[1])
    person.canvas.is_locked = True
    person.test.mouseMove(person.canvas, person.place((100, 100)))
    middle = person.canvas.sight.to_picture(np.array([person.canvas.width(),
                                                      person.canvas.height()]) / 2)
    assert middle == pytest.approx((100, 100), abs=0.5)
    person.test.mouseClick(person.canvas, QtCore.Qt.MouseButton.LeftButton,
                           pos=person.canvas.rect().center())
    assert person.document.labels.open.points[-1] == pytest.approx((100, 100), abs=0.5)


def test_the_segmenter_suggests_and_lists_what_it_is_unsure_of(open_person, folder,
                                                               disk_segmenter):
    with open_person(disk_segmenter) as person:
        person.key("S")
        person.until(lambda: person.document.labels.polygons)
        assert len(polygons_in(folder)) == 1
        person.key("N")
        person.until(lambda: len(person.window.session.predictions.doubts) == 12)
        unsure = person.window.panel.unsure
        person.until(lambda: unsure.count() == 11)
        assert unsure.item(0).text().startswith("11.jpg")
        person.test.mouseClick(unsure.viewport(), QtCore.Qt.MouseButton.LeftButton,
                               pos=unsure.visualItemRect(unsure.item(0)).center())
        assert person.document.current == "11.jpg"


def test_closing_saves_what_is_drawn_and_the_window_comes_back_as_it_was(open_person, folder,
                                                                         settings):
    with open_person() as person:
        person.key("D")
        person.key("3")
        person.key("P")
        person.click(*SQUARE)
    assert len(polygons_in(folder, "1.jpg")) == 1
    assert load_settings(settings).colour == "blue"
    with open_person() as person:
        assert person.document.current == "1.jpg" and person.window.session.colour == "blue"
        assert person.window.panel.isHidden()
        person.key("Z", "ControlModifier")  # also what the last session did
        assert len(person.document.labels.open.points) == 4


@pytest.mark.parametrize("content", [b"\x80\x04\x95 pickle", b'{"geometry": "?", "colour": "x"}',
                                     b'{"geometry": "AAAA", "last_faces": {"a": "b"}}'])
def test_a_damaged_settings_file_keeps_nothing_shut(open_person, settings, content):
    settings.write_bytes(content)
    with open_person() as person:
        assert person.window.session.colour == "green" and person.document.current == "0.jpg"


def test_the_help_shows_every_key_and_goes_with_it(person):
    from PySide6.QtWidgets import QLabel

    from mainscripts.xseg_editor.keys import COMMANDS, MOUSE

    person.key("H")
    texts = {label.text() for label in person.window.help.findChildren(QLabel)}
    assert person.window.help.isVisible()
    assert {command.text for command in COMMANDS if command.keys} <= texts
    assert {text for _, text in MOUSE} <= texts
    person.key("H")
    assert not person.window.help.isVisible()


def test_a_long_message_does_not_widen_the_window(person):
    person.window.session.message = "a long line " * 60
    person.window.follow()
    person.test.qWait(20)
    assert person.window.width() == 1280


def test_polygons_of_other_programs_are_shown(person, folder):
    write_polygons(folder / "3.jpg", [Polygon(SQUARE), Polygon([(40, 40), (60, 40), (50, 60)],
                                                               False)])
    person.window.session.go("3.jpg")
    person.window.follow()
    assert [polygon.is_include for polygon in person.document.labels.polygons] == [True, False]
    person.key("4")
    assert person.pixel((30, 30)).min() == 255 and person.pixel((50, 46)).max() == 0
