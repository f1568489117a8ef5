"""The base of everything that owns parameters."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import tensorflow as tf

Initializer = Callable[[tuple[int, ...], np.random.Generator], np.ndarray]


class Module(tf.Module):
    """A tree of parameters that is complete once built: no build step, no deferred shapes.

    A parameter's path is made of attribute names in the order of their creation, joined by `/`;
    a list adds its index: `down1/downs_0/conv1/weight`. Attributes with a leading underscore hold
    no parameters.
    """

    def __init__(self, name: str | None = None):
        super().__init__(name=name)
        self._initializers = {}

    def parameter(self, name: str, shape: tuple[int, ...],
                  initializer: Initializer) -> tf.Variable:
        """Creates the float32 variable `name`, remembers how it starts, and fills it.

        The first values come from fresh entropy; `initialize` draws them again from a seed.
        """
        self._initializers[name] = initializer
        value = initializer(shape, np.random.default_rng())
        return tf.Variable(value, name=name, dtype=tf.float32)

    def named_variables(self) -> Iterator[tuple[str, tf.Variable]]:
        """Yields (path, variable) of the whole tree, in the order in which they were made."""
        for path, owner, attribute in _walk(self, ""):
            yield path, getattr(owner, attribute)

    def initialize(self, rng: np.random.Generator) -> None:
        """Draws all parameters anew, in the order of `named_variables`.

        Two modules built alike and initialised with equally seeded generators are equal.
        """
        for _, owner, attribute in _walk(self, ""):
            variable = getattr(owner, attribute)
            initializer = owner._initializers.get(attribute)
            if initializer is not None:
                variable.assign(initializer(tuple(variable.shape), rng))

    def state(self) -> dict[str, np.ndarray]:
        """Returns a copy of every variable by path."""
        return {path: variable.numpy() for path, variable in self.named_variables()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Assigns every variable from `state`.

        Raises:
            KeyError: naming the paths that are missing or unknown; nothing is assigned then.
            ValueError: naming the first path whose shape differs; nothing is assigned then.
        """
        variables = dict(self.named_variables())
        missing, unknown = variables.keys() - state.keys(), state.keys() - variables.keys()
        if missing or unknown:
            raise KeyError(f"missing: {sorted(missing)}, unknown: {sorted(unknown)}")
        for path, variable in variables.items():
            if tuple(state[path].shape) != tuple(variable.shape):
                raise ValueError(
                    f"{path}: shape {state[path].shape} given, {variable.shape} needed")
        for path, variable in variables.items():
            variable.assign(np.asarray(state[path], variable.dtype.as_numpy_dtype))

    def n_parameters(self) -> int:
        """Returns how many numbers the module holds."""
        return sum(int(np.prod(variable.shape)) for _, variable in self.named_variables())


def _walk(module: Module, prefix: str) -> Iterator[tuple[str, Module, str]]:
    """Yields (path, owning module, attribute) for every variable below `module`."""
    for attribute, value in list(vars(module).items()):
        if attribute.startswith("_"):
            continue
        if isinstance(value, tf.Variable):
            yield prefix + attribute, module, attribute
        elif isinstance(value, Module):
            yield from _walk(value, f"{prefix}{attribute}/")
        elif isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                if isinstance(item, Module):
                    yield from _walk(item, f"{prefix}{attribute}_{index}/")
