"""Options declared once: each is a flag, a TOML key and, on a terminal, a question.

Example:
    @dataclass(frozen=True)
    class ExtractOptions:
        max_faces: int = option(0, low=0, help="Most faces kept per frame; 0 keeps all.", ask=True)

    add_arguments(parser, ExtractOptions)
    options = resolve(ExtractOptions, given=given(parser.parse_args(), ExtractOptions))
"""

import argparse
import dataclasses
import functools
import tomllib
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from core.errors import OptionError
from core.option_spec import OptionSpec, did_you_mean
from core.prompt import Prompter

T = TypeVar("T")

_METADATA_KEY = "facelab_option"
_METAVARS = {int: "N", float: "X", str: "TEXT", Path: "PATH"}


def option(
    default: Any,
    *,
    help: str,
    low: float | None = None,
    high: float | None = None,
    multiple_of: int | None = None,
    choices: Iterable = (),
    refused: Mapping[str, str] = types.MappingProxyType({}),
    words: Mapping[str, Any] = types.MappingProxyType({}),
    ask: bool = False,
    when: Callable[[Any], bool] | None = None,
) -> Any:
    """Declares one field of an options dataclass; see `OptionSpec` for the arguments."""
    domain = {"help": help, "low": low, "high": high, "multiple_of": multiple_of,
              "choices": tuple(choices), "refused": dict(refused), "words": dict(words),
              "ask": ask, "when": when}
    return dataclasses.field(default=default, metadata={_METADATA_KEY: domain})


@functools.cache
def specs(options_type: type) -> tuple[OptionSpec, ...]:
    """The declared options of a dataclass, in order (inherited ones first).

    Raises:
        TypeError: A field was not made by `option()`, has a type no option can have, or a default
            outside its own domain. That is a mistake in the program, not of the user.
    """
    hints = typing.get_type_hints(options_type)
    return tuple(_spec(field, hints[field.name]) for field in dataclasses.fields(options_type))


def _spec(field: dataclasses.Field, annotation: Any) -> OptionSpec:
    if _METADATA_KEY not in field.metadata:
        raise TypeError(f"field {field.name} was not declared with option()")
    spec = OptionSpec(field.name, annotation, field.default, **field.metadata[_METADATA_KEY])
    try:
        spec.parse(spec.default)
    except OptionError as error:
        raise TypeError(f"default of option {spec.name} {error}") from error
    return spec


def resolve(
    options_type: type[T],
    *,
    saved: Mapping[str, Any] = types.MappingProxyType({}),
    file: Mapping[str, Any] = types.MappingProxyType({}),
    given: Mapping[str, Any] = types.MappingProxyType({}),
    prompter: Prompter | None = None,
) -> T:
    """Makes the options of a run: default < saved < TOML file < answer < flag.

    Args:
        options_type: Frozen dataclass whose fields were made by `option()`.
        saved: Values of an earlier run, such as those stored beside a model.
        file: Values of a TOML section (`load_toml`).
        given: Values of flags (`given`).
        prompter: Asks for the options declared with `ask=True` that neither the file nor a flag
            sets; None asks nothing.

    Raises:
        OptionError: An unknown name, or a value of the wrong kind or outside its domain.
    """
    declared = specs(options_type)
    values = {spec.name: spec.parse(spec.default) for spec in declared}
    values |= _checked(declared, saved, "saved options")
    fixed = _checked(declared, file, "TOML file") | _checked(declared, given, "command line")
    values |= fixed
    for spec in declared:
        if prompter is not None and spec.ask and spec.name not in fixed and _applies(spec, values):
            answer = prompter.ask(spec, values[spec.name])
            values |= _checked(declared, {spec.name: answer}, "answer")
    return options_type(**values)


def _applies(spec: OptionSpec, values: Mapping[str, Any]) -> bool:
    return spec.when is None or bool(spec.when(types.SimpleNamespace(**values)))


def _checked(
    declared: tuple[OptionSpec, ...], values: Mapping[str, Any], source: str
) -> dict[str, Any]:
    by_name = {spec.name: spec for spec in declared}
    checked = {}
    for written, value in values.items():
        name = written.replace("-", "_")
        if name not in by_name:
            raise OptionError(_unknown(written, by_name, source))
        try:
            checked[name] = by_name[name].parse(value)
        except OptionError as error:
            raise OptionError(f"option {name} {error} ({source})") from error
    return checked


def _unknown(name: str, known: Iterable[str], source: str) -> str:
    known = list(known)
    hint = did_you_mean(name.replace("-", "_"), known) or f"; known are {', '.join(known)}"
    return f"{source}: unknown option {name!r}{hint}"


def divide(
    values: Mapping[str, Any], *options_types: type, source: str = "TOML file"
) -> tuple[dict[str, Any], ...]:
    """Deals the values of one TOML section out to the option types that declare them.

    Args:
        values: What `load_toml` gave.
        options_types: One result for each.
        source: Named in errors, best the path of the file.

    Raises:
        OptionError: A name that none of the types declares, or a value outside its domain.
    """
    names = [{spec.name for spec in specs(options_type)} for options_type in options_types]
    known = set().union(*names)
    for name in values:
        if name.replace("-", "_") not in known:
            raise OptionError(_unknown(name, sorted(known), source))
    parts = ({name: value for name, value in values.items() if name.replace("-", "_") in own}
             for own in names)
    return tuple(_checked(specs(options_type), part, source)
                 for options_type, part in zip(options_types, parts, strict=True))


def add_arguments(parser: argparse.ArgumentParser, options_type: type) -> None:
    """Adds one flag per option: `--batch-size N`; a yes/no option is `--flag` or `--no-flag`.

    Flags not given leave no trace in the namespace, so that `given` finds only what the user said.
    """
    for spec in specs(options_type):
        settings = {"dest": spec.name, "default": argparse.SUPPRESS, "help": _flag_help(spec)}
        if spec.item_type is bool and not spec.is_tuple:
            parser.add_argument(spec.flag, action=argparse.BooleanOptionalAction, **settings)
        else:
            parser.add_argument(spec.flag, type=_argument_parser(spec), metavar=_metavar(spec),
                                **settings)


def _flag_help(spec: OptionSpec) -> str:
    facts = [] if spec.item_type is bool or not spec.domain() else [spec.domain()]
    facts.append(f"default {spec.format(spec.default)}")
    return f"{spec.help} ({'; '.join(facts)})".replace("%", "%%")


def _metavar(spec: OptionSpec) -> str:
    word = "NAME" if spec.choices else _METAVARS[spec.item_type]
    return f"{word},..." if spec.is_tuple else word


def _argument_parser(spec: OptionSpec) -> Callable[[str], Any]:
    def parse(word: str) -> Any:
        try:
            return spec.parse(word)
        except OptionError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse


def given(namespace: argparse.Namespace, options_type: type) -> dict[str, Any]:
    """The options of `options_type` that the command line really set."""
    return {spec.name: getattr(namespace, spec.name) for spec in specs(options_type)
            if hasattr(namespace, spec.name)}


def load_toml(path: Path | str | None, section: str) -> dict[str, Any]:
    """The values of one section of a TOML file; none when there is no file (`path` None).

    Raises:
        OptionError: The file cannot be read, is not TOML, or lacks the section.
    """
    if path is None:
        return {}
    try:
        tables = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise OptionError(f"{path}: {error.strerror or error}; check the --config path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{path}: not a TOML file: {error}") from error
    values = tables.get(section)
    if not isinstance(values, dict):
        raise OptionError(f"{path}: there is no [{section}] section; put the options of this "
                          f"command under [{section}]")
    return values


def to_toml(options: Any, section: str) -> str:
    """The options as a TOML section that `load_toml` reads back, with each help as a comment."""
    import tomli_w  # only here: `--help` does without it

    lines = [f"[{section}]"]
    for spec in specs(type(options)):
        value = getattr(options, spec.name)
        plain = spec.format(value) if value is None or isinstance(value, Path) else value
        lines += [f"# {line}" for line in spec.help.splitlines()]
        lines.append(tomli_w.dumps({spec.name: plain}).strip())
    return "\n".join(lines) + "\n"
