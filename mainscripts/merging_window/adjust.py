"""Which key changes which option of merging, and by how much. Knows no window."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

from core.option_spec import OptionSpec
from core.options import specs
from merger.options import FACE_UNIT_LIMITS, MergeOptions

SPECS: Mapping[str, OptionSpec] = MappingProxyType(
    {spec.name: spec for spec in specs(MergeOptions)})

LARGE_STEP = 5
"""Steps that a key makes with shift."""

FACE_UNIT_STEP = 0.5
"""Percent of the face square's side; options in whole units have steps of 1."""

MODE_KEYS: Mapping[str, str] = MappingProxyType({
    "`": "original", "1": "overlay", "2": "hist-match", "3": "seamless",
    "4": "seamless-hist-match", "5": "raw-rgb", "6": "raw-predict", "7": "laplacian"})
"""Key -> merge mode."""


class StepKeys(NamedTuple):
    """An option that the keys `up` and `down` raise and lower."""

    option: str
    up: str
    down: str


STEPS: tuple[StepKeys, ...] = (
    StepKeys("hist_match_threshold", "q", "a"),
    StepKeys("erode_mask", "w", "s"),
    StepKeys("blur_mask", "e", "d"),
    StepKeys("motion_blur_power", "r", "f"),
    StepKeys("super_resolution_power", "t", "g"),
    StepKeys("blursharpen_amount", "y", "h"),
    StepKeys("output_face_scale", "u", "j"),
    StepKeys("image_denoise_power", "i", "k"),
    StepKeys("bicubic_degrade_power", "o", "l"),
    StepKeys("color_degrade_power", "p", ";"),
    StepKeys("color_smoothing", "]", "["),
)

CHOICES: Mapping[str, str] = MappingProxyType({
    "x": "mask_mode", "c": "color_transfer", "n": "sharpen_mode", "z": "masked_hist_match",
    "8": "mask_units"})
"""Key -> option of which it takes the next choice; with shift the one before."""

SHIFTED: Mapping[str, str] = MappingProxyType({";": ":", "[": "{", "]": "}"})
"""Key -> what it is called with shift, where that is no capital."""


class Adjusted(NamedTuple):
    """`options` after a key, and a `note` on them for the user."""

    options: MergeOptions
    note: str


class _Action(NamedTuple):
    option: str
    steps: int = 0
    choice: str = ""


def adjusted(options: MergeOptions, key: str) -> Adjusted | None:
    """What a key makes of options; None if it is for something else.

    The options stay as they are where one of them does nothing in this mode, or is at its end.
    """
    action = _ACTIONS.get(key)
    if action is None:
        return None
    spec = SPECS[action.option]
    if spec.when is not None and not spec.when(options):
        return Adjusted(options, f"{words_of(spec.name)} does nothing with {_reason(options)}")
    value = action.choice or (_stepped(options, spec, action.steps) if not _is_choice(spec)
                              else _next_choice(options, spec, action.steps))
    changed = _with(options, spec.name, value)
    return Adjusted(changed, f"{words_of(spec.name)} {spec.format(getattr(changed, spec.name))}")


def words_of(option: str) -> str:
    """An option's name as people write it."""
    return option.replace("_", " ")


def step_of(options: MergeOptions, option: str) -> float:
    """By how much a key changes an option."""
    is_share = option in FACE_UNIT_LIMITS and options.mask_units == "face"
    return FACE_UNIT_STEP if is_share else 1


def keys_of(option: str) -> Sequence[str]:
    """The keys for an option, without shift."""
    if option == "mode":
        return tuple(MODE_KEYS)
    found = [keys for keys in STEPS if keys.option == option]
    return (found[0].up, found[0].down) if found else tuple(
        key for key, name in CHOICES.items() if name == option)


def applies(options: MergeOptions, option: str) -> bool:
    """Whether an option does anything with the others as they are."""
    when = SPECS[option].when
    return when is None or bool(when(options))


def _reason(options: MergeOptions) -> str:
    return f"mode {options.mode} and sharpen mode {options.sharpen_mode}"


def _is_choice(spec: OptionSpec) -> bool:
    return bool(spec.choices) or spec.item_type is bool


def _next_choice(options: MergeOptions, spec: OptionSpec, steps: int) -> Any:
    choices = spec.choices or (False, True)
    return choices[(choices.index(getattr(options, spec.name)) + steps) % len(choices)]


def _stepped(options: MergeOptions, spec: OptionSpec, steps: int) -> float:
    value = getattr(options, spec.name) + steps * step_of(options, spec.name)
    return spec.item_type(min(max(value, spec.low), spec.high))


def _with(options: MergeOptions, option: str, value: Any) -> MergeOptions:
    """The options with one changed, and lengths brought within the limits of their units."""
    values = {option: value}
    if values.get("mask_units", options.mask_units) == "face":
        for name, (low, high) in FACE_UNIT_LIMITS.items():
            values[name] = min(max(values.get(name, getattr(options, name)), low), high)
    return replace(options, **values)


def _shifted(key: str) -> str:
    return SHIFTED.get(key, key.upper())


def _actions() -> dict[str, _Action]:
    actions = {key: _Action("mode", choice=mode) for key, mode in MODE_KEYS.items()}
    for keys in STEPS:
        for key, sign in ((keys.up, 1), (keys.down, -1)):
            actions[key] = _Action(keys.option, sign)
            actions[_shifted(key)] = _Action(keys.option, sign * LARGE_STEP)
    for key, option in CHOICES.items():
        actions[key] = _Action(option, 1)
        if key.isalpha():
            actions[_shifted(key)] = _Action(option, -1)
    return {key: action for key, action in actions.items() if action.option in SPECS}


_ACTIONS: Mapping[str, _Action] = MappingProxyType(_actions())
