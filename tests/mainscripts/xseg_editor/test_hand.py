"""What clicks and drags do, in pixels of the picture with a reach of 4."""

import numpy as np
import pytest

from core.polygons import Polygon
from mainscripts.xseg_editor.hand import Hand, Mode
from mainscripts.xseg_editor.labels import Labels
from samplelib.face_image import read_info

SQUARE = [(20, 20), (100, 20), (100, 100), (20, 100)]
REACH = 4


@pytest.fixture(name="hand")
def hand_fixture(document):
    return Hand(document)


def click(hand, at, **settings):
    hand.move(np.array(at, float))
    hand.press(np.array(at, float), REACH, **settings)
    hand.release()


def draw_square(hand):
    for at in [*SQUARE, (21, 22)]:
        click(hand, at)


def points(hand, index=0):
    return hand.document.labels.polygons[index].points.tolist()


def test_clicks_draw_and_one_near_the_first_point_closes(hand):
    click(hand, SQUARE[0])
    assert hand.mode is Mode.DRAWING
    click(hand, SQUARE[1])
    click(hand, (21, 20))  # two points cannot be closed, so this is a third
    assert len(hand.document.labels.open.points) == 3
    hand.document.undo()
    for at in SQUARE[2:]:
        click(hand, at)
    hand.move(np.array((22.0, 22.0)))
    assert hand.closes(REACH)
    click(hand, (22, 22))
    assert hand.mode is Mode.EDITING and hand.selected == 0
    assert points(hand) == [list(map(float, at)) for at in SQUARE]


def test_a_click_near_an_outline_selects_and_elsewhere_begins_anew(hand):
    draw_square(hand)
    hand.let_go()
    click(hand, (60, 23))
    assert (hand.mode, hand.selected) == (Mode.EDITING, 0)
    hand.let_go()
    click(hand, (60, 30))
    assert hand.mode is Mode.DRAWING


def test_dragging_a_point_is_one_edit_written_when_it_ends(hand, folder):
    draw_square(hand)
    n_edits = len(hand.document.history.done)
    hand.press(np.array((99.0, 101.0)), REACH)
    for at in ((105, 105), (110, 112), (111.5, 113)):
        hand.move(np.array(at, float))
        assert hand.shown.polygons[0].points[2].tolist() == list(at)
        assert read_info(folder / "0.jpg").polygons[0].points[2].tolist() == [100, 100]
    hand.release()
    assert read_info(folder / "0.jpg").polygons[0].points[2].tolist() == [111.5, 113]
    assert len(hand.document.history.done) == n_edits + 1
    hand.document.undo()
    assert points(hand)[2] == [100, 100]


def test_with_control_edges_gain_points_and_points_go(hand):
    draw_square(hand)
    click(hand, (60, 22), edits_points=True)
    assert points(hand)[1] == [60, 20] and len(points(hand)) == 5
    click(hand, (101, 101), edits_points=True)
    assert [100, 100] not in points(hand) and len(points(hand)) == 4
    click(hand, (20, 62), edits_points=True)
    assert points(hand)[-1] == [20, 62]


def test_of_a_triangle_no_point_can_go_without_the_rest(hand):
    hand.document.set_labels(Labels((Polygon(SQUARE[:3]),)))
    hand.selected = 0
    click(hand, SQUARE[0], edits_points=True)
    assert hand.document.labels == Labels() and hand.mode is Mode.NONE


def test_a_click_elsewhere_lets_go_without_drawing(hand):
    draw_square(hand)
    click(hand, (60, 60))
    assert hand.mode is Mode.NONE and hand.document.labels.open is None


def test_kinds_belong_to_the_next_polygon_and_to_the_one_in_hand(hand):
    hand.set_kind(False)
    draw_square(hand)
    assert not hand.document.labels.polygons[0].is_include
    hand.set_kind(True)
    assert hand.document.labels.polygons[0].is_include and hand.selected == 0
    hand.new_face()
    assert hand.is_include


def test_a_changed_kind_keeps_the_polygon_selected_wherever_it_goes(hand):
    other = Polygon([(1, 1), (9, 1), (5, 9)])
    hand.document.set_labels(Labels((Polygon(SQUARE), other)))
    hand.selected = 0
    hand.set_kind(False)
    assert hand.selected == 1 and points(hand, 1)[0] == [20, 20]


def test_views_of_masks_edit_nothing(hand):
    draw_square(hand)
    before = hand.document.labels
    hand.show(Mode.BAKED)
    click(hand, (60, 60))
    hand.delete()
    assert hand.mode is Mode.BAKED and hand.document.labels == before
    hand.give_up()
    assert hand.mode is Mode.NONE


def test_delete_only_takes_the_selected_polygon(hand):
    draw_square(hand)
    hand.let_go()
    hand.delete()
    assert len(hand.document.labels.polygons) == 1
    hand.selected = 0
    hand.delete()
    assert hand.document.labels == Labels()


def test_giving_up_drops_what_is_drawn_and_can_be_undone(hand):
    click(hand, SQUARE[0])
    click(hand, SQUARE[1])
    hand.give_up()
    assert hand.mode is Mode.NONE
    hand.document.undo()
    assert len(hand.document.labels.open.points) == 2


def test_undo_lets_go_of_a_polygon_that_is_not_there_any_more(hand):
    draw_square(hand)
    hand.document.undo()
    hand.refresh()
    assert hand.selected is None and hand.mode is Mode.DRAWING
