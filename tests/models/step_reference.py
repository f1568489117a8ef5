"""Whole training steps of SAEHD and AMP once more, in PyTorch and float64, from the specification.

Weights are {"part/path": tensor}; batches are {side: {output: (N, R, R, C) tensor in [0, 1]}}.
Objectives are ({group: (N,) total}, {name: (N,) for the log}).
"""

import numpy as np
import torch

from tests.leras import reference as ref
from tests.models import loss_reference as terms
from tests.models.networks import torch_reference as nets

RULES = {"adabelief": lambda shapes: ref.AdaBelief(shapes, compat=False), "adam": ref.Adam,
         "rmsprop": ref.RMSprop}
FIRST_SLOTS = {"adabelief": ("mean", lambda g: 0.1 * g), "adam": ("mean", lambda g: 0.5 * g),
               "rmsprop": ("mean_square", lambda g: 0.1 * g**2)}  # after one step from zero


def below(weights, part):
    return {path.removeprefix(f"{part}/"): value for path, value in weights.items()
            if path.startswith(f"{part}/")}


def codes(archi, weights, src, dst):
    """What decodes to src, to dst and to the swap, and what the code discriminator compares."""
    kind, _, letters = archi.partition("-")
    net = nets.Net(weights, letters=letters)
    side = src.shape[1] // (32 if "d" in letters else 16)
    src, dst = (nets.PARTS[kind][0](net / "encoder", faces) for faces in (src, dst))
    if kind.startswith("df"):
        src, dst = (nets.inter(net / "inter", flat, side) for flat in (src, dst))
        return {"src": src, "dst": dst, "swap": dst, "true src": src, "true dst": dst}
    of_src, of_dst = (nets.inter(net / "inter_AB", flat, side) for flat in (src, dst))
    pairs = {"src": (of_src, of_src), "dst": (nets.inter(net / "inter_B", dst, side), of_dst),
             "swap": (of_dst, of_dst)}
    return {name: torch.cat(pair, 1) for name, pair in pairs.items()} | {
        "true src": of_src, "true dst": of_dst}


def decode(archi, weights, side, code):
    """Face and mask."""
    kind, _, letters = archi.partition("-")
    part = f"decoder_{side}" if kind.startswith("df") else "decoder"
    return nets.PARTS[kind][1](nets.Net(weights, letters=letters) / part, code)


def target_of(sample, options, masked):
    face = sample["target"]
    if options.blur_out_mask:
        face = terms.blur_out(face, sample["mask"])
    return {"face": face, "mask": sample["mask"], "eyes_mouth": sample.get("eyes_mouth"),
            "soft": terms.grown_mask(sample["mask"]) if masked else None}


def inside(face, target):
    return face if target["soft"] is None else face * target["soft"]


def real_and_fake(judge, real, fake):
    """What the generator and the discriminator pay, summed over the judgements."""
    of_real, of_fake = judge(real), judge(fake)
    generator = sum(terms.cross_entropy(logits, 1) for logits in of_fake)
    discriminator = sum(terms.cross_entropy(good, 1) + terms.cross_entropy(bad, 0)
                        for good, bad in zip(of_real, of_fake))
    return generator, discriminator


def saehd(weights, batches, options, strides):
    """`strides`: of the discriminator's layers."""
    size = int(options.resolution / 11.6)
    target = {side: target_of(sample, options, options.masked_training)
              for side, sample in batches.items()}
    source = "warped" if options.random_warp else "target"
    code = codes(options.archi, weights, *(batches[side][source] for side in ("src", "dst")))
    made = {side: decode(options.archi, weights, side, code[side]) for side in ("src", "dst")}
    parts = {side: terms.side_terms(*made[side], target[side], [(size, 1.5)])
             for side in ("src", "dst")}
    if options.face_style_power:
        styled = decode(options.archi, weights, "src", code["swap"].detach())
        parts["src"]["face style"] = (10000 * options.face_style_power / 100
                                      * terms.face_style(*styled, *made["dst"]))
    if options.bg_style_power:
        swap = decode(options.archi, weights, "src", code["swap"])
        parts["src"]["background style"] = 10 * options.bg_style_power / 100 * (
            terms.background_style(*swap, *made["dst"], target["dst"]["face"], (size, 1.5)))
    reported, totals = log_of(parts), {}
    totals["generator"] = reported["src"] + reported["dst"]
    if options.true_face_power:
        judge = below(weights, "code_discriminator")
        resolution = code["true src"].shape[2]
        asked, paid = real_and_fake(
            lambda x: nets.code_discriminator(judge, nets.channels_last(x), 1 + resolution // 8),
            code["true dst"], code["true src"])
        totals["generator"] = totals["generator"] + options.true_face_power * asked
        totals["code_discriminator"] = 0.5 * paid
        reported |= {"true face": asked, "true face discriminator": 0.5 * paid}
    if options.gan_power:
        face = made["src"][0]
        asked, paid = real_and_fake(lambda x: nets.unet(below(weights, "GAN"), x, strides),
                                    inside(target["src"]["face"], target["src"]),
                                    inside(face, target["src"]))
        totals["GAN"] = 0.5 * paid
        totals["generator"] = totals["generator"] + options.gan_power * asked
        reported |= {"gan": asked, "gan discriminator": 0.5 * paid}
        if options.masked_training:
            around = (face - target["src"]["face"]) * (1 - target["src"]["soft"])
            background = 1e-6 * terms.total_variation(face) + 0.02 * terms.mse(around)
            totals["generator"] = totals["generator"] + background
            reported["gan background"] = background
    return totals, reported


def amp(weights, batches, options, strides, channels):
    """`channels`: (N, inter_dims) of 0 and 1: which of src's come from its own inter."""
    windows = [(size, size * 1.5 / 11) for size in (int(options.resolution / 11.6),
                                                    int(options.resolution / 23.2))]
    target = {side: target_of(sample, options, True) for side, sample in batches.items()}
    source = "warped" if options.random_warp else "target"
    faces = nets.amp(weights, *(batches[side][source] for side in ("src", "dst")), channels, 1.0)
    made = {"src": faces[0:2], "dst": faces[2:4]}
    reported = log_of({side: terms.side_terms(*made[side], target[side], windows)
                       for side in ("src", "dst")})
    around = {side: (made[side][0] - target[side]["face"]) * (1 - target[side]["soft"])
              for side in ("src", "dst")}
    background = 0.1 * terms.mse(around["dst"]) + 1e-6 * terms.total_variation(
        made["dst"][0] * (1 - target["dst"]["soft"]))
    totals = {}
    if options.gan_power:
        background = (background + 1e-6 * terms.total_variation(made["src"][0])
                      + 0.02 * terms.mse(around["src"]))
        asked, paid = zip(*(real_and_fake(lambda x: nets.unet(below(weights, "GAN"), x, strides),
                                          inside(target[side]["face"], target[side]),
                                          inside(made[side][0], target[side]))
                            for side in ("src", "dst")))
        totals["GAN"] = sum(paid) / 8
        reported |= {"gan": sum(asked), "gan discriminator": sum(paid) / 8}
    total = reported["src"] + reported["dst"] + background
    if options.gan_power:
        total = total + options.gan_power * reported["gan"]
    return {"generator": total, **totals}, reported | {"background": background}


def log_of(parts):
    return {side: sum(values.values()) for side, values in parts.items()} | {
        f"{side} {name}": value for side, values in parts.items()
        for name, value in values.items()}


class Training:
    """Steps in float64, from the weights of a model.

    Args:
        weights: {"part/path": array}.
        groups: {group: parts that it trains}; the rest is frozen.
        objectives: Weights and batches -> totals and log.
        options: Rate, rule and clipping.
    """

    def __init__(self, weights, groups, objectives, options):
        self.weights = {path: np.float64(array) for path, array in weights.items()}
        self.paths = {group: [path for path in weights if path.split("/")[0] in parts]
                      for group, parts in groups.items()}
        self.objectives, self.options = objectives, options
        self.rules = {group: RULES[options.optimizer]([weights[path].shape for path in paths])
                      for group, paths in self.paths.items()}

    def step(self, batches):
        """Returns the means for the log, and {path: gradient} before clipping."""
        tensors = {path: torch.tensor(array, requires_grad=True)
                   for path, array in self.weights.items()}
        pictures = {side: {name: torch.tensor(array / 255) for name, array in batch.items()}
                    for side, batch in batches.items()}
        totals, reported = self.objectives(tensors, pictures)
        gradients = {}
        for group, paths in self.paths.items():
            found = torch.autograd.grad(totals[group].mean(), [tensors[path] for path in paths],
                                        retain_graph=True)
            gradients |= {path: value.numpy() for path, value in zip(paths, found)}
            self._apply(group, [gradients[path] for path in paths])
        return {name: float(value.detach().mean()) for name, value in reported.items()}, gradients

    def _apply(self, group, gradients):
        if self.options.clip_gradients:
            gradients = ref.clip_by_global_norm(gradients, self.options.clip_gradients)
        for path, step in zip(self.paths[group], self.rules[group].steps(gradients)):
            self.weights[path] = self.weights[path] - self.options.learning_rate * step
