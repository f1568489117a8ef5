from benchmarks.merge_window import KEYS, figures_of
from mainscripts.merging_window.adjust import adjusted
from merger.options import MergeOptions


def test_every_row_ends_where_it_began_so_that_rows_can_be_compared():
    begun = MergeOptions()
    for name, keys in KEYS.items():
        options = begun
        for key in keys:
            changed = adjusted(options, key)
            options = changed.options if changed and name != "undo and redo" else options
        assert options == begun, name


def test_figures_are_in_milliseconds():
    assert figures_of([0.001 * number for number in range(1, 102)]) == {
        "presses": 101, "median": 51.0, "p95": 96.0, "max": 101.0}
