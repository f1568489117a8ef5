"""Weight files that PyTorch writes in all its formats, and files that attack their reader."""

import io
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch

from facelib.checkpoints.torch_file import WeightsFileError, read_torch

ZIP, STREAM = True, False


def saved(value, is_zip=ZIP):
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=is_zip)
    return buffer.getvalue()


def module():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).eval()


def assert_same(arrays, state, prefix=""):
    assert set(arrays) == {prefix + name for name in state}
    for name, tensor in state.items():
        ours, theirs = arrays[prefix + name], tensor.numpy()
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("is_zip", [ZIP, STREAM])
def test_state_dict(is_zip):
    state = module().state_dict()
    assert_same(read_torch(saved(state, is_zip), "a.pth"), state)


@pytest.mark.parametrize("is_zip", [ZIP, STREAM])
def test_state_dict_inside_a_checkpoint(is_zip):
    state = module().state_dict()
    checkpoint = {"epoch": 3, "state_dict": state, "loss": 0.5, "names": ["a", ("b", None)]}
    assert_same(read_torch(saved(checkpoint, is_zip), "a.pth"), state, "state_dict.")


@pytest.mark.parametrize("is_zip", [ZIP, STREAM])
def test_parameters(is_zip):
    parameters = dict(module().named_parameters())
    arrays = read_torch(saved(parameters, is_zip), "a.pth")
    assert_same(arrays, {name: p.detach() for name, p in parameters.items()})


@pytest.mark.parametrize("is_zip", [ZIP, STREAM])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float64, torch.int64, torch.int32,
                                   torch.int16, torch.int8, torch.uint8, torch.bool])
def test_every_type_of_numbers(is_zip, dtype):
    state = {"a": (torch.arange(12).reshape(3, 4) - 3).to(dtype),
             "scalar": torch.tensor(2, dtype=dtype)}
    assert_same(read_torch(saved(state, is_zip), "a.pth"), state)


def test_bfloat16_becomes_float32():
    tensor = torch.linspace(-3, 1e6, 50).bfloat16()
    array = read_torch(saved({"a": tensor}), "a.pth")["a"]
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, tensor.float().numpy())


@pytest.mark.parametrize("is_zip", [ZIP, STREAM])
def test_views_share_their_memory_in_the_file_only(is_zip):
    whole = torch.arange(24.0).reshape(4, 6)
    state = {"whole": whole, "turned": whole.t(), "part": whole[1:3, ::2], "row": whole[3],
             "empty": torch.zeros(0, 3)}
    arrays = read_torch(saved(state, is_zip), "a.pth")
    assert_same(arrays, state)
    arrays["row"][:] = -1
    assert arrays["whole"].min() == 0


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize("make", ["script", "trace"])
def test_torchscript(make):
    network = module()
    buffer = io.BytesIO()
    scripted = (torch.jit.script(network) if make == "script"
                else torch.jit.trace(network, torch.zeros(1, 3, 9, 9)))
    torch.jit.save(scripted, buffer)
    assert_same(read_torch(buffer.getvalue(), "a.zip"), network.state_dict())


# --- files that are damaged or attack ------------------------------------------------------------


class Attack:
    """Unpickled by Python, makes a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("is_zip", [ZIP, STREAM])
def test_code_is_refused_and_not_run(is_zip, tmp_path):
    data = saved({"weight": torch.ones(3), "other": Attack(tmp_path / "made")}, is_zip)
    with pytest.raises(WeightsFileError, match="evil.pth: it wants to use .*mkdir.*nothing of it"):
        read_torch(data, "evil.pth")
    assert not (tmp_path / "made").exists()


def test_whole_modules_are_refused():
    with pytest.raises(WeightsFileError, match="wants to use torch.nn"):
        read_torch(saved(module()), "whole.pth")


@pytest.mark.parametrize("is_zip", [ZIP, STREAM])
def test_every_truncation_is_one_clear_line(is_zip):
    data = saved(module().state_dict(), is_zip)
    for length in [0, 1, 7, 30, *range(40, len(data) - 1, 97), len(data) - 1]:
        with pytest.raises(WeightsFileError) as caught:
            read_torch(data[:length], "cut.pth")
        assert str(caught.value).startswith("cut.pth: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("is_zip", [ZIP, STREAM])
def test_flipped_bytes_are_noticed_or_change_only_numbers(is_zip):
    data = saved(module().state_dict(), is_zip)
    rng = np.random.default_rng(0)
    refused = 0
    for at in rng.integers(0, len(data), 300):
        broken = bytearray(data)
        broken[at] ^= int(rng.integers(1, 256))
        try:
            arrays = read_torch(bytes(broken), "flipped.pth")
        except WeightsFileError as error:
            refused += 1
            assert "\n" not in str(error)
        else:
            assert all(isinstance(array, np.ndarray) for array in arrays.values())
    assert refused > 50


def archive(pickled, storages=None, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        file.writestr("archive/data.pkl", pickled)
        for key, data in (storages or {}).items():
            file.writestr(f"archive/data/{key}", data)
    return buffer.getvalue()


def tensor_pickle(n_values, offset, shape, strides, storage_type="FloatStorage"):
    """A dictionary with one tensor, instruction by instruction."""
    def integer(n):
        return b"\x8a\x08" + struct.pack("<q", n)

    def numbers(values):
        return b"(" + b"".join(map(integer, values)) + b"t"

    storage = (b"(X\x07\x00\x00\x00storagectorch\n" + storage_type.encode()
               + b"\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu" + integer(n_values) + b"tQ")
    return (b"\x80\x02}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n(" + storage
            + integer(offset) + numbers(shape) + numbers(strides)
            + b"\x89ccollections\nOrderedDict\n)RtRs.")


def test_tensor_written_by_hand_is_read():
    data = archive(tensor_pickle(6, 1, (2, 2), (2, 1)), {"0": np.arange(6, dtype="f4").tobytes()})
    np.testing.assert_array_equal(read_torch(data, "a.pth")["a"], [[1, 2], [3, 4]])


@pytest.mark.parametrize("pickled, storages", [
    (tensor_pickle(6, 3, (2, 2), (2, 1)), {"0": bytes(24)}),  # reaches over the end
    (tensor_pickle(6, 0, (2, 2), (-2, 1)), {"0": bytes(24)}),
    (tensor_pickle(6, -4, (2, 2), (2, 1)), {"0": bytes(24)}),
    (tensor_pickle(6, 0, (2**20, 2**20), (0, 0)), {"0": bytes(24)}),  # a number 2^40 times
    (tensor_pickle(2**34, 0, (4,), (1,)), {"0": bytes(24)}),  # more than the file holds
    (tensor_pickle(6, 0, (2, 2), (2, 1)), {"0": bytes(20)}),
    (tensor_pickle(6, 0, (2, 2), (2, 1)), {}),
    (tensor_pickle(6, 0, (2, 2), (2,)), {"0": bytes(24)}),
    (tensor_pickle(6, 0, (2, 2), (2, 1), "Tensor"), {"0": bytes(24)}),
    (pickle.dumps({"a": 1}), {}),
    (pickle.dumps([[[[]]]]), {}),
    (b"\x80\x02" + b"]" * 100_000 + b".", {}),
    (b"", {}),
])
def test_impossible_tensors_are_refused(pickled, storages):
    with pytest.raises(WeightsFileError, match="^bad.pth: "):
        read_torch(archive(pickled, storages), "bad.pth")


def test_packed_archives_are_refused():
    pickled = tensor_pickle(2**26, 0, (4,), (1,))
    bomb = archive(pickled, {"0": bytes(2**28)}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 2**20
    with pytest.raises(WeightsFileError, match="packed in another way"):
        read_torch(bomb, "bomb.pth")


def test_other_archives_are_refused():
    buffer = io.BytesIO()
    np.savez(buffer, a=np.ones(3))
    with pytest.raises(WeightsFileError, match="this archive is not from PyTorch"):
        read_torch(buffer.getvalue(), "a.npz")
