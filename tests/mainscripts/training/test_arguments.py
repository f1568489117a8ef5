"""The words of `train`: which kind they mean, and whose options are whose."""

import argparse

import numpy as np
import pytest

import main
from core.errors import OptionError, UsageError
from core.generations import GenerationStore
from core.prompt import ScriptedPrompter, SilentPrompter
from mainscripts.training import arguments as words
from models.amp.options import AMPOptions
from models.quick96.options import Quick96Options
from models.saehd.options import SAEHDOptions


def parse(*line):
    """(options of the command, kind, resolve) of a command line."""
    parser = main.CommandParser(prog="train", words=line)
    kind = words.configure(parser, parser.words)
    namespace = argparse.Namespace(**{"config": None, **vars(parser.parse_args(line))})
    said = words.read(namespace, kind, SilentPrompter())
    return said


def test_the_flags_are_those_of_the_models_kind():
    for line, options_type in (((), Quick96Options), (("--model", "SAEHD"), SAEHDOptions),
                               (("--model=amp",), AMPOptions),
                               (("--set", "model=AMP"), AMPOptions)):
        said = parse(*line, "--batch-size", "3")
        options = said.resolve_model({}, SilentPrompter())
        assert type(options) is options_type and options.batch_size == 3


def test_flags_of_another_kind_are_unknown_with_a_hint():
    with pytest.raises(UsageError, match="--morph-factor"):
        parse("--model", "SAEHD", "--morph-factor", "0.3")


def test_the_kind_is_that_of_the_file_or_of_the_saved_model(tmp_path):
    (tmp_path / "o.toml").write_text("[train]\nmodel = 'AMP'\n")
    assert parse("--config", str(tmp_path / "o.toml")).kind == "AMP"
    GenerationStore(tmp_path / "eva_SAEHD").save({"w": {"w": np.zeros(1)}}, {"kind": "SAEHD"})
    assert parse("--model-dir", str(tmp_path), "--name", "eva").kind == "SAEHD"
    assert parse("--model-dir", str(tmp_path), "--force-model-name", "eva").kind == "SAEHD"
    assert parse("--model-dir", str(tmp_path), "--name", "eve").kind == "Quick96"
    assert parse("--model-dir", str(tmp_path), "--name", "eva", "--model", "AMP").kind == "AMP"


def test_words_that_are_wrong_are_told_by_the_parser_of_the_command():
    with pytest.raises(UsageError, match="--web-port: must be between 0 and 65535"):
        parse("--web-port", "99999")
    with pytest.raises(UsageError, match="expected one argument"):
        parse("--model")


def test_each_source_outranks_the_one_before(tmp_path):
    path = tmp_path / "o.toml"
    path.write_text("[train]\nmodel = 'SAEHD'\nseed = 1\nae_dims = 64\nbatch_size = 5\n"
                    "name = 'x'\n")
    said = parse("--config", str(path), "--set", "ae_dims=96", "--set", "batch-size=6",
                 "--set", "name=y", "--batch-size", "7", "--name", "z")
    options = said.resolve_model({"seed": 9, "e_dims": 32, "d_dims": 48}, SilentPrompter())
    assert (options.seed, options.ae_dims, options.batch_size, options.e_dims) == (1, 96, 7, 32)
    assert said.options.name == "z"
    assert parse("--set", "name=y").options.name == "y"


def test_what_words_say_is_not_asked():
    said = parse("--model", "SAEHD", "--batch-size", "7", "--set", "archi=df")
    prompter = ScriptedPrompter({"resolution": "160"})
    options = said.resolve_model({}, prompter)
    assert options.resolution == 160
    assert "resolution" in prompter.asked
    assert not {"batch_size", "archi", "learning_rate"} & set(prompter.asked)


@pytest.mark.parametrize("setting, told", [
    ("batch_size", "--set batch_size: write it as --set name=value"),
    ("=3", "name=value"), ("batch_sise=3", "--set: unknown option 'batch_sise'; did you mean"),
    ("batch_size=many", "option batch_size must be a whole number, not 'many' (--set)"),
    ("model=SAEHDD", "did you mean 'SAEHD'"),
])
def test_wrong_settings_are_named(setting, told):
    with pytest.raises(OptionError) as caught:
        parse("--set", setting)
    assert told in str(caught.value)


def test_names_that_users_of_other_programs_know():
    options = parse("--training-data-src-dir", "a", "--training-data-dst-dir", "b",
                    "--pretraining-data-dir", "c", "--force-model-name", "n",
                    "--force-gpu-idxs", "0,1", "--no-preview").options
    assert [str(options.src_dir), str(options.dst_dir), str(options.pretrain_dir)] == [
        "a", "b", "c"]
    assert (options.name, options.gpus, options.preview) == ("n", "0,1", "none")
    assert parse("--cpu-only").options.gpus == "cpu"
    line = ("--silent-start",)
    parser = main.CommandParser(prog="train", words=line)
    words.configure(parser, line)
    assert parser.parse_args(line).no_prompt is True


def test_the_help_says_how_to_see_the_options_of_other_models():
    parser = main.CommandParser(prog="train", words=())
    words.configure(parser, ())
    text = parser.format_help()
    assert "options of Quick96" in text and "--lr-dropout" in text
    assert "`train --model SAEHD --help`" in text.replace("\n", " ")
    parser = main.CommandParser(prog="train", words=("--model", "SAEHD", "--help"))
    words.configure(parser, parser.words)
    assert "options of SAEHD" in parser.format_help() and "--true-face-power" in (
        parser.format_help())
