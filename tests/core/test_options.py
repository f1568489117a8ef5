import argparse
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from core.errors import OptionError
from core.options import add_arguments, divide, given, load_toml, option, resolve, specs, to_toml
from core.prompt import ScriptedPrompter


def uses_df(values):
    return values.archi.startswith("df")


@dataclass(frozen=True)
class BaseOptions:
    batch_size: int = option(4, low=1, high=64, help="Faces per step, 100% used.", ask=True)


@dataclass(frozen=True)
class Options(BaseOptions):
    resolution: int = option(128, low=64, high=640, multiple_of=16, help="Side in pixels.")
    archi: str = option("liae", choices=("df", "df-ud", "liae"), help="Architecture.", ask=True)
    true_face: float = option(0.0, low=0, high=1, help="DF only.", ask=True, when=uses_df)
    flip: bool = option(True, help="Mirror faces.")
    name: str | None = option(None, help="Model name.")
    layers: tuple[int, ...] = option((32, 64), low=1, help="Channels.")
    size: tuple[int, int] | None = option(None, help="Height and width.")
    folder: Path | None = option(None, help="Where.")


@dataclass(frozen=True)
class SaveOptions:
    save_every: int = option(15, low=1, help="Minutes between saves.")


def parse(*words):
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_arguments(parser, Options)
    return given(parser.parse_args(words), Options)


def test_specs_come_in_order_of_declaration_with_inherited_ones_first():
    assert [spec.name for spec in specs(Options)] == [
        "batch_size", "resolution", "archi", "true_face", "flip", "name", "layers", "size",
        "folder"]
    assert specs(Options)[1].multiple_of == 16
    assert specs(Options)[0].flag == "--batch-size"


def test_without_any_source_the_defaults_hold():
    assert resolve(Options) == Options()


def test_each_source_outranks_the_one_before():
    saved = dict(batch_size=2, resolution=64, archi="df", flip=False)
    file = dict(resolution=96, archi="df-ud")
    options = resolve(Options, saved=saved, file=file, given=dict(archi="liae"))
    assert (options.batch_size, options.resolution, options.archi, options.flip) == (
        2, 96, "liae", False)


def test_an_answer_outranks_saved_values_and_is_not_asked_for_what_file_or_flag_say():
    prompter = ScriptedPrompter({"batch_size": "8", "archi": "df", "true_face": "0.5"})
    options = resolve(Options, saved=dict(batch_size=2), file=dict(archi="df"), prompter=prompter)
    assert prompter.asked == ["batch_size", "true_face"]
    assert (options.batch_size, options.true_face) == (8, 0.5)


def test_a_question_whose_condition_fails_is_left_out():
    prompter = ScriptedPrompter({"archi": "liae", "true_face": "0.5"})
    options = resolve(Options, saved=dict(archi="df"), prompter=prompter)
    assert prompter.asked == ["batch_size", "archi"]
    assert options.true_face == 0.0


def test_unknown_name_is_refused_with_the_nearest_one_and_the_source():
    with pytest.raises(OptionError, match="TOML file.*'batch_siz'.*did you mean 'batch_size'"):
        resolve(Options, file=dict(batch_siz=4))
    with pytest.raises(OptionError, match="known are batch_size, resolution"):
        resolve(Options, saved=dict(zzz=4))


@pytest.mark.parametrize("values, reason", [
    (dict(batch_size=65), "must be between 1 and 64, not 65"),
    (dict(resolution=100), "must be a multiple of 16, not 100; 96 and 112 are nearest"),
    (dict(layers=[1, 0]), "must be at least 1, not 0"),
    (dict(archi="liea"), "must be one of df, df-ud, liae, not 'liea'; did you mean 'liae'?"),
    (dict(flip="perhaps"), "must be y or n"),
    (dict(flip=1), "must be y or n"),
    (dict(batch_size="four"), "must be a whole number, not 'four'"),
    (dict(batch_size=2.5), "must be a whole number, not 2.5"),
    (dict(batch_size=True), "must be a whole number, not True"),
    (dict(batch_size=[4]), "must be a whole number"),
    (dict(batch_size=float("inf")), "must be a whole number"),
    (dict(true_face="nan"), "must be a number, not 'nan'"),
    (dict(true_face=False), "must be a number, not False"),
    (dict(size=[1, 2, 3]), "must be 2 values separated by commas"),
    (dict(name=7), "must be text"),
    (dict(folder=7), "must be a path"),
    (dict(batch_size=None), "must be a whole number, not None"),
])
def test_a_value_outside_the_domain_is_refused_with_name_and_reason(values, reason):
    with pytest.raises(OptionError) as failure:
        resolve(Options, file=values)
    name = next(iter(values))
    assert str(failure.value).startswith(f"option {name} {reason}")
    assert failure.value.exit_code == 2


def test_words_become_values_of_the_declared_type():
    values = parse("--batch-size", "8", "--true-face", "0.25", "--no-flip", "--name", "Ann",
                   "--layers", "8,16, 32", "--size", "2,3", "--folder", "a b", "--archi", "DF-UD")
    assert values == dict(batch_size=8, true_face=0.25, flip=False, name="Ann",
                          layers=(8, 16, 32), size=(2, 3), folder=Path("a b"), archi="df-ud")


def test_flags_not_given_leave_no_trace():
    assert parse() == {}
    assert parse("--flip") == {"flip": True}


def test_none_can_be_said_for_an_optional_option_only():
    assert resolve(Options, saved=dict(name="x"), given=parse("--name", "none")).name is None
    with pytest.raises(OptionError):
        resolve(Options, given=dict(layers="none"))


def test_a_wrong_flag_value_names_the_flag_and_the_reason(capsys):
    with pytest.raises(SystemExit):
        parse("--batch-size", "0")
    assert "argument --batch-size: must be between 1 and 64, not 0" in capsys.readouterr().err


def test_help_shows_domain_and_default_and_survives_percent_signs(capsys):
    with pytest.raises(SystemExit):
        parse("--help")
    text = " ".join(capsys.readouterr().out.split())
    assert "Faces per step, 100% used. (1..64; default 4)" in text
    assert "(df / df-ud / liae; default liae)" in text


def test_toml_written_is_read_back_equal(tmp_path):
    options = Options(batch_size=7, true_face=0.125, flip=False, name='Zoë "Z"', layers=(1, 2, 3),
                      size=(4, 5), folder=Path("a b"))
    path = tmp_path / "options.toml"
    path.write_text(to_toml(options, "train") + to_toml(SaveOptions(), "save"), encoding="utf-8")
    assert resolve(Options, file=load_toml(path, "train")) == options
    assert resolve(SaveOptions, file=load_toml(path, "save")) == SaveOptions()
    assert resolve(Options, file=load_toml(path, "train")).layers == (1, 2, 3)


@for_all(st.integers(1, 64), st.floats(0, 1), st.booleans(), st.none() | st.text(),
         st.lists(st.integers(1, 10**20)).map(tuple))
def test_any_options_survive_toml(batch_size, true_face, flip, name, layers):
    import tomllib

    options = Options(batch_size=batch_size, true_face=true_face, flip=flip, name=name,
                      layers=layers)
    read = resolve(Options, file=tomllib.loads(to_toml(options, "train"))["train"])
    # "" and "none" are the words for no name.
    assert read.name == (None if name is None or name.strip().lower() in ("", "none") else name)
    assert [getattr(read, field.name) for field in fields(read) if field.name != "name"] == [
        getattr(options, field.name) for field in fields(options) if field.name != "name"]


def test_toml_keys_may_use_dashes(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text("[train]\nbatch-size = 9\n", encoding="utf-8")
    assert resolve(Options, file=load_toml(path, "train")).batch_size == 9


def test_no_file_means_no_values():
    assert load_toml(None, "train") == {}


@pytest.mark.parametrize("content, reason", [
    (b"[merge]\na = 1\n", r"no \[train\] section"),
    (b"train = 3\n", r"no \[train\] section"),
    (b"[train\n", "not a TOML file"),
    (b"\xff\xfe", "not a TOML file"),
])
def test_a_bad_toml_file_is_refused_in_one_line(tmp_path, content, reason):
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    with pytest.raises(OptionError, match=reason) as failure:
        load_toml(path, "train")
    assert "\n" not in str(failure.value)


def test_a_missing_toml_file_is_refused(tmp_path):
    with pytest.raises(OptionError, match="No such file.*--config"):
        load_toml(tmp_path / "missing.toml", "train")


def test_one_section_is_dealt_out_to_several_option_types():
    values = {"batch-size": 3, "save_every": 5}
    assert divide(values, Options, SaveOptions) == ({"batch_size": 3}, {"save_every": 5})
    with pytest.raises(OptionError, match="did you mean 'save_every'"):
        divide({"save_evry": 5}, Options, SaveOptions)


def test_a_default_outside_its_own_domain_is_a_mistake_of_the_program():
    @dataclass(frozen=True)
    class Wrong:
        count: int = option(0, low=1, help="Count.")

    with pytest.raises(TypeError, match="default of option count must be at least 1"):
        specs(Wrong)


def test_a_field_without_declaration_is_a_mistake_of_the_program():
    @dataclass(frozen=True)
    class Plain:
        count: int = 3

    with pytest.raises(TypeError, match="count was not declared"):
        specs(Plain)


@dataclass(frozen=True)
class AutomaticOptions:
    batch_size: int = option(4, low=1, high=64, words={"auto": 0}, help="Faces per step.")


def test_a_word_may_stand_for_a_value_outside_of_the_domain(tmp_path):
    parser = argparse.ArgumentParser()
    add_arguments(parser, AutomaticOptions)
    for word in ("auto", " Auto "):
        values = given(parser.parse_args(["--batch-size", word]), AutomaticOptions)
        assert resolve(AutomaticOptions, given=values).batch_size == 0
    path = tmp_path / "options.toml"
    path.write_text('[train]\nbatch_size = "auto"\n')
    assert resolve(AutomaticOptions, file=load_toml(path, "train")).batch_size == 0
    spec, = specs(AutomaticOptions)
    assert (spec.format(0), spec.format(8)) == ("auto", "8")
    assert spec.domain() == "1..64 or auto"


@pytest.mark.parametrize("value", ["0", "automatic", False, 65, -1])
def test_other_words_and_values_outside_of_the_domain_are_refused(value):
    with pytest.raises(OptionError, match="batch_size"):
        resolve(AutomaticOptions, file={"batch_size": value})


def test_a_choice_known_from_elsewhere_is_refused_with_its_own_reason():
    @dataclass(frozen=True)
    class Vehicle:
        drive: str = option("diesel", choices=("diesel", "petrol"), help="Fuel.",
                            refused={"Steam": "cannot be Steam: no boiler; use diesel instead"})

    with pytest.raises(OptionError) as refused:
        resolve(Vehicle, given={"drive": "STEAM"})
    assert str(refused.value) == (
        "option drive cannot be Steam: no boiler; use diesel instead (command line)")
    with pytest.raises(OptionError, match="must be one of diesel, petrol, not 'wind'"):
        resolve(Vehicle, given={"drive": "wind"})
