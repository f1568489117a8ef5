"""models import and export-dfl: DeepFaceLab's files in and out, by the command alone.

The files are written by `tests.models.legacy_reference`, whose networks are PyTorch's.
"""

import numpy as np
import pytest
import torch

from core.errors import OptionError
from models.legacy import options as legacy_options
from models.legacy.convert import require_portable
from models.loading import restore
from models.store import ModelStore
from tests.commands import run
from tests.mainscripts.dfl_files import (
    ADABELIEF,
    FACES,
    GAN,
    HISTORY,
    WIDTHS,
    data,
    draw,
    main_optimizer,
)
from tests.models import legacy_reference as reference
from tests.models.networks import torch_reference
from tests.models.saved import assert_equal_states, save, snapshot, tiny_model, tiny_options


def import_files(folder, model_dir, *words, kind="SAEHD", name="new"):
    """Imports; gives the outcome and what `train` and `merge` will read."""
    outcome = run("models", "import", folder, "--model-dir", model_dir, *words)
    assert outcome.code == 0, outcome.events
    return outcome, ModelStore(model_dir, kind, name).require()


def assert_swaps(model, expected):
    prediction = model.predictor()(FACES)
    for found, wanted in zip((prediction.face, prediction.face_mask, prediction.dst_mask),
                             expected, strict=True):
        assert np.ptp(wanted) > 0.05
        np.testing.assert_allclose(found, wanted, atol=2e-4)


@pytest.mark.parametrize("archi", ["df", "df-udt", "liae-ud"])
def test_a_saehd_swaps_here_as_it_did_there(archi, tmp_path):
    files = draw(archi)
    reference.write_files(tmp_path / "dfl", "new", "SAEHD", files | main_optimizer(files),
                          data(archi=archi))
    outcome, saved = import_files(tmp_path / "dfl", tmp_path / "models")
    model = restore("SAEHD", saved)
    there = reference.Network(files, archi.partition("-")[2], 64)
    if archi.startswith("df"):
        swap, dst = there.df(FACES, "src"), there.df(FACES, "dst")
    else:
        swap, dst = there.liae(FACES, "swap"), there.liae(FACES, "dst")
    assert_swaps(model, (*swap, dst[1]))
    assert outcome.event("imported")["notes"] == []
    assert saved.progress.iteration == 3 and saved.options["archi"] == archi
    for name, column in (("src", [3, 2, 1]), ("dst", [4, 2.5, 1.25])):
        assert saved.progress.history.column(name).tolist() == column
    optimizer = model.optimizers()["generator"].state()
    assert optimizer["step"] == 1234
    written = main_optimizer(files)["src_dst_opt"]
    np.testing.assert_array_equal(
        optimizer["variance/encoder/down1/" + ("conv1" if "t" in archi else "downs_0/conv1")
                  + "/weight"],
        written["vs_encoder/down1/" + ("conv1" if "t" in archi else "downs_0/conv1")
                + "/weight_0:0"])


def test_letters_may_stand_in_any_order_and_c_changes_the_activation(tmp_path):
    files = draw("df-uc")
    for arrays in files.values():  # x cos x is steep where x is large
        arrays.update({name: array * np.float32(0.5) for name, array in arrays.items()})
    reference.write_files(tmp_path / "dfl", "new", "SAEHD", files, data(archi="df-cu"))
    _, saved = import_files(tmp_path / "dfl", tmp_path / "models")
    there = reference.Network(files, "uc", 64)
    found = restore("SAEHD", saved).predictor()(FACES)
    np.testing.assert_allclose(found.face, there.df(FACES, "src")[0], atol=2e-4)


def test_an_amp_morphs_here_as_it_did_there(tmp_path):
    files = reference.amp_files(np.random.default_rng(0), WIDTHS)
    # The reference trains encoder and decoder only, so its optimizer knows no others.
    trained = {stem: files[stem] for stem in ("encoder", "decoder")}
    reference.write_files(tmp_path / "dfl", "new", "AMP", files | main_optimizer(trained),
                          data(inter_dims=32, morph_factor=0.5))
    outcome, saved = import_files(tmp_path / "dfl", tmp_path / "models", kind="AMP")
    model = restore("AMP", saved)
    for morph in (1.0, 0.25):
        face, _ = reference.Network(files, "udt", 64).amp(FACES, morph)
        np.testing.assert_allclose(model.predictor().at(morph)(FACES).face, face, atol=2e-4)
    n = 2 * sum(len(arrays) for arrays in files.values())
    assert outcome.event("imported")["notes"] == [
        f"src_dst_opt: 8 of {n} arrays of the optimizer start anew"]
    optimizer = model.optimizers()["generator"].state()
    assert not optimizer["mean/inter_dst/dense2/weight"].any()
    assert optimizer["mean/decoder/out_conv/weight"].any() and optimizer["step"] == 1234


def test_discriminators_judge_here_as_they_did_there(tmp_path):
    files, rng = draw("df-ud"), np.random.default_rng(5)
    judges = {"GAN": reference.gan_file(rng, 4, 2),
              "code_discriminator": reference.code_discriminator_file(rng, 32, 1)}
    names = {"GAN": ("GAN_opt", "D_src"), "code_discriminator": ("D_code_opt", "dis")}
    optimizers = {file: reference.optimizer_file(rng, judges, {stem: network}, ADABELIEF, 77)
                  for stem, (file, network) in names.items()}
    reference.write_files(tmp_path / "dfl", "new", "SAEHD",
                          files | judges | main_optimizer(files) | optimizers,
                          data(archi="df-ud", true_face_power=0.01, **GAN))
    outcome, saved = import_files(tmp_path / "dfl", tmp_path / "models")
    assert outcome.event("imported")["notes"] == []
    model = restore("SAEHD", saved)
    weights = {stem: {name.removesuffix(":0"): torch.from_numpy(array.astype(np.float64))
                      for name, array in arrays.items()} for stem, arrays in judges.items()}
    code = np.random.default_rng(2).standard_normal((2, 4, 4, 32)).astype(np.float32)
    expected = {"GAN": torch_reference.unet(weights["GAN"], torch.tensor(FACES).double(), [2, 2]),
                "code_discriminator": torch_reference.code_discriminator(
                    weights["code_discriminator"], torch.tensor(code).double(), 1)}
    for stem, inputs in (("GAN", FACES), ("code_discriminator", code)):
        for found, wanted in zip(model.parts()[stem].judge(inputs), expected[stem], strict=True):
            np.testing.assert_allclose(found, wanted, atol=2e-4)
        assert model.optimizers()[stem].state()["step"] == 77
    np.testing.assert_array_equal(model.optimizers()["GAN"].state()["mean/convs_1/weight"],
                                  optimizers["GAN_opt"]["ms_D_src/convs_1/weight_0:0"])


def test_a_discriminator_that_is_missing_or_of_another_size_starts_anew_and_is_told(tmp_path):
    files = draw("df-ud")
    gan = {"GAN": reference.gan_file(np.random.default_rng(5), 8, 2)}  # the options say 4
    reference.write_files(tmp_path / "dfl", "new", "SAEHD", files | gan | main_optimizer(files),
                          data(archi="df-ud", true_face_power=0.01, **GAN))
    outcome, _ = import_files(tmp_path / "dfl", tmp_path / "models")
    code, gan, *optimizers = outcome.event("imported")["notes"]
    assert code == "code_discriminator starts anew: there is no file of it"
    assert gan.startswith("GAN starts anew: ") and "in_conv/weight has shape" in gan
    assert optimizers == [f"{file}: there is no such file; this optimizer starts anew"
                          for file in ("D_code_opt", "GAN_opt")]


def test_without_adabelief_the_state_of_rmsprop_is_taken(tmp_path):
    files = draw("df-ud")
    optimizer = main_optimizer(files, ("acc",))
    reference.write_files(tmp_path / "dfl", "new", "SAEHD", files | optimizer,
                          data(archi="df-ud", adabelief=False))
    outcome, saved = import_files(tmp_path / "dfl", tmp_path / "models")
    assert outcome.event("imported")["notes"] == [] and saved.options["optimizer"] == "rmsprop"
    np.testing.assert_array_equal(
        saved.arrays["generator_optimizer"]["mean_square/decoder_dst/out_convm/weight"],
        optimizer["src_dst_opt"]["acc_decoder_dst/out_convm/weight_0:0"])


def test_state_of_the_other_optimizer_starts_anew_and_is_told(tmp_path):
    files = draw("df-ud")
    reference.write_files(tmp_path / "dfl", "new", "SAEHD",
                          files | main_optimizer(files, ("acc",)), data(archi="df-ud"))
    outcome, saved = import_files(tmp_path / "dfl", tmp_path / "models")
    n = sum(len(arrays) for arrays in files.values())
    assert outcome.event("imported")["notes"] == [
        f"src_dst_opt: {2 * n} of {2 * n} arrays of the optimizer start anew"]
    assert saved.arrays["generator_optimizer"]["step"] == 1234


@pytest.fixture
def small_quick96(monkeypatch):
    """The one size of Quick96 made small: 38 million numbers would take half a minute."""
    sizes = {"resolution": 64, "face_type": "f", "ae_dims": 32, "e_dims": 16, "d_dims": 16,
             "d_mask_dims": 4}
    assert legacy_options.QUICK96.keys() == sizes.keys()
    monkeypatch.setattr(legacy_options, "QUICK96", sizes)


def test_a_quick96_comes_in_and_goes_out_at_its_one_size(small_quick96, tmp_path):
    files = draw("df-ud")
    told = {"iter": 3, "options": {}, "loss_history": HISTORY}
    reference.write_files(tmp_path / "dfl", "new", "Quick96",
                          files | main_optimizer(files, ("acc",)), told)
    outcome, saved = import_files(tmp_path / "dfl", tmp_path / "models", kind="Quick96")
    assert outcome.event("imported")["notes"] == []
    there = reference.Network(files, "ud", 64)
    assert_swaps(restore("Quick96", saved), (*there.df(FACES, "src"), there.df(FACES, "dst")[1]))
    outcome = run("models", "export-dfl", "new", "--model-dir", tmp_path / "models",
                  "--output-dir", tmp_path / "again")
    assert outcome.code == 0
    again, written = reference.read_files(tmp_path / "again", "new", "Quick96")
    assert written["iter"] == 3 and written["loss_history"] == HISTORY
    assert_equal_states({stem: again[stem] for stem in files}, files)


def test_training_goes_on_where_it_was(extracted, tmp_path):
    files = draw("df-ud")
    reference.write_files(tmp_path / "dfl", "new", "SAEHD", files | main_optimizer(files),
                          data(archi="df-ud", face_type="f"))
    import_files(tmp_path / "dfl", tmp_path / "models")
    outcome = run("train", "--src-dir", extracted.path("data_src/aligned"),
                  "--dst-dir", extracted.path("data_dst/aligned"),
                  "--model-dir", tmp_path / "models", "--no-xla", "--preview", "none",
                  "--target-iteration", 5)
    assert outcome.code == 0, outcome.events
    saved = ModelStore(tmp_path / "models", "SAEHD", "new").require()
    assert saved.progress.iteration == 5
    losses = saved.progress.history.column("src")
    assert losses[:3].tolist() == [3, 2, 1] and np.isfinite(losses[3:]).all() and len(losses) == 5
    assert saved.arrays["generator_optimizer"]["step"] == 1236
    assert saved.options["adabelief_compat"] and saved.options["target_iteration"] == 5


# -- export ---------------------------------------------------------------------------------------

JUDGED = {"archi": "df-ud", "gan_power": 0.1, "gan_dims": 4, "true_face_power": 0.1}


@pytest.fixture(scope="module", params=["SAEHD", "AMP"])
def exported(request, tmp_path_factory):
    """(kind, model, its store, the folder of its files); not to be changed."""
    kind, folder = request.param, tmp_path_factory.mktemp("exported")
    model = tiny_model(kind, **JUDGED if kind == "SAEHD" else {})
    store = save(folder / "models", kind, "new", model)
    outcome = export("new", folder)
    assert outcome.code == 0 and outcome.warnings() == []
    written = sorted((folder / "dfl").iterdir())
    assert sorted(outcome.event("exported")["files"]) == [str(path) for path in written]
    return kind, model, store, folder / "dfl"


def export(name, folder, *words):
    return run("models", "export-dfl", name, "--model-dir", folder / "models",
               "--output-dir", folder / "dfl", *words)


def test_what_goes_out_computes_the_same_in_the_reference(exported):
    kind, model, _, folder = exported
    files, told = reference.read_files(folder, "new", kind)
    assert told["iter"] == 6 and np.allclose(told["loss_history"][1], [0.5, 1.0])
    letters = {"SAEHD": "ud", "AMP": "udt"}[kind]
    there = reference.Network(files, letters, 64)
    swap = there.amp(FACES, 1.0) if kind == "AMP" else there.df(FACES, "src")
    np.testing.assert_allclose(model.predictor()(FACES).face, swap[0], atol=2e-4)


def test_what_goes_out_comes_back_as_it_was(exported, tmp_path):
    kind, _, store, folder = exported
    _, again = import_files(folder, tmp_path, kind=kind)
    before = store.require()
    assert_equal_states(again.arrays, before.arrays)
    same = {name: value for name, value in again.options.items()
            if name not in ("adabelief_compat", "ssim_compat", "gan_patch_size", "xla")}
    assert same == {name: before.options[name] for name in same}


def test_files_that_go_out_have_the_names_of_numpy_1_and_of_the_specification(exported):
    kind, _, _, folder = exported
    judges = {"SAEHD": {"GAN": ("GAN_opt", "D_src"), "code_discriminator": ("D_code_opt", "dis")},
              "AMP": {}}[kind]
    networks = {"SAEHD": ("encoder", "inter", "decoder_src", "decoder_dst"),
                "AMP": ("encoder", "inter_src", "inter_dst", "decoder")}[kind]
    optimizers = ["src_dst_opt", *(file for file, _ in judges.values())]
    assert {path.name for path in folder.iterdir()} == {
        f"new_{kind}_data.dat",
        *(f"new_{kind}_{stem}.npy" for stem in (*networks, *judges, *optimizers))}
    for path in folder.iterdir():
        text = path.read_bytes()
        assert text[:2] == b"\x80\x04" and b"numpy._core" not in text
        assert path.suffix == ".dat" or b"numpy.core.multiarray" in text
    files, _ = reference.read_files(folder, "new", kind)
    for stem, (file, network) in judges.items():
        assert files[file].keys() == {"iters:0", *(
            f"{slot}_{network}/{name.replace(':', '_')}:0"
            for slot in ADABELIEF for name in files[stem])}


def test_what_the_reference_does_not_have_stays_here_and_is_told(tmp_path):
    save(tmp_path / "models", "SAEHD", "new", tiny_model(
        "SAEHD", archi="df-ud", gan_power=0.1, gan_dims=4, gan_discriminator="realness",
        optimizer="adam"))
    outcome = export("new", tmp_path)
    assert outcome.code == 0 and outcome.warnings() == [
        "GAN is left out: DeepFaceLab has no realness discriminator",
        "optimizers start anew: DeepFaceLab has no adam"]
    files, _ = reference.read_files(tmp_path / "dfl", "new", "SAEHD")
    assert files.keys() == {"encoder", "inter", "decoder_src", "decoder_dst", "src_dst_opt"}
    assert files["src_dst_opt"] == {"iters:0": 7}


@pytest.mark.parametrize("kind, name, line", [
    ("SAEHD", "a_b", "underscore in their name ('a_b'); give another one with --as-name"),
    ("Quick96", "new", "Quick96 has one size only; this model has resolution 64, ")])
def test_models_the_reference_cannot_have_are_refused(kind, name, line, tmp_path):
    save(tmp_path / "models", kind, name)
    outcome = export(name, tmp_path)
    assert outcome.code == 2 and line in outcome.error()
    assert not (tmp_path / "dfl").exists()


def test_architectures_that_the_reference_gave_up_are_refused():
    with pytest.raises(OptionError, match="no dfhd-u models any more; use `models export-weights"):
        require_portable("SAEHD", tiny_options("SAEHD", archi="dfhd-u"), "new")
    with pytest.raises(OptionError, match="no package:Own models, only SAEHD, Quick96, AMP"):
        require_portable("package:Own", tiny_options("SAEHD"), "new")


@pytest.mark.parametrize("exported", ["AMP"], indirect=True)
def test_files_are_replaced_only_on_demand(exported, tmp_path):
    _, _, store, folder = exported
    (tmp_path / "models").symlink_to(store.folder.parent)
    (tmp_path / "dfl").mkdir()
    path = tmp_path / "dfl" / "new_AMP_inter_dst.npy"
    path.write_bytes(b"mine")
    outcome = export("new", tmp_path)
    assert outcome.code == 2 and "exists; choose another folder or name, or say --overwrite" in (
        outcome.error())
    assert snapshot(tmp_path / "dfl") == {path.name: b"mine"}
    assert export("new", tmp_path, "--overwrite").code == 0
    assert snapshot(tmp_path / "dfl") == snapshot(folder)
    assert export("new", tmp_path, "--as-name", "other").code == 0
    assert (tmp_path / "dfl" / "other_AMP_data.dat").is_file()
