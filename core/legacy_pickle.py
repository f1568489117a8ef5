"""Reads pickles of programs we do not trust, without Python's unpickler.

A pickle is a program for a small stack machine. This machine knows only the instructions that build
plain data; calls are looked up in a table of constructors written here, which check their
arguments. There is nothing else it could import, call or set, whatever the file says.
"""

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from core.errors import FaceLabError
from core.legacy_pickle_values import (
    CONSTRUCTORS,
    Arguments,
    LegacyEnum,
    Name,
    Refused,
    Unfinished,
    checked_key,
)

__all__ = ["Dialect", "LegacyEnum", "LegacyPickleError", "loads", "loads_at"]

MAX_OPERATIONS = 100_000_000
MAX_CONTAINERS = 12_000_000  # empty ones take some 60 bytes, so less than 1 GB
MAX_NESTING = 64
_STOP = ord(".")


class LegacyPickleError(FaceLabError):
    """A pickle is damaged, too large, or holds more than plain data."""


class Dialect(NamedTuple):
    """What the pickles of one program hold beyond plain data.

    Attributes:
        constructor: "module.name" -> a function that checks its arguments and makes the value;
            None for globals that are refused.
        persistent: Makes a value of what the program keeps beside the pickle, from its key; None
            refuses such keys.
        has_attributes: Whether dictionaries may have attributes, which are left out.
    """

    constructor: Callable[[str], Callable[..., Any] | None] = CONSTRUCTORS.get
    persistent: Callable[[Any], Any] | None = None
    has_attributes: bool = False


PLAIN = Dialect()


def loads(data: bytes, source: str = "pickle", *, max_operations: int = MAX_OPERATIONS) -> Any:
    """Reads the first pickle in `data`.

    Args:
        data: Binary pickle of protocol 2 to 5; what follows its end is ignored.
        source: Named in errors, best the path of the file.
        max_operations: Instructions after which the file counts as hostile.

    Returns:
        dict, list, tuple, str, bytes, bool, int, float, complex, None, LegacyEnum, and
        numeric np.ndarray (read-only, native byte order or as stored).

    Raises:
        LegacyPickleError: Damaged, too large, or holding something else; nothing was executed.
    """
    return loads_at(data, 0, source, max_operations=max_operations)[0]


def loads_at(data: bytes, start: int, source: str, *, dialect: Dialect = PLAIN,
             max_operations: int = MAX_OPERATIONS) -> tuple[Any, int]:
    """Reads the pickle that begins at byte `start`.

    Args:
        data, source, max_operations: As for `loads`.
        dialect: What it may hold beyond plain data.

    Returns:
        The value as `loads` gives it, and the position behind the pickle.

    Raises:
        LegacyPickleError: As `loads`.
    """
    machine = _Machine(data, max_operations, dialect, start)
    try:
        return machine.run(), machine.at + 1
    except Refused as error:
        raise LegacyPickleError(f"{source}: {error}; nothing of it was used") from error
    except (IndexError, KeyError, struct.error, ValueError, OverflowError, TypeError) as error:
        raise LegacyPickleError(f"{source}: the pickle is damaged at byte {machine.at} "
                                f"({type(error).__name__}); take another copy of it") from error


_ARGUMENTS_ONLY = (Name, np.dtype)
_NOT_DATA = (Name, np.dtype, Arguments, Unfinished)


def _data(value: Any) -> Any:
    if isinstance(value, _NOT_DATA):
        raise Refused(f"a {type(value).__name__.lower()} stands where data should")
    return value


class _Machine:
    """Runs one pickle.

    Attributes:
        at: Position of the next byte.
        stack, marks: Values, and the heights of the stack at its marks.
        memo: Values that come again.
    """

    def __init__(self, data: bytes, max_operations: int, dialect: Dialect, start: int):
        self.data, self.at, self.dialect = bytes(data), start, dialect
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.containers = 0
        self._max_operations = max_operations

    def run(self) -> Any:
        data, operations = self.data, OPERATIONS
        for _ in range(self._max_operations):
            code = data[self.at]
            if code == _STOP:
                return self._result()
            operation = operations.get(code)
            if operation is None:
                raise Refused(f"instruction {bytes([code])!r} at byte {self.at} is not one that "
                              "plain data needs")
            self.at += 1
            operation(self)
        raise Refused(f"it has more than {self._max_operations} instructions")

    def _result(self) -> Any:
        if len(self.stack) != 1 or self.marks:
            raise Refused("it does not end with one value")
        result = _data(self.stack[0])
        _check_nesting(result)
        return result

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        if not 0 <= length <= len(self.data) - self.at:
            raise ValueError(f"{length} bytes are wanted")
        start, self.at = self.at, self.at + length
        return self.data[start:self.at]

    def number(self, size: int) -> int:
        """The next little-endian unsigned number."""
        return int.from_bytes(self.take(size), "little")

    def line(self) -> str:
        """The text up to the next line end."""
        end = self.data.index(b"\n", self.at, self.at + 1000)
        text = self.take(end - self.at).decode("utf-8")
        self.at += 1
        return text

    def pop(self) -> Any:
        """Takes the topmost value, which must be data or a name about to be called."""
        if self.marks and len(self.stack) <= self.marks[-1]:
            raise IndexError("the stack is empty above its mark")
        return self.stack.pop()

    def pop_data(self) -> Any:
        """Takes the topmost value, which must be data."""
        return _data(self.pop())

    def pop_to_mark(self) -> list[Any]:
        """Takes everything above the topmost mark."""
        height = self.marks.pop()
        values = self.stack[height:]
        del self.stack[height:]
        return values

    def top(self, kind: type) -> Any:
        """The value under what was just taken, which must be of a type."""
        if self.marks and len(self.stack) <= self.marks[-1]:
            raise IndexError("the stack is empty above its mark")
        if type(self.stack[-1]) is not kind:
            raise Refused(f"a {type(self.stack[-1]).__name__} is filled like a {kind.__name__}")
        return self.stack[-1]

    def push_container(self, value: Any) -> None:
        """Puts a list, tuple or dict on the stack."""
        self.containers += 1
        if self.containers > MAX_CONTAINERS:
            raise Refused(f"it has more than {MAX_CONTAINERS} lists, tuples and dictionaries")
        self.stack.append(value)

    def remember(self, key: int) -> None:
        """Stores the topmost value for later."""
        value = self.stack[-1]
        if isinstance(value, Unfinished):
            value.memo_keys.append(key)
        self.memo[key] = value

    def recall(self, key: int) -> None:
        """Puts a stored value on the stack."""
        value = self.memo[key]
        if isinstance(value, Unfinished):
            raise Refused("an array is used before it has contents")
        self.stack.append(value)


def _check_nesting(result: Any) -> None:
    """Refuses cycles, towers, and few lists that stand for many when each use is counted."""
    layer = {id(result): (result, 1)} if type(result) in (dict, list, tuple) else {}
    total = 0
    for _ in range(MAX_NESTING):
        total += sum(uses for _, uses in layer.values())
        if total > 10 * MAX_CONTAINERS:
            raise Refused("its lists are shared so often that they would fill the memory")
        below = {}
        for container, uses in layer.values():
            items = container.values() if type(container) is dict else container
            for item in items:
                if type(item) in (dict, list, tuple):
                    below[id(item)] = item, uses + below.get(id(item), (item, 0))[1]
        if not below:
            return
        layer = below
    raise Refused(f"its lists are nested deeper than {MAX_NESTING}, or hold themselves")


def _list_items(machine: _Machine) -> None:
    values = [_data(value) for value in machine.pop_to_mark()]
    machine.top(list).extend(values)


def _append(machine: _Machine) -> None:
    value = machine.pop_data()
    machine.top(list).append(value)


def _set_item(machine: _Machine) -> None:
    value, key = machine.pop_data(), machine.pop_data()
    machine.top(dict)[checked_key(key)] = value


def _set_items(machine: _Machine) -> None:
    values = [_data(value) for value in machine.pop_to_mark()]
    pairs = zip(values[::2], values[1::2], strict=True)
    machine.top(dict).update({checked_key(key): value for key, value in pairs})


def _tuple(machine: _Machine, values: list[Any]) -> None:
    if any(isinstance(value, (Unfinished, Arguments)) for value in values):
        raise Refused("an unfinished value stands in a tuple")
    is_call = any(isinstance(value, _ARGUMENTS_ONLY) for value in values)
    machine.push_container(Arguments(values) if is_call else tuple(values))


def _tuple_of(length: int) -> Callable[[_Machine], None]:
    return lambda machine: _tuple(machine, [machine.pop() for _ in range(length)][::-1])


def _long(machine: _Machine, length: int) -> None:
    machine.stack.append(int.from_bytes(machine.take(length), "little", signed=True))


def _push(value: Any) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(value)


def _unsigned(size: int) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(machine.number(size))


def _bytes_of(size: int) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(machine.take(machine.number(size)))


def _text_of(size: int) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(
        machine.take(machine.number(size)).decode("utf-8", "surrogatepass"))


def _global(machine: _Machine) -> None:
    machine.stack.append(_known_name(machine.dialect, machine.line(), machine.line()))


def _stack_global(machine: _Machine) -> None:
    name, module = machine.pop(), machine.pop()
    if type(name) is not str or type(module) is not str:
        raise Refused("a global is not named by text")
    machine.stack.append(_known_name(machine.dialect, module, name))


def _known_name(dialect: Dialect, module: str, name: str) -> Name:
    # NumPy 2 renamed its core; both names mean the same.
    address = f"{module}.{name}".replace("numpy._core.", "numpy.core.")
    if dialect.constructor(address) is None:
        raise Refused(f"it wants to use {module}.{name}, which is not plain data and may be an "
                      "attack; do not open this file with other programs")
    return Name(address)


def _reduce(machine: _Machine) -> None:
    arguments, name = machine.pop(), machine.pop()
    if type(name) is not Name or not isinstance(arguments, tuple):
        raise Refused("it calls something that is no known constructor")
    try:
        machine.stack.append(machine.dialect.constructor(name)(*arguments))
    except (TypeError, ValueError) as error:
        raise Refused(f"{name} is called in an unusual way ({error})") from error


def _build(machine: _Machine) -> None:
    state, value = machine.pop(), machine.pop()
    if machine.dialect.has_attributes and type(value) is type(state) is dict:
        machine.stack.append(value)
        return
    if not isinstance(value, Unfinished) or not isinstance(state, (tuple, dict)):
        raise Refused(f"it sets attributes of a {type(value).__name__}")
    try:
        finished = value.finish(state)
    except (TypeError, ValueError) as error:
        raise Refused(f"an array is stored in an unusual way ({error})") from error
    for key in value.memo_keys:
        machine.memo[key] = finished
    machine.stack.append(finished)


def _persistent(machine: _Machine) -> None:
    key = machine.pop()
    if machine.dialect.persistent is None:
        raise Refused("it refers to data outside of it")
    try:
        machine.stack.append(machine.dialect.persistent(key))
    except (TypeError, ValueError) as error:
        raise Refused(f"it refers to data outside of it in an unusual way ({error})") from error


OPERATIONS: dict[int, Callable[[_Machine], None]] = {code[0]: operation for code, operation in {
    b"\x80": lambda machine: machine.number(1),  # protocol
    b"\x95": lambda machine: machine.number(8),  # frame
    b"(": lambda machine: machine.marks.append(len(machine.stack)),
    b"N": _push(None), b"\x88": _push(True), b"\x89": _push(False),
    b"J": lambda machine: _long(machine, 4),
    b"K": _unsigned(1), b"M": _unsigned(2),
    b"\x8a": lambda machine: _long(machine, machine.number(1)),
    b"\x8b": lambda machine: _long(machine, machine.number(4)),
    b"G": lambda machine: machine.stack.append(struct.unpack(">d", machine.take(8))[0]),
    b"C": _bytes_of(1), b"B": _bytes_of(4), b"\x8e": _bytes_of(8), b"\x96": _bytes_of(8),
    b"\x8c": _text_of(1), b"X": _text_of(4), b"\x8d": _text_of(8),
    b"]": lambda machine: machine.push_container([]),
    b"}": lambda machine: machine.push_container({}),
    b")": lambda machine: machine.push_container(()),
    b"a": _append, b"e": _list_items, b"s": _set_item, b"u": _set_items,
    b"t": lambda machine: _tuple(machine, machine.pop_to_mark()),
    b"\x85": _tuple_of(1), b"\x86": _tuple_of(2), b"\x87": _tuple_of(3),
    b"q": lambda machine: machine.remember(machine.number(1)),
    b"r": lambda machine: machine.remember(machine.number(4)),
    b"\x94": lambda machine: machine.remember(len(machine.memo)),
    b"h": lambda machine: machine.recall(machine.number(1)),
    b"j": lambda machine: machine.recall(machine.number(4)),
    b"c": _global, b"\x93": _stack_global, b"R": _reduce, b"\x81": _reduce, b"b": _build,
    b"Q": _persistent,
}.items()}
