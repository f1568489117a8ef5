"""A model of one's own: `train --model examples.tiny_model.model:TinyModel`."""

from collections.abc import Mapping

import tensorflow as tf

from examples.tiny_model.network import TinyNetwork
from examples.tiny_model.options import TinyOptions
from leras.train_step import Objectives
from models.autoencoder_model import AutoencoderModel
from models.inputs import Inputs
from models.losses import Target, Term, by_side, mask_error, weighted
from models.networks.autoencoder import Decoded
from models.samples import input_name, output_names, sample_recipe
from models.side import Side
from models.training_parts import GENERATOR, slice_size
from samplelib.recipe import SampleRecipe


def absolute_error(prediction: Decoded, target: Target) -> tf.Tensor:
    """A term of a loss knows no weight and gives one number for each face: (N,)."""
    return tf.reduce_mean(tf.abs(prediction.face - target.face), (1, 2, 3))


TERMS = (Term("face", 10.0, absolute_error), Term("mask", 10.0, mask_error))


class TinyModel(AutoencoderModel):
    """See `models.base.SwapModel`; `AutoencoderModel` does all but the three methods below."""

    options_type = TinyOptions
    preview_name = "tiny"

    def __init__(self, options: TinyOptions):
        names = output_names(options, eyes_mouth=False)
        network = TinyNetwork(options.resolution, options.width, options.code_length)
        super().__init__(options, network, Inputs(names, options.resolution, slice_size(options)))

    def recipe(self, side: Side) -> SampleRecipe:
        return sample_recipe(self.options, side, self.face_type, self._inputs.names)

    def objectives(self, samples: Mapping[Side, Mapping[str, tf.Tensor]]) -> Objectives:
        """Each side learns to draw its own faces. Part of the compiled step, so it is traced once.

        Losses that are reported get a place on the console, in the charts and in TensorBoard.
        """
        seen = (samples[side][input_name(self.options)] for side in Side)
        codes = self.network.all_codes(*seen)
        predictions = zip(Side, self.network.decode(codes.src, codes.dst), strict=True)
        reported = by_side({
            side: weighted(TERMS, prediction, Target(
                samples[side]["target"], samples[side]["mask"], soft_mask=None))
            for side, prediction in predictions})
        return Objectives({GENERATOR: reported["src"] + reported["dst"]}, reported)
