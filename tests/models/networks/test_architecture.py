"""Architectures by name."""

import re
import subprocess
import sys

import pytest

from core.errors import OptionError
from models.networks.architecture import (
    ARCHITECTURES,
    LETTERS,
    Architecture,
    build_autoencoder,
    parse_architecture,
    resolution_step,
)

TINY = dict(ae_ch=4, encoder_ch=2, decoder_ch=2, mask_ch=2)


@pytest.mark.parametrize("name, kind, letters", [
    ("df", "df", ""), ("liae-ud", "liae", "ud"), ("LIAE-tdu", "liae", "udt"),
    (" df-ctdu", "df", "udtc"), ("df-uu", "df", "u"), ("dfhd-du", "dfhd", "ud"),
    ("liaehd", "liaehd", "")])
def test_names_are_read_whatever_the_order_of_their_letters(name, kind, letters):
    architecture = parse_architecture(name)
    assert architecture == Architecture(kind, letters)
    assert parse_architecture(architecture.name) == architecture


@pytest.mark.parametrize("name, message", [
    ("sae", "unknown architecture 'sae'; known are df, liae, dfhd, liaehd"),
    ("", "unknown architecture ''"),
    ("lia-ud", "did you mean 'liae'?"),
    ("df-", "behind df- stand one or more of the letters u, d, t, c"),
    ("df-ux", "behind df- stand"),
    ("liaehd-t", "behind liaehd- stand one or more of the letters u, d, c")])
def test_wrong_names_say_what_is_known(name, message):
    with pytest.raises(OptionError, match=re.escape(message)):
        parse_architecture(name)


@pytest.mark.parametrize("name, step", [("df", 16), ("df-uc", 16), ("df-d", 32), ("liae-t", 32),
                                        ("liae-udt", 32), ("dfhd-u", 16), ("liaehd-d", 32)])
def test_half_trunks_and_deep_networks_need_multiples_of_32(name, step):
    assert resolution_step(parse_architecture(name)) == step


@pytest.mark.parametrize("name, resolution, advice", [
    ("df", 72, "use a multiple of 16, such as 64"), ("df-t", 144, "of 32, such as 128"),
    ("liae-ud", 16, "of 32, such as 32"), ("df", 0, "of 16, such as 16")])
def test_resolutions_that_an_architecture_cannot_have_are_refused(name, resolution, advice):
    with pytest.raises(OptionError, match=f"resolution of {resolution}; .*{advice}"):
        build_autoencoder(parse_architecture(name), resolution, **TINY)


def test_the_classes_know_the_letters_of_the_table_and_refuse_others():
    assert tuple(LETTERS) == ARCHITECTURES.names()
    for kind, letters in LETTERS.items():
        architecture = ARCHITECTURES.load(kind)
        assert architecture.letters == letters
        with pytest.raises(ValueError, match="unknown option letters 'x'"):
            architecture(32, options="ux", **TINY)
        with pytest.raises(ValueError, match="resolution 48 is no multiple of 32"):
            architecture(48, options="d", **TINY)


def test_reading_a_name_imports_no_tensorflow():
    program = ("import sys; from models.networks.architecture import parse_architecture; "
               "parse_architecture('df-ud'); print('tensorflow' in sys.modules)")
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                            check=True)
    assert result.stdout.strip() == "False"
