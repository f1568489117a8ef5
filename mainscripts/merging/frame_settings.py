"""How each frame is merged: the same for all, or told by a file for stretches of frames.

The file is JSON, made by the merge window or a text editor:

    {
      "version": 1,
      "base": {"mode": "overlay", "erode_mask": 2.5},
      "ranges": [
        {"from": "00010.png", "to": "00024.png", "options": {"erode_mask": 5}}
      ]
    }

`base` holds for all frames, as set where it says nothing; a range only says what differs. Where
ranges overlap, the later one decides, option by option. `window` is what the merge window
remembers; nothing else looks at it.
"""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from core.errors import OptionError
from core.frames import Frame
from core.option_spec import did_you_mean
from core.options import divide
from core.paths import atomic_write
from merger.options import MergeOptions

VERSION = 1
SETTINGS_FILE = "merge_settings.json"
"""In the folder of the merged frames: what the merge window keeps unless told otherwise."""

T = TypeVar("T")


@dataclass(frozen=True)
class FrameSettings:
    """The options of all frames.

    Attributes:
        base: Of frames that have none of their own.
        own: Frame name -> its options.
    """

    base: MergeOptions
    own: Mapping[str, MergeOptions] = field(default_factory=dict)

    def of(self, frame: Frame) -> MergeOptions:
        """How a frame is merged."""
        return self.own.get(frame.name, self.base)

    def changes(self, frame: Frame) -> dict[str, Any]:
        """The options of a frame that are not those of all frames."""
        return differences(self.base, self.of(frame))

    def only(self, frames: Iterable[Frame]) -> "FrameSettings":
        """The same without other frames, for a process that works on these."""
        return replace(self, own={frame.name: self.own[frame.name] for frame in frames
                                  if frame.name in self.own})


class WindowState(NamedTuple):
    """What the merge window remembers: `frame` is the name of the one shown; `following` are the
    names of those that nobody has set, which do as the frame before them."""

    frame: str | None = None
    following: frozenset[str] = frozenset()


class SettingsFile(NamedTuple):
    """What a file says."""

    settings: FrameSettings
    window: WindowState


def differences(base: MergeOptions, options: MergeOptions) -> dict[str, Any]:
    """The options by name that `base` has otherwise."""
    if options == base:
        return {}
    before = asdict(base)
    return {name: value for name, value in asdict(options).items() if value != before[name]}


def write_settings(path: Path, frames: Sequence[Frame], settings: FrameSettings,
                   window: WindowState | None = None, *, durable: bool = True) -> None:
    """Writes the file; it appears whole or not at all.

    Args:
        path: The file.
        frames: All, in order.
        settings: Theirs.
        window: What the merge window remembers.
        durable: Whether it outlives a power cut at once; a crash of the program it always does.
    """
    ranges = [{"from": first, "to": last, "options": differences(settings.base, options)}
              for first, last, options in _stretches(frames, settings.of)
              if options != settings.base]
    content = {"version": VERSION, "base": asdict(settings.base), "ranges": ranges}
    if window is not None:
        following = [{"from": first, "to": last} for first, last, is_following in _stretches(
            frames, lambda frame: frame.name in window.following) if is_following]
        content["window"] = {"frame": window.frame, "following": following}
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    atomic_write(path, text.encode("utf-8"), durable=durable)


def read_settings(path: Path, frames: Sequence[Frame]) -> SettingsFile:
    """Reads what `write_settings` or a person wrote.

    Args:
        path: The file.
        frames: All of the merge, in order. A frame may be named with its suffix or without.

    Raises:
        OptionError: The file cannot be read, or says something that is not understood.
    """
    content = read_json(path)
    _check_names(content, {"version", "base", "ranges", "window"}, str(path))
    check_version(content, path)
    base = options_from(content.get("base", {}), f"{path}: base")
    numbers = _Numbers(path, frames)
    changed: dict[int, dict[str, Any]] = {}
    for place, item in enumerate(_list_in(content, "ranges", str(path))):
        where = f"{path}: range {place + 1}"
        inside, item = numbers.of_range(item, where, "options")
        changes = checked_options(item.get("options", {}), where)
        changed_options(base, changes, where)
        for number in inside:
            changed.setdefault(number, {}).update(changes)
    own = {frames[number].name: changed_options(base, changes, f"{path}: {frames[number].name}")
           for number, changes in sorted(changed.items())}
    return SettingsFile(FrameSettings(base, own), _window_in(content, numbers, path))


def read_base(path: Path) -> MergeOptions:
    """The options of all frames that a file of settings holds.

    Raises:
        OptionError: The file cannot be read, or an option is unknown or out of range.
    """
    return options_from(read_json(path).get("base", {}), f"{path}: base")


def options_from(values: Any, where: str) -> MergeOptions:
    """Options of a JSON object; as set where it says nothing.

    Raises:
        OptionError: It is no object, or an option is unknown or out of range.
    """
    return changed_options(MergeOptions(), checked_options(values, where), where)


def checked_options(values: Any, where: str) -> dict[str, Any]:
    """The values of a JSON object of options, each by itself within its range.

    Raises:
        OptionError: It is no object, or an option is unknown or out of range.
    """
    if not isinstance(values, dict):
        raise OptionError(f"{where}: options are written {{\"name\": value}}")
    return divide(values, MergeOptions, source=where)[0]


def changed_options(base: MergeOptions, changes: Mapping[str, Any], where: str) -> MergeOptions:
    """Other options with some changes.

    Raises:
        OptionError: They do not go together.
    """
    try:
        return replace(base, **changes)
    except OptionError as error:
        raise OptionError(f"{where}: {error}") from error


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        OptionError: There is no such file, or it holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_without_twins)
    except OSError as error:
        raise OptionError(f"{path}: {error.strerror or error}; check the path") from error
    except json.JSONDecodeError as error:
        raise OptionError(f"{path}: line {error.lineno} is not JSON ({error.msg}); correct it, or "
                          "take the file away to begin anew") from error
    except ValueError as error:  # not UTF-8, or a name twice
        raise OptionError(f"{path}: {error}; correct it, or take the file away to begin anew"
                          ) from error
    if not isinstance(content, dict):
        raise OptionError(f"{path}: must hold a JSON object {{...}}; take the file away to begin "
                          "anew")
    return content


def check_version(content: Mapping[str, Any], path: Path) -> None:
    """
    Raises:
        OptionError: The file is of a version that this program does not know.
    """
    version = content.get("version")
    if version != VERSION or isinstance(version, bool):
        raise OptionError(f"{path}: has version {version!r} and must have {VERSION}; it was made "
                          "for another FaceLab")


class _Numbers:
    """Finds frames by the names that a file uses."""

    def __init__(self, path: Path, frames: Sequence[Frame]):
        self._path, self._frames = path, frames
        self._by_name = {frame.stem: number for number, frame in enumerate(frames)}
        self._by_name |= {frame.name: number for number, frame in enumerate(frames)}

    def of(self, name: Any, where: str) -> int:
        """
        Raises:
            OptionError: There is no such frame.
        """
        number = self._by_name.get(name) if isinstance(name, str) else None
        if number is None:
            near = did_you_mean(name, self._by_name) if isinstance(name, str) else ""
            raise OptionError(f"{where}: there is no frame {name!r}" + (near or (
                f"; the first is {self._frames[0].name!r} and the last "
                f"{self._frames[-1].name!r}")))
        return number

    def of_range(self, item: Any, where: str, *more: str) -> tuple[range, Mapping[str, Any]]:
        """
        Raises:
            OptionError: It is none, or has other names than "from", "to" and `more`.
        """
        if not isinstance(item, dict):
            raise OptionError(f"{where}: must be an object with \"from\" and \"to\"")
        _check_names(item, {"from", "to", *more}, where)
        first, last = (self.of(item.get(name), f"{where}: {name}") for name in ("from", "to"))
        if first > last:
            raise OptionError(f"{where}: {item['from']!r} comes after {item['to']!r}; exchange "
                              "them")
        return range(first, last + 1), item


def _window_in(content: Mapping[str, Any], numbers: _Numbers, path: Path) -> WindowState:
    if "window" not in content:
        return WindowState()
    item, where = content["window"], f"{path}: window"
    if not isinstance(item, dict):
        raise OptionError(f"{where}: must be an object")
    _check_names(item, {"frame", "following"}, where)
    frames = numbers._frames
    frame = item.get("frame")
    following = (frames[number].name for part in _list_in(item, "following", where)
                 for number in numbers.of_range(part, where)[0])
    return WindowState(None if frame is None else frames[numbers.of(frame, where)].name,
                       frozenset(following))


def _stretches(frames: Sequence[Frame], value_of: Callable[[Frame], T]
               ) -> Iterator[tuple[str, str, T]]:
    """(first name, last name, value) of frames in a row that have the same."""
    for value, group in itertools.groupby(frames, value_of):
        names = [frame.name for frame in group]
        yield names[0], names[-1], value


def _list_in(content: Mapping[str, Any], name: str, where: str) -> list:
    items = content.get(name, [])
    if not isinstance(items, list):
        raise OptionError(f"{where}: {name} must be a list [...]")
    return items


def _check_names(content: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in content:
        if name not in known:
            raise OptionError(f"{where}: unknown name {name!r}" + (
                did_you_mean(name, known) or f"; known are {', '.join(sorted(known))}"))


def _without_twins(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twin!r} stands there twice")
    return content
