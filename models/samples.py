"""What models of the full kind train on: their options as a recipe."""

from facelib.face_type import FaceType
from models.options import AugmentationOptions
from models.side import Side
from samplelib.recipe import SampleOptions, SampleRecipe

SCALE = 0.15  # DeepFaceLab's range for its full models; Quick96 has a third of it


def input_name(options: AugmentationOptions) -> str:
    """The output that the networks see: the target itself where nothing tells them apart."""
    return "warped" if options.random_warp or options.random_hsv_power > 0 else "target"


def output_names(options: AugmentationOptions, *, eyes_mouth: bool) -> tuple[str, ...]:
    """The outputs that a model needs, and no others."""
    names = dict.fromkeys((input_name(options), "target", "mask"))
    return (*names, "eyes_mouth") if eyes_mouth else tuple(names)


def sample_recipe(options: AugmentationOptions, side: Side, face_type: FaceType,
                  names: tuple[str, ...]) -> SampleRecipe:
    """The samples of one side; only src takes on colours, which are those of dst.

    Args:
        options: The effective ones.
        side, face_type: Of the samples.
        names: From `output_names`.
    """
    flips = {Side.SRC: options.random_src_flip, Side.DST: options.random_dst_flip}
    varied = SampleOptions(
        random_warp=options.random_warp, random_flip=flips[side], scale=SCALE,
        hsv_power=options.random_hsv_power,
        color_transfer=options.ct_mode if side == Side.SRC else "none")
    return SampleRecipe(options.resolution, face_type, names, varied)
