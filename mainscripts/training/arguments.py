"""The flags of `train`: its own, and those of the kind of model that the words speak of."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import OptionError
from core.options import add_arguments, divide, given, load_toml, resolve
from core.prompt import Prompter
from mainscripts.model_kind import DEFAULT_KIND, saved_kind
from mainscripts.training.options import TrainOptions
from models.options import TrainingOptions
from models.registry import MODELS, known_kind, options_type

SECTION = "train"
# Flags that users of other programs know: name -> how argparse takes it.
ALIASES: dict[str, dict[str, Any]] = {
    "--training-data-src-dir": {"dest": "src_dir", "type": Path},
    "--training-data-dst-dir": {"dest": "dst_dir", "type": Path},
    "--pretraining-data-dir": {"dest": "pretrain_dir", "type": Path},
    "--force-model-name": {"dest": "name"},
    "--force-gpu-idxs": {"dest": "gpus"},
    "--cpu-only": {"dest": "gpus", "action": "store_const", "const": "cpu"},
    "--no-preview": {"dest": "preview", "action": "store_const", "const": "none"},
    "--silent-start": {"dest": "no_prompt", "action": "store_const", "const": True},
}


@dataclass(frozen=True)
class Words:
    """What the command line and the file say.

    Attributes:
        options: Of the command.
        kind: Of the model.
        of_model: Options of the model from the file, and from flags and --set.
    """

    options: TrainOptions
    kind: str
    of_model: tuple[Mapping[str, Any], Mapping[str, Any]]

    def resolve_model(self, saved: Mapping[str, Any], prompter: Prompter) -> TrainingOptions:
        """The model's options: default < saved < file < answer < flag.

        Raises:
            OptionError: A value outside its domain.
        """
        file, flags = self.of_model
        return resolve(options_type(self.kind), saved=saved, file=file, given=flags,
                       prompter=prompter)


def configure(parser: argparse.ArgumentParser, words: Sequence[str]) -> str:
    """Adds the command's flags, those of the model's kind, and what the help says at its end.

    Returns:
        The kind.

    Raises:
        OptionError, UsageError: The words speak of an unknown kind, or do not say which.
    """
    _add_own(parser)
    kind = chosen_kind(words)
    add_arguments(parser.add_argument_group(f"options of {kind}"), options_type(kind))
    others = [f"`train --model {name} --help`" for name in MODELS.names() if name != kind]
    parser.epilog = (f"The options above are those of {kind}; for those of other models see "
                     f"{', '.join(others)}, or --model package.module:Class for your own.")
    return kind


def _add_own(parser: argparse.ArgumentParser) -> None:
    add_arguments(parser, TrainOptions)
    parser.add_argument("--set", action="append", dest="settings", metavar="NAME=VALUE",
                        default=argparse.SUPPRESS,
                        help="Any option by its name in a file; may be repeated.")
    for flag, settings in ALIASES.items():
        parser.add_argument(flag, help=argparse.SUPPRESS,
                            **{"default": argparse.SUPPRESS, **settings})


def read(arguments: argparse.Namespace, kind: str, prompter: Prompter) -> Words:
    """Takes the options of command and model apart.

    Raises:
        OptionError: An unknown name, or a value outside its domain.
    """
    model_type = options_type(kind)
    file = load_toml(arguments.config, SECTION)
    own_file, model_file = divide(file, TrainOptions, model_type, source=str(arguments.config))
    own_set, model_set = divide(settings_of(arguments), TrainOptions, model_type, source="--set")
    # Which folders are asked for depends on the kind, also where the saved model says it.
    options = resolve(TrainOptions, saved={"model": kind}, file=own_file, prompter=prompter,
                      given={**own_set, **given(arguments, TrainOptions)})
    return Words(options, kind, (model_file, {**model_set, **given(arguments, model_type)}))


def settings_of(arguments: argparse.Namespace) -> dict[str, str]:
    """What --set says: name -> word.

    Raises:
        OptionError: A setting without a name or an equals sign.
    """
    settings = {}
    for setting in getattr(arguments, "settings", ()):
        name, equals, value = setting.partition("=")
        if not equals or not name.strip():
            raise OptionError(f"--set {setting}: write it as --set name=value")
        settings[name.strip().replace("-", "_")] = value.strip()
    return settings


def chosen_kind(words: Sequence[str]) -> str:
    """The kind of model that the words mean: as they say, as saved under the name, or the default.

    Raises:
        OptionError: The file cannot be read.
        UsageError: Models of several kinds have the name.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    _add_own(parser)
    parser.add_argument("--config", type=Path)
    try:
        arguments, _ = parser.parse_known_args(list(words))
    except argparse.ArgumentError:
        return DEFAULT_KIND  # the parser of the command says what is wrong
    known = load_toml(arguments.config, SECTION) | settings_of(arguments) | vars(arguments)
    model = resolve(TrainOptions, file={"model": known.get("model")}).model
    if model is not None:
        return known_kind(model)
    return saved_kind(known.get("model_dir"), str(known.get("name", "new"))) or DEFAULT_KIND
