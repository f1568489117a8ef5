"""What the commands share: options from file, flags and prompts, and folders that must be named."""

import argparse
from typing import Any, TypeVar

from core.errors import UsageError
from core.option_spec import OptionSpec
from core.options import given, load_toml, resolve, specs
from core.prompt import Prompter

T = TypeVar("T")


def resolve_options(options_type: type[T], arguments: argparse.Namespace, prompter: Prompter,
                    saved: dict[str, Any] | None = None) -> T:
    """The options of a command: default < saved < TOML section < answer < flag.

    Raises:
        OptionError: A name or value is wrong.
    """
    return resolve(options_type, saved=saved or {},
                   file=load_toml(arguments.config, arguments.command),
                   given=given(arguments, options_type), prompter=prompter)


def require(options: Any, *names: str) -> None:
    """Makes sure that options without a sensible default have a value.

    Raises:
        UsageError: naming the flags that are missing.
    """
    missing = [_spec(options, name).flag for name in names if getattr(options, name) is None]
    if missing:
        raise UsageError(f"{' and '.join(missing)} missing; see --help")


def _spec(options: Any, name: str) -> OptionSpec:
    return next(spec for spec in specs(type(options)) if spec.name == name)
