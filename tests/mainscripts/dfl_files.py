"""A small model of DeepFaceLab and its files, for tests of `models import`."""

import numpy as np

from tests.models import legacy_reference as reference

WIDTHS = reference.Widths(64, e=16, ae=32, d=16, dm=4, inter=32)
FACES = np.random.default_rng(1).random((2, 64, 64, 3), np.float32)
HISTORY = [[3.0, 4.0], [2.0, 2.5], [1.0, 1.25]]
GAN = {"gan_power": 0.1, "gan_patch_size": 7, "gan_dims": 4}
ADABELIEF = ("ms", "vs")


def options(**changes):
    """Options of a small SAEHD; values as NumPy numbers where the reference has them."""
    return {"resolution": np.int64(64), "face_type": "wf", "archi": "df", "ae_dims": 32,
            "e_dims": 16, "d_dims": 16, "d_mask_dims": 4, "batch_size": 2, "masked_training": True,
            "models_opt_on_gpu": True, "adabelief": True, "lr_dropout": "n", "random_warp": True,
            "gan_power": np.float64(0.0), "true_face_power": 0.0, "clipgrad": False,
            "pretrain": False, **changes}


def data(iteration=3, **changes):
    return {"iter": iteration, "options": options(**changes), "loss_history": HISTORY,
            "sample_for_preview": [[FACES, FACES[..., :1]]] * 2, "choosed_gpu_indexes": None}


def draw(archi, seed=0):
    """Files of a model without its optimizers."""
    rng, (kind, _, letters) = np.random.default_rng(seed), archi.partition("-")
    return {"df": reference.df_files, "liae": reference.liae_files}[kind](rng, letters, WIDTHS)


def main_optimizer(files, slots=ADABELIEF, step=1234):
    rng = np.random.default_rng(9)
    return {"src_dst_opt": reference.optimizer_file(
        rng, files, {stem: stem for stem in files}, slots, step)}
