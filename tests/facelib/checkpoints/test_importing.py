"""Released weight files, written anew with random weights, become networks that compute the same.

What the networks then compute is compared with the public implementations in
`tests/facelib/networks`.
"""

import functools
import hashlib
import http.server
import io
import pickle
import threading

import numpy as np
import pytest
import torch

from core.errors import UsageError, WeightsMissing
from facelib import weights
from facelib.checkpoints import fetching
from facelib.checkpoints.fetching import FetchError, fetch
from facelib.checkpoints.importing import import_checkpoint
from facelib.checkpoints.layouts import LAYOUTS
from facelib.checkpoints.torch_file import WeightsFileError
from facelib.user_weights import Weights, read_weights, write_weights
from facelib.weights import IMPORTABLE, RELEASES, load_weights, source_of
from tests.facelib.checkpoints.public_reference import our_state, torch_state


@pytest.fixture(autouse=True, name="folder")
def fixture_folder(tmp_path, monkeypatch):
    """A data folder of the test's own."""
    monkeypatch.setenv("FACELAB_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def tensors(name):
    return {key: torch.from_numpy(np.array(array)) for key, array in torch_state(name).items()}


def assert_installed(network, expected):
    state = load_weights(network).state
    assert set(state) == set(expected)
    for path, array in expected.items():
        np.testing.assert_array_equal(state[path], array)


@pytest.mark.parametrize("is_zip", [True, False])
def test_official_s3fd(folder, is_zip):
    path = folder / "s3fd-619a316812.pth"
    torch.save(tensors("s3fd"), path, _use_new_zipfile_serialization=is_zip)
    (imported,) = import_checkpoint(path)
    assert (imported.network, imported.program) == ("s3fd", "face-alignment")
    assert not imported.is_official  # our random weights are not the published ones
    assert_installed("s3fd", our_state("s3fd", "s3fd"))
    about = load_weights("s3fd").about
    assert about["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.name in about["origin"]


class Node(torch.nn.Module):
    """Holds parameters and nodes under the names of a state dict."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def tree(state):
    root = Node()
    for name, tensor in state.items():
        *path, last = name.split(".")
        node = root
        for part in path:
            if part not in node._modules:
                node.add_module(part, Node())
            node = node._modules[part]
        node.register_buffer(last, tensor)
    return root


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_fan_as_torchscript(folder):
    path = folder / "2DFAN4-cd938726ad.zip"
    torch.jit.save(torch.jit.script(tree(tensors("fan"))), path)
    (imported,) = import_checkpoint(path)
    assert imported.network == "2dfan"
    assert_installed("2dfan", our_state("fan", "fan"))
    assert source_of("3dfan") == "missing"


def test_fan_is_2d_or_3d_by_its_name_or_by_what_is_said(folder):
    path = folder / "weights.pth.tar"
    torch.save({"state_dict": {f"module.{key}": value for key, value in tensors("fan").items()}},
               path)
    with pytest.raises(UsageError, match="2DFAN or 3DFAN.*--network"):
        import_checkpoint(path)
    (imported,) = import_checkpoint(path, "3dfan")
    assert imported.network == "3dfan"
    assert_installed("3dfan", our_state("fan", "fan"))


@pytest.mark.parametrize("separate", [False, True])
def test_mtcnn_as_one_file_or_three(folder, separate):
    state = tensors("mtcnn")
    parts = {"mtcnn": state}
    if separate:
        parts = {part: {key.removeprefix(f"{part}."): value for key, value in state.items()
                        if key.startswith(part)} for part in ("pnet", "rnet", "onet")}
    networks = []
    for name, part in parts.items():
        torch.save(part, folder / f"{name}.pt")
        networks += [imported.network for imported in import_checkpoint(folder / f"{name}.pt")]
    assert sorted(networks) == ["mtcnn_onet", "mtcnn_pnet", "mtcnn_rnet"]
    for network in networks:
        assert source_of(network) == "imported"
        assert_installed(network, our_state("mtcnn", network))


def test_retinaface_with_the_names_of_parallel_training(folder):
    path = folder / "mobilenet0.25_Final.pth"
    torch.save({f"module.{key}": value for key, value in tensors("retinaface").items()}, path)
    (imported,) = import_checkpoint(path)
    assert imported.network == "retinaface"
    assert_installed("retinaface", our_state("retinaface", "retinaface"))


def deepfacelab_state(layout, state):
    """Our arrays under the names of DeepFaceLab, whose layouts are ours but for the norms."""
    named = {}
    for path, rule in layout.rules.items():
        is_norm = path in ("conv3_3_norm/weight", "conv4_3_norm/weight", "conv5_3_norm/weight")
        named[rule.names[0]] = state[path].reshape(1, 1, 1, -1) if is_norm else state[path]
    return named


@pytest.mark.parametrize("file_name, network, kind", [
    ("S3FD.npy", "s3fd", "s3fd"), ("3DFAN.npy", "3dfan", "fan")])
def test_files_of_deepfacelab(folder, file_name, network, kind):
    state = our_state(kind, kind)
    (layout,) = (layout for layout in LAYOUTS
                 if layout.network == kind and layout.program == "DeepFaceLab")
    path = folder / file_name
    path.write_bytes(pickle.dumps(deepfacelab_state(layout, state), 4))
    (imported,) = import_checkpoint(path)
    assert (imported.network, imported.program) == (network, "DeepFaceLab")
    assert_installed(network, state)
    assert load_weights(network).about.get("channels") == ("rgb" if kind == "s3fd" else None)


def test_names_of_deepfacelab_are_those_of_the_specification():
    names = {name for layout in LAYOUTS if layout.program == "DeepFaceLab"
             for rule in layout.rules.values() for name in rule.names}
    assert {"conv1_1/weight:0", "fc6/bias:0", "conv3_3_norm/weight:0",
            "conv3_3_norm_mbox_conf/weight:0", "bn1/running_var:0", "conv2/down_conv1/weight:0",
            "m_0/b1/bn1/weight:0", "m_3/b2_plus/b2_plus/b2_plus/b2_plus/conv3/weight:0",
            "top_m_2/conv3/weight:0", "conv_last_0/bias:0", "bn_end_3/running_mean:0",
            "l_1/weight:0", "bl_0/bias:0", "al_2/weight:0", "dense1/weight:0",
            "center_conv3/bias:0", "out4x_conv1/weight:0"} <= names


@pytest.mark.parametrize("change, message", [
    (lambda state: state.pop("conv4.weight"), "none of its .* arrays belong to a known network"),
    (lambda state: state.update({"conv4.weight": torch.ones(9, 64, 2, 2)}), "not the weights of"),
    (lambda state: state.update({"conv4.weight": torch.ones(9)}), "not the weights of"),
    (lambda state: state["conv4.weight"].fill_(float("nan")), "infinite or missing"),
])
def test_other_weights_are_refused_and_nothing_is_installed(folder, change, message):
    state = {key.removeprefix("onet."): value.clone() for key, value in tensors("mtcnn").items()
             if key.startswith("onet.")}
    change(state)
    torch.save(state, folder / "onet.pt")
    with pytest.raises(WeightsFileError, match=message):
        import_checkpoint(folder / "onet.pt")
    assert source_of("mtcnn_onet") == "shipped"


def test_wrong_files_are_one_clear_line(folder):
    (folder / "text.pth").write_text("hello")
    (folder / "list.npy").write_bytes(pickle.dumps([1, 2], 4))
    (folder / "evil.npy").write_bytes(pickle.dumps({"a": print}, 4))
    for name in ("text.pth", "list.npy", "evil.npy", "missing.pth", "."):
        with pytest.raises(WeightsFileError, match=r"^[^\n]+$"):
            import_checkpoint(folder / name)
    with pytest.raises(UsageError, match="no weights 'nose'"):
        import_checkpoint(folder / "text.pth", "nose")


def test_file_must_be_what_is_said(folder):
    torch.save(tensors("retinaface"), folder / "face.pth")
    with pytest.raises(UsageError, match="this is RetinaFace face detector, not S3FD"):
        import_checkpoint(folder / "face.pth", "s3fd")


def test_missing_weights_say_what_to_do():
    with pytest.raises(WeightsMissing, match="models fetch 3dfan.*models import FILE"):
        load_weights("3dfan")
    with pytest.raises(WeightsMissing, match="FaceEnhancer are not installed.*models import"):
        load_weights("face_enhancer")
    assert {name: source_of(name) for name in IMPORTABLE} == {
        "s3fd": "shipped", "2dfan": "shipped", "3dfan": "missing", "face_enhancer": "missing",
        "mtcnn_pnet": "shipped", "mtcnn_rnet": "shipped", "mtcnn_onet": "shipped",
        "retinaface": "shipped", "xseg": "shipped", "vgg11": "missing"}


def test_user_weights_keep_their_facts_and_notice_damage(folder):
    path = folder / "own.npz"
    written = Weights({"a/weight": np.linspace(0, 1, 7, dtype=np.float32)}, {"width": "0.25"})
    write_weights(path, written, "float16")
    read = read_weights(path, "own.npz")
    np.testing.assert_allclose(read.state["a/weight"], written.state["a/weight"], atol=1e-3)
    assert read.state["a/weight"].dtype == np.float32
    assert read.about == {"width": "0.25"}
    data = path.read_bytes()
    for broken in (data[:-40], data[:60], b"", b"nothing",
                   data[:150] + bytes([data[150] ^ 1]) + data[151:]):
        with pytest.raises(WeightsMissing, match="^own.npz: .*models import"):
            read_weights(io.BytesIO(broken), "own.npz")


# --- fetching -----------------------------------------------------------------------------------


@pytest.fixture(name="server")
def fixture_server(folder):
    """Serves the test's folder on this machine; gives its address."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_fetched_file_with_the_published_checksum_is_installed(folder, server, monkeypatch):
    path = folder / "retina.pth"
    torch.save(tensors("retinaface"), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    release = weights.Release(f"{server}/retina.pth", digest[:10], "MIT", "test")
    monkeypatch.setattr(fetching, "RELEASES", {"retinaface": release})
    steps = []
    (imported,) = fetch("retinaface", progress=lambda *step: steps.append(step))
    assert imported.network == "retinaface"
    assert steps[-1] == (path.stat().st_size, path.stat().st_size)
    assert_installed("retinaface", our_state("retinaface", "retinaface"))


def test_other_files_and_missing_servers_are_refused(folder, server):
    torch.save({"a": torch.ones(3)}, folder / "other.pth")
    with pytest.raises(FetchError, match="not the published one.*instead of 619a316812"):
        fetch("s3fd", url=f"{server}/other.pth")
    with pytest.raises(FetchError, match="cannot fetch the weights .*not found"):
        fetch("s3fd", url=f"{server}/missing.pth")
    with pytest.raises(FetchError, match="cannot fetch the weights .*refused"):
        fetch("s3fd", url="http://127.0.0.1:9/s3fd.pth")
    with pytest.raises(FetchError, match="cannot fetch"):
        fetch("s3fd", url="not an address")
    with pytest.raises(UsageError, match="no official file of 'retinaface'"):
        fetch("retinaface")
    assert source_of("s3fd") == "shipped"


def test_official_files_are_pinned():
    for name, release in RELEASES.items():
        assert name in IMPORTABLE
        assert release.url.startswith("https://")
        assert release.hash_start in release.file_name and len(release.hash_start) == 10
