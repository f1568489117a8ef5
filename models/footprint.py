"""How many numbers a model holds and makes: counted from its options, without building it.

The counts of parameters are those of the networks themselves; `tests/models/test_footprint.py`
holds both together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.amp.options import AMPOptions
from models.networks.architecture import Architecture, parse_architecture
from models.networks.discriminators.receptive_field import strides_for
from models.options import AdversarialOptions, TrainingOptions, effective
from models.quick96.options import Quick96Options
from models.saehd.options import SAEHDOptions

# Kernel size and width (in encoder channels) of the chains of the HD encoder.
HD_CHAINS = ((3, 2.0), (5, 2.0), (5, 0.5), (7, 0.5))
CODE_DISCRIMINATOR_CH = 256
REALNESS_OUTCOMES = 51


@dataclass(frozen=True)
class Footprint:
    """Numbers of a network, or of several.

    Attributes:
        parameters: Weights and biases.
        kernels: Those of them that belong to convolutions.
        maps: What all layers give for one face of each side.
    """

    parameters: int = 0
    kernels: int = 0
    maps: int = 0

    def __add__(self, other: "Footprint") -> "Footprint":
        return Footprint(self.parameters + other.parameters, self.kernels + other.kernels,
                         self.maps + other.maps)

    def passed(self, times: int) -> "Footprint":
        """The same network with so many faces passing through it."""
        return Footprint(self.parameters, self.kernels, self.maps * times)


def footprint(options: TrainingOptions) -> Footprint | None:
    """Counts a model's networks; None for a kind of model that is not known here."""
    count = COUNTS.get(type(options))
    return None if count is None else count(effective(options))


def conv(side: int, in_ch: int, out_ch: int, kernel: int, stride: int = 1) -> Footprint:
    """A convolution of `side` x `side` pixels."""
    out_side = -(-side // stride)
    size = kernel**2 * in_ch * out_ch
    return Footprint(size + out_ch, size, out_side**2 * out_ch)


def dense(n_in: int, n_out: int) -> Footprint:
    """A dense layer."""
    return Footprint(n_in * n_out + n_out, 0, n_out)


def total(parts: Sequence[Footprint]) -> Footprint:
    """The sum of some footprints."""
    return sum(parts, Footprint())


# -- parts of the autoencoders --------------------------------------------------------------------

def upscale(side: int, in_ch: int, out_ch: int) -> Footprint:
    """A convolution to four times the channels, which pixel shuffle spreads."""
    return conv(side, in_ch, 4 * out_ch, 3)


def residual(side: int, ch: int) -> Footprint:
    """Two convolutions around a shortcut."""
    return conv(side, ch, ch, 3) + conv(side, ch, ch, 3)


def plain_encoder(resolution: int, ch: int) -> tuple[Footprint, int]:
    """The encoder, and the length of its code."""
    widths = [3, ch, 2 * ch, 4 * ch, 8 * ch]
    stages = [conv(resolution >> stage, before, after, 5, 2)
              for stage, (before, after) in enumerate(zip(widths, widths[1:]))]
    return total(stages), (resolution // 16)**2 * 8 * ch


def deep_encoder(resolution: int, ch: int) -> tuple[Footprint, int]:
    """Option letter `t`: the encoder, and the length of its code."""
    widths = [3, ch, 2 * ch, 4 * ch, 8 * ch, 8 * ch]
    stages = [conv(resolution >> stage, before, after, 5, 2)
              for stage, (before, after) in enumerate(zip(widths, widths[1:]))]
    ends = residual(resolution // 2, ch) + residual(resolution // 32, 8 * ch)
    return total(stages) + ends, (resolution // 32)**2 * 8 * ch


def hd_encoder(resolution: int, ch: int) -> tuple[Footprint, int]:
    """The four chains of DFHD and LIAEHD, and the length of their code."""
    parts, map_ch = [], 0
    for kernel, factor in HD_CHAINS:
        quarter, before = -(-round(ch * factor) // 4), 3
        for stage in range(4):
            parts.append(conv(resolution >> stage, before, quarter << stage, kernel))
            before = 4 * (quarter << stage)
        map_ch += before
    return total(parts), (resolution // 16)**2 * map_ch


def inter(code: int, ae_ch: int, out_ch: int, side: int, *, has_upscale: bool) -> Footprint:
    """Two dense layers and perhaps an upscale; the map has `side` before it."""
    parts = dense(code, ae_ch) + dense(ae_ch, side**2 * out_ch)
    return parts + upscale(side, out_ch, out_ch) if has_upscale else parts


def decoder(in_ch: int, ch: int, mask_ch: int, side: int, *, double: bool, deep: bool = False,
            is_hd: bool = False) -> Footprint:
    """Both branches, from a map of `side`."""
    factors = (8, 8, 4, 2) if deep else (8, 4, 2)
    face = hd_branch if is_hd else face_branch
    return (face(in_ch, [ch * factor for factor in factors], side, double)
            + mask_branch(in_ch, [mask_ch * factor for factor in factors + (1,) * double], side))


def face_branch(in_ch: int, widths: Sequence[int], side: int, double: bool) -> Footprint:
    """The face of DF, LIAE and AMP, from a map of `side`."""
    parts, before = [], in_ch
    for after in widths:
        parts += [upscale(side, before, after), residual(2 * side, after)]
        before, side = after, 2 * side
    return total(parts) + heads(side, before, double)


def hd_branch(in_ch: int, widths: Sequence[int], side: int, double: bool) -> Footprint:
    """The face of DFHD and LIAEHD."""
    parts, before = [], in_ch
    for after in widths:
        parts += [up_down(side, before, after), upscale(side, before, after)]
        before, side = after, 2 * side
    return total(parts) + up_down(side, before, before // 2) + heads(side, before, double)


def up_down(side: int, ch: int, inner_ch: int) -> Footprint:
    """A look at twice the resolution."""
    return (upscale(side, ch, inner_ch) + residual(2 * side, inner_ch)
            + conv(2 * side, inner_ch, -(-ch // 4), 3))


def heads(side: int, ch: int, double: bool) -> Footprint:
    """What makes pixels of the last map: one head, or four with `double`."""
    first = conv(side, ch, 3, 1)
    return first + total([conv(side, ch, 3, 3)] * 3) if double else first


def mask_branch(in_ch: int, widths: Sequence[int], side: int) -> Footprint:
    """The mask, from a map of `side`."""
    parts, before = [], in_ch
    for after in widths:
        parts.append(upscale(side, before, after))
        before, side = after, 2 * side
    return total(parts) + conv(side, before, 1, 1)


# -- whole autoencoders ---------------------------------------------------------------------------

@dataclass(frozen=True)
class Widths:
    """Sides and widths of an autoencoder."""

    resolution: int
    ae: int
    encoder: int
    decoder: int
    mask: int


def autoencoder(architecture: Architecture, widths: Widths, *, makes_swap: bool) -> Footprint:
    """DF or LIAE of every kind; `makes_swap`: a loss looks at the swap too."""
    is_liae, is_hd = architecture.kind.startswith("liae"), architecture.kind.endswith("hd")
    double, deep = "d" in architecture.letters, "t" in architecture.letters
    encode = hd_encoder if is_hd else deep_encoder if deep else plain_encoder
    encoder, code = encode(widths.resolution, widths.encoder)
    side = widths.resolution // (32 if double else 16)
    map_side = side if deep else 2 * side
    out_ch = 2 * widths.ae if is_liae else widths.ae
    one_inter = inter(code, widths.ae, out_ch, side, has_upscale=not deep)
    one_decoder = decoder(2 * out_ch if is_liae else out_ch, widths.decoder, widths.mask, map_side,
                          double=double, deep=deep, is_hd=is_hd)
    if is_liae:
        return (encoder.passed(2) + one_inter.passed(2) + one_inter
                + one_decoder.passed(2 + makes_swap))
    return (encoder.passed(2) + one_inter.passed(2) + one_decoder.passed(1 + makes_swap)
            + one_decoder)


def amp_autoencoder(widths: Widths, inter_ch: int) -> Footprint:
    """AMP: src passes through both inters, dst through its own."""
    encoder, code = deep_encoder(widths.resolution, widths.encoder)
    side = widths.resolution // 32
    one_inter = dense(widths.ae, side**2 * inter_ch)
    return ((encoder + dense(code, widths.ae)).passed(2) + one_inter + one_inter.passed(2)
            + decoder(inter_ch, widths.decoder, widths.mask, side, double=True,
                      deep=True).passed(2))


# -- discriminators -------------------------------------------------------------------------------

def patch_trunk(resolution: int, patch: int, ch: int) -> tuple[list[Footprint], list[int], int]:
    """The layers, their widths, and the side of the last map."""
    strides = strides_for(patch)
    widths = [ch, *(min(ch * 2**(layer + 1), 512) for layer in range(len(strides)))]
    layers, side = [conv(resolution, 3, ch, 1)], resolution
    for before, after, stride in zip(widths, widths[1:], strides):
        layers.append(conv(side, before, after, 3, stride))
        side = -(-side // stride)
    return layers, widths, side


def unet(resolution: int, patch: int, ch: int) -> Footprint:
    """The discriminator that judges patches and pixels."""
    layers, widths, side = patch_trunk(resolution, patch, ch)
    layers += [conv(side, widths[-1], widths[-1], 1), conv(side, widths[-1], 1, 1)]
    strides, deepest = strides_for(patch), len(widths) - 2
    for layer in range(deepest, -1, -1):
        side *= strides[layer]
        in_ch = widths[layer + 1] * (1 if layer == deepest else 2)
        layers.append(conv(side, in_ch, widths[layer], 3))
    return total(layers) + conv(resolution, 2 * widths[0], 1, 1)


def critic(resolution: int, patch: int, ch: int, out_ch: int) -> Footprint:
    """A discriminator with `out_ch` numbers for each patch."""
    layers, widths, side = patch_trunk(resolution, patch, ch)
    return total(layers) + conv(side, widths[-1], out_ch, 1)


GANS: dict[str, Callable[[int, int, int], Footprint]] = {
    "unet": unet,
    "multi-scale": lambda resolution, patch, ch: total(
        [critic(-(-resolution // factor), patch, ch, 1) for factor in (1, 2, 4)]),
    "realness": lambda resolution, patch, ch: critic(resolution, patch, ch, REALNESS_OUTCOMES),
}


def gan(options: AdversarialOptions, resolution: int, *, faces: int) -> Footprint:
    """The discriminator of faces, if there is one; it sees so many real and fake ones."""
    if options.gan_power <= 0:
        return Footprint()
    patch = options.gan_patch_size or resolution // 8
    return GANS[options.gan_discriminator](resolution, patch, options.gan_dims).passed(faces)


def code_discriminator(in_ch: int, side: int) -> Footprint:
    """The judge of codes (N, side, side, in_ch), for real and fake ones."""
    n_layers = 1 + side // 8
    widths = [in_ch] + [CODE_DISCRIMINATOR_CH * min(2**layer, 8) for layer in range(n_layers)]
    layers = []
    for layer, (before, after) in enumerate(zip(widths, widths[1:])):
        made = conv(side if layer else side + 2, before, after, 3 if layer else 4, 2)
        layers.append(made)
        side = -(-side // 2) if layer else side // 2 + 1
    return (total(layers) + conv(side, widths[-1], 1, 1)).passed(2)


# -- models ---------------------------------------------------------------------------------------

def widths_of(options: Quick96Options | SAEHDOptions | AMPOptions) -> Widths:
    """The widths that an autoencoder's options name."""
    return Widths(options.resolution, options.ae_dims, options.e_dims, options.d_dims,
                  options.d_mask_dims)


def quick96(options: Quick96Options) -> Footprint:
    """Quick96."""
    return autoencoder(Architecture("df", "ud"), widths_of(options), makes_swap=False)


def saehd(options: SAEHDOptions) -> Footprint:
    """SAEHD with its discriminators."""
    architecture = parse_architecture(options.archi)
    makes_swap = options.face_style_power > 0 or options.bg_style_power > 0
    found = (autoencoder(architecture, widths_of(options), makes_swap=makes_swap)
             + gan(options, options.resolution, faces=2))
    if options.true_face_power <= 0:
        return found
    side = options.resolution // (32 if "d" in architecture.letters else 16)
    is_liae = architecture.kind.startswith("liae")
    return found + code_discriminator(options.ae_dims * (2 if is_liae else 1),
                                      side if "t" in architecture.letters else 2 * side)


def amp(options: AMPOptions) -> Footprint:
    """AMP with its discriminator."""
    return (amp_autoencoder(widths_of(options), options.inter_dims)
            + gan(options, options.resolution, faces=4))


COUNTS: dict[type[TrainingOptions], Callable[..., Footprint]] = {
    Quick96Options: quick96, SAEHDOptions: saehd, AMPOptions: amp}
