"""What AMP's previews show: the reconstructions, and the swap at some morph values."""

from collections.abc import Mapping, Sequence

from models.networks.autoencoder import Decoded
from models.preview import PreviewRow
from models.preview_rows import in_unit_range, rows_of
from models.side import Side
from samplelib.sampler import Batch

MORPHS = (0.25, 0.5, 0.65, 0.75, 1.0)


def morph_previews(batches: Mapping[Side, Batch], src: Decoded, dst: Decoded,
                   swaps: Sequence[Decoded]) -> dict[str, list[PreviewRow]]:
    """Three previews: the full swap, the way to it, and that as the masks show it.

    Args:
        batches: Samples with "target", uint8.
        src, dst: Their reconstructions.
        swaps: Of dst at each of `MORPHS`.
    """
    full = {"src": in_unit_range(batches[Side.SRC]["target"]), "src again": src.face,
            "dst": in_unit_range(batches[Side.DST]["target"]), "dst again": dst.face,
            "dst again, masked": dst.face * dst.mask, "swap": swaps[-1].face}
    steps = dict(zip((0.0, *MORPHS), (dst, *swaps), strict=True))
    plain = {f"morph {value:g}": step.face for value, step in steps.items()}
    masked = {f"morph {value:g}": step.face * step.mask * dst.mask
              for value, step in steps.items()}
    return {"AMP morph 1.0": rows_of(full), "AMP morph list": rows_of(plain),
            "AMP morph list masked": rows_of(masked)}
