"""Tiny models of every kind, filled with noise and saved."""

import dataclasses

import numpy as np

from core.options import resolve
from models.history import LossHistory
from models.registry import MODELS, options_type
from models.store import ModelStore, Progress

SIZES = {"resolution": 64, "ae_dims": 32, "e_dims": 16, "d_dims": 16, "d_mask_dims": 4,
         "batch_size": 2, "xla": False}
KINDS = {"Quick96": {}, "SAEHD": {"archi": "liae-ud"}, "AMP": {"inter_dims": 32}}


def tiny_options(kind, **changes):
    """Options of a model with a few million numbers."""
    return resolve(options_type(kind), given=SIZES | KINDS[kind] | changes)


def tiny_model(kind, seed=0, **changes):
    """A model whose weights, biases and optimizers are all noise, so that a mix-up shows."""
    model = MODELS.load(kind)(tiny_options(kind, **changes))
    rng = np.random.default_rng(seed)
    for module in (*model.parts().values(), *model.optimizers().values()):
        module.load_state({path: noisy(array, rng) for path, array in module.state().items()})
    return model


def noisy(array, rng):
    """The array with numbers away from zero; a step of an optimizer becomes 7."""
    if array.dtype == np.int64:
        return np.int64(7)
    return array + np.float32(0.05) * rng.random(array.shape, np.float32)


def tiny_progress(iterations=6):
    """Falling losses and a second an iteration."""
    history = LossHistory()
    for iteration in range(iterations):
        history.append({"src": 1 / (1 + iteration), "dst": 2 / (1 + iteration)}, 1.0)
    return Progress(iterations, float(iterations), history, {"src": 12, "dst": 12})


def save(model_dir, kind, name, model=None, *, iterations=6):
    """Saves a tiny model as `train` does; gives its store."""
    model = model or tiny_model(kind)
    store = ModelStore(model_dir, kind, name)
    store.save(model, model.options, tiny_progress(iterations))
    return store


def snapshot(folder):
    """Path -> bytes of all files below a folder, locks aside."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != "LOCK"}


def assert_equal_states(found, wanted):
    """Equal names and arrays, in every part."""
    assert found.keys() == wanted.keys()
    for stem, arrays in wanted.items():
        assert found[stem].keys() == arrays.keys()
        for path, array in arrays.items():
            np.testing.assert_array_equal(found[stem][path], array, err_msg=f"{stem}/{path}")


def as_saved(options):
    """Options as a generation holds them."""
    return dataclasses.asdict(options)
