"""Values kept in memory up to a limit."""

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class BoundedCache(Generic[T]):
    """Remembers values by key until their bytes reach a limit; may be used by several threads.

    When the limit is reached, the values already there stay. Samples go through the whole faceset
    in a new order each epoch, so throwing out the longest unused value, as usual, would throw out
    the ones needed next.

    Args:
        n_bytes: Limit.
        size_of: Gives the bytes of a value.
    """

    def __init__(self, n_bytes: int, size_of: Callable[[T], int]):
        self._free_bytes = n_bytes
        self._size_of = size_of
        self._values: dict[Hashable, T] = {}
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> T | None:
        """Gives a value that was kept; None if there is none."""
        return self._values.get(key)

    def keep(self, key: Hashable, value: T) -> T:
        """Keeps a value if there is room for it, and gives it back."""
        size = self._size_of(value)
        with self._lock:
            if key not in self._values and size <= self._free_bytes:
                self._free_bytes -= size
                self._values[key] = value
        return value
