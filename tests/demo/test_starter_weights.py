"""The weights that the demo starts from."""

from dataclasses import replace

import numpy as np

from mainscripts.demo import MODEL, STARTER
from models.quick96.model import Quick96Model
from models.side import Side
from models.starting_point import load_start
from samplelib.faceset import load_faceset
from samplelib.sampler import preview_batch


def test_they_are_small():
    assert STARTER.stat().st_size < 20e6


def test_they_are_those_of_the_demos_model_and_know_faces_they_have_never_seen(faces_workspace):
    model = Quick96Model(replace(MODEL, xla=False))
    facesets = {side: load_faceset(faces_workspace.path(f"data_{side.value}/aligned"))
                for side in Side}
    views = {side: preview_batch(facesets[side], model.recipe(side), [0, 5, 9]) for side in Side}
    before = errors(model, views)
    line, *notes = load_start(model, STARTER)
    assert line.endswith("8,225,514 of 8,225,514 parameters") and not notes
    after = errors(model, views)
    assert all(after[side] < 0.7 * before[side] for side in Side)


def errors(model, views):
    """Side -> mean distance of the reconstructions from the faces, inside of their masks."""
    rows = model.preview(views)["Quick96"]
    return {side: np.average(
        [np.abs(row[side.value] - row[f"{side.value} again"]) for row in rows],
        weights=np.broadcast_to(views[side]["mask"], (len(rows), 64, 64, 3))) for side in Side}
