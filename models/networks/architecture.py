"""Architectures by name: `df`, `liae-ud`, `liaehd-u`, ... Free of TensorFlow until one is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import OptionError
from core.option_spec import did_you_mean
from core.registry import Registry

if TYPE_CHECKING:
    import tensorflow as tf

    from models.networks.autoencoder import Autoencoder

ARCHITECTURES = Registry("architecture", {
    "df": "models.networks.df:DF",
    "liae": "models.networks.liae:LIAE",
    "dfhd": "models.networks.hd:DFHD",
    "liaehd": "models.networks.hd:LIAEHD",
})
LETTERS = {"df": "udtc", "liae": "udtc", "dfhd": "udc", "liaehd": "udc"}  # of each of them


@dataclass(frozen=True)
class Architecture:
    """A kind of `ARCHITECTURES` and its option letters, in the order of `LETTERS`, each once."""

    kind: str
    letters: str = ""

    @property
    def name(self) -> str:
        """`liae-ud`: what `parse_architecture` reads."""
        return f"{self.kind}-{self.letters}" if self.letters else self.kind


def parse_architecture(name: str) -> Architecture:
    """`liae-udt` -> Architecture("liae", "udt"); case and the order of letters do not matter.

    Raises:
        OptionError: for an unknown kind or letter, or a dash without letters.
    """
    kind, dash, letters = name.strip().lower().partition("-")
    if kind not in LETTERS:
        raise OptionError(f"unknown architecture {name!r}; known are {', '.join(LETTERS)}, with "
                          f"letters after a dash as in liae-ud{did_you_mean(kind, LETTERS)}")
    known = LETTERS[kind]
    if set(letters) - set(known) or (dash and not letters):
        raise OptionError(f"architecture {name!r}: behind {kind}- stand one or more of the "
                          f"letters {', '.join(known)}")
    return Architecture(kind, "".join(letter for letter in known if letter in letters))


def resolution_step(architecture: Architecture) -> int:
    """The number of which resolutions must be multiples: 16, with `d` or `t` 32."""
    return 32 if set(architecture.letters) & {"d", "t"} else 16


def build_autoencoder(architecture: Architecture, resolution: int, *, ae_ch: int, encoder_ch: int,
                      decoder_ch: int, mask_ch: int,
                      compute_dtype: tf.DType | str = "float32",
                      recompute: bool = False) -> Autoencoder:
    """Builds the autoencoder, with weights from fresh entropy.

    Args:
        architecture: From `parse_architecture`.
        resolution: Side of the faces.
        ae_ch, encoder_ch, decoder_ch, mask_ch: Widths.
        compute_dtype: Of the convolutions; see `Autoencoder`.
        recompute: Gradient checkpointing; see `Autoencoder`.

    Raises:
        OptionError: if the architecture cannot have that resolution.
    """
    step = resolution_step(architecture)
    if resolution % step or resolution <= 0:
        raise OptionError(
            f"{architecture.name} cannot have a resolution of {resolution}; use a multiple of "
            f"{step}, such as {max(step, resolution // step * step)}")
    return ARCHITECTURES.load(architecture.kind)(
        resolution, ae_ch=ae_ch, encoder_ch=encoder_ch, decoder_ch=decoder_ch, mask_ch=mask_ch,
        options=architecture.letters, compute_dtype=compute_dtype,
        recompute=recompute)
