"""One declared option: its type, its domain, and how a word becomes a value of it."""

import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from core.errors import OptionError

YES = ("y", "yes", "true", "on", "1")
NO = ("n", "no", "false", "off", "0")
NOTHING = ("", "none")


@dataclass(frozen=True)
class OptionSpec:
    """What is known about one option before it has a value.

    Attributes:
        name: Field name, snake_case; also the TOML key, and the flag with dashes.
        type: The field's annotation: bool, int, float, str, Path, `X | None` of these, or a tuple
            of these (`tuple[int, ...]`, or a fixed length such as `tuple[int, int]`).
        default: Value when nobody says anything.
        help: One sentence for the user.
        low, high: Least and greatest number allowed (inclusive), or None.
        multiple_of: Numbers must be a multiple of this, or None.
        choices: The only values allowed; empty means any.
        refused: Choice known from elsewhere -> why it is not offered, as the end of a sentence
            about the option ("cannot be ...").
        words: Words that stand for a value which the domain need not hold ("auto" -> 0).
        ask: Whether a terminal user is asked.
        when: Gets an object with every option as an attribute (values known so far) and says
            whether the question makes sense; None means always.
    """

    name: str
    type: Any
    default: Any
    help: str
    low: float | None = None
    high: float | None = None
    multiple_of: int | None = None
    choices: tuple = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Any] = field(default_factory=dict)
    ask: bool = False
    when: Callable[[Any], bool] | None = None

    @property
    def flag(self) -> str:
        """The command line's name: `batch_size` -> `--batch-size`."""
        return "--" + self.name.replace("_", "-")

    @property
    def title(self) -> str:
        """The prompt's name: `batch_size` -> `Batch size`."""
        return self.name.replace("_", " ").capitalize()

    @property
    def is_optional(self) -> bool:
        """Whether None is a value of this option."""
        return type(None) in _alternatives(self.type)

    @property
    def value_type(self) -> Any:
        """The annotation without `| None`."""
        others = [kind for kind in _alternatives(self.type) if kind is not type(None)]
        if len(others) != 1:
            raise TypeError(f"option {self.name}: annotation {self.type} has no single type")
        return others[0]

    @property
    def is_tuple(self) -> bool:
        """Whether a value is a list of items (comma separated on the command line)."""
        return typing.get_origin(self.value_type) is tuple

    @property
    def item_type(self) -> type:
        """Type of the value, or of each item of a tuple."""
        kind = typing.get_args(self.value_type)[0] if self.is_tuple else self.value_type
        if kind not in _CONVERTERS:
            raise TypeError(f"option {self.name}: no way to read a {kind}")
        return kind

    def parse(self, value: Any) -> Any:
        """Turns a word (or a typed value from TOML or JSON) into a checked value.

        Raises:
            OptionError: The value is of the wrong kind or outside the domain; the message reads
                on from the option's name ("must be at least 2, not 1").
        """
        if self.is_optional and (value is None or self._means_nothing(value)):
            return None
        if self.is_tuple:
            return self._parse_tuple(value)
        return self._parse_item(value)

    def format(self, value: Any) -> str:
        """The value as the user would type it."""
        for word, meaning in self.words.items():
            if value == meaning:
                return word
        if value is None:
            return "none"
        if isinstance(value, bool):
            return "y" if value else "n"
        if isinstance(value, (tuple, list)):
            return ",".join(self.format(item) for item in value)
        return str(value)

    def domain(self) -> str:
        """The allowed values in a few words; empty when there is nothing to say."""
        if self.item_type is bool:
            return "y/n"
        if self.choices:
            return " / ".join(str(choice) for choice in self.choices)
        parts = []
        if self.low is not None and self.high is not None:
            parts.append(f"{self.low}..{self.high}")
        elif self.low is not None:
            parts.append(f"{self.low} or more")
        elif self.high is not None:
            parts.append(f"up to {self.high}")
        if self.multiple_of is not None:
            parts.append(f"multiple of {self.multiple_of}")
        return " or ".join([*[", ".join(parts)] * bool(parts), *self.words])

    def _means_nothing(self, value: Any) -> bool:
        if not isinstance(value, str):
            return False
        word = value.strip().lower()
        return word in NOTHING and word not in self.choices

    def _parse_tuple(self, value: Any) -> tuple:
        if isinstance(value, str):
            value = [word for word in value.split(",") if word.strip()]
        if not isinstance(value, Sequence):
            value = [value]
        items = tuple(self._parse_item(item) for item in value)
        lengths = typing.get_args(self.value_type)
        if Ellipsis not in lengths and len(items) != len(lengths):
            raise OptionError(f"must be {len(lengths)} values separated by commas, "
                              f"not {self.format(items)!r}")
        return items

    def _parse_item(self, value: Any) -> Any:
        if isinstance(value, str) and value.strip().lower() in self.words:
            return self.words[value.strip().lower()]
        if not isinstance(value, (str, bool)) and value in self.words.values():
            return value
        item = _CONVERTERS[self.item_type](value)
        if self.choices:
            return self._one_of_choices(item)
        self._check_range(item)
        self._check_multiple(item)
        return item

    def _one_of_choices(self, item: Any) -> Any:
        by_word = {str(choice).lower(): choice for choice in self.choices}
        word = str(item).lower()
        if word in by_word:
            return by_word[word]
        for name, reason in self.refused.items():
            if word == name.lower():
                raise OptionError(reason)
        raise OptionError(f"must be one of {', '.join(map(str, self.choices))}, not "
                          f"{str(item)!r}{did_you_mean(word, map(str, by_word.values()))}")

    def _check_range(self, item: Any) -> None:
        too_low = self.low is not None and item < self.low
        too_high = self.high is not None and item > self.high
        if not (too_low or too_high):
            return
        if self.low is not None and self.high is not None:
            raise OptionError(f"must be between {self.low} and {self.high}, not {item}")
        bound = f"at least {self.low}" if too_low else f"at most {self.high}"
        raise OptionError(f"must be {bound}, not {item}")

    def _check_multiple(self, item: Any) -> None:
        if self.multiple_of is None or item % self.multiple_of == 0:
            return
        below = item // self.multiple_of * self.multiple_of
        raise OptionError(f"must be a multiple of {self.multiple_of}, not {item}; "
                          f"{below} and {below + self.multiple_of} are nearest")


def did_you_mean(word: str, known: typing.Iterable[str]) -> str:
    """`; did you mean 'X'?` when a known word is close to `word`, else an empty string."""
    by_small = {name.lower(): name for name in known}
    nearest = get_close_matches(word.lower(), list(by_small), n=1)
    return f"; did you mean {by_small[nearest[0]]!r}?" if nearest else ""


def _alternatives(annotation: Any) -> tuple:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return typing.get_args(annotation)
    return (annotation,)


def _to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else None
    if word in YES:
        return True
    if word in NO:
        return False
    raise OptionError(f"must be y or n, not {value!r}")


def _to_int(value: Any) -> int:
    try:
        # Text goes straight to int: a float would round numbers above 2**53.
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        raise OptionError(f"must be a whole number, not {value!r}") from None
    if isinstance(value, bool) or (not isinstance(value, str) and number != value):
        raise OptionError(f"must be a whole number, not {value!r}")
    return number


def _to_float(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise OptionError(f"must be a number, not {value!r}") from None
    if isinstance(value, bool) or not math.isfinite(number):
        raise OptionError(f"must be a number, not {value!r}")
    return number


def _to_str(value: Any) -> str:
    if not isinstance(value, str):
        raise OptionError(f"must be text, not {value!r}")
    return value


def _to_path(value: Any) -> Path:
    if not isinstance(value, (str, Path)) or not str(value):
        raise OptionError(f"must be a path, not {value!r}")
    return Path(value).expanduser()


_CONVERTERS: dict[type, Callable[[Any], Any]] = {
    bool: _to_bool,
    int: _to_int,
    float: _to_float,
    str: _to_str,
    Path: _to_path,
}
