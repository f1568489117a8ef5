"""The examples of leras/README.md run as they stand and print what the text shows."""

import contextlib
import io
import re
from pathlib import Path

from tests.leras.conformance import checks, test_layers

README = Path(__file__).parents[2] / "leras" / "README.md"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text("utf-8"), re.M | re.S)


def run_examples():
    """Runs all Python blocks in order in one namespace; gives it and what was printed."""
    namespace, printed = {"__name__": "readme"}, io.StringIO()
    with contextlib.redirect_stdout(printed):
        for number, source in enumerate(blocks("python"), 1):
            exec(compile(source, f"{README.name} block {number}", "exec"), namespace)
    return namespace, printed.getvalue()


def test_the_examples_run_and_print_what_the_readme_shows():
    _, printed = run_examples()
    assert printed == "".join(blocks("text"))
    assert len(blocks("python")) == 4


def test_the_example_layer_passes_the_conformance_table_with_its_row():
    namespace, _ = run_examples()
    (row,) = (test_layers.Row(*fields) for fields in namespace["row"].values())
    for check in (test_layers.test_the_output_has_the_shape_worked_out_by_hand,
                  test_layers.test_one_trace_serves_every_batch_size,
                  test_layers.test_the_state_goes_into_another_layer_unchanged):
        check(row)
    for mode in checks.MODES:
        test_layers.test_the_output_and_its_gradients_equal_the_reference(row, mode)
    for dtype in checks.HALF_TOLERANCE:
        test_layers.test_half_the_bits_go_in_and_come_out_and_weights_keep_theirs(row, dtype)


def test_the_readme_names_every_public_layer_and_no_missing_file():
    text = README.read_text("utf-8")
    for layer in test_layers.public_layers():
        assert f"`{layer.__name__}`" in text
    for path in re.findall(r"`(leras/[\w/]+\.py|tests/leras/[\w/]+\.py)`", text):
        assert (README.parents[1] / path).is_file(), path
