"""DeepFaceLab's files and forward passes, from section 2 of the training specification.

Files are drawn at random under the specified names and shapes; the forward passes are PyTorch's, in
(N, C, H, W) as the reference computes, and know nothing of FaceLab's code.
"""

import pickle

import numpy as np
import torch
import torch.nn.functional as F


class Widths:
    """Widths of a tiny model of any architecture."""

    def __init__(self, resolution=64, e=4, ae=6, d=4, dm=2, inter=10):
        self.resolution, self.e, self.ae, self.d, self.dm, self.inter = (
            resolution, e, ae, d, dm, inter)


class _Drawing:
    """Collects arrays of one file under their names with `:0`."""

    def __init__(self, rng):
        self.rng, self.arrays = rng, {}

    def conv(self, name, in_ch, out_ch, k=3):
        self._add(name, (k, k, in_ch, out_ch), k * k * in_ch, out_ch)

    def dense(self, name, in_ch, out_ch):
        self._add(name, (in_ch, out_ch), in_ch, out_ch)

    def _add(self, name, shape, fan_in, out_ch):
        self.arrays[f"{name}/weight:0"] = np.float32(
            self.rng.normal(0, 1.4 / fan_in**0.5, shape))
        self.arrays[f"{name}/bias:0"] = np.float32(self.rng.normal(0, 0.3, out_ch))


def encoder_file(rng, letters, w):
    file, e = _Drawing(rng), w.e
    if "t" not in letters:
        for i, (before, after) in enumerate([(3, e), (e, 2 * e), (2 * e, 4 * e), (4 * e, 8 * e)]):
            file.conv(f"down1/downs_{i}/conv1", before, after, 5)
        return file.arrays
    widths = [3, e, 2 * e, 4 * e, 8 * e, 8 * e]
    for i in range(5):
        file.conv(f"down{i + 1}/conv1", widths[i], widths[i + 1], 5)
    for name, ch in (("res1", e), ("res5", 8 * e)):
        file.conv(f"{name}/conv1", ch, ch)
        file.conv(f"{name}/conv2", ch, ch)
    return file.arrays


def code_length(letters, w):
    return 8 * w.e * (w.resolution // (32 if "t" in letters else 16))**2


def inter_file(rng, letters, w, out):
    file = _Drawing(rng)
    side = w.resolution // (32 if "d" in letters else 16)
    file.dense("dense1", code_length(letters, w), w.ae)
    file.dense("dense2", w.ae, side * side * out)
    if "t" not in letters:
        file.conv("upscale1/conv1", out, 4 * out)
    return file.arrays


def decoder_file(rng, letters, w, in_ch):
    file, d, dm = _Drawing(rng), w.d, w.dm
    faces = [in_ch, 8 * d, 8 * d, 4 * d, 2 * d] if "t" in letters else [in_ch, 8 * d, 4 * d, 2 * d]
    masks = [in_ch, 8 * dm, *([8 * dm] if "t" in letters else []), 4 * dm, 2 * dm,
             *([dm] if "d" in letters else [])]
    for i, (before, after) in enumerate(zip(faces, faces[1:])):
        file.conv(f"upscale{i}/conv1", before, 4 * after)
        file.conv(f"res{i}/conv1", after, after)
        file.conv(f"res{i}/conv2", after, after)
    for i, (before, after) in enumerate(zip(masks, masks[1:])):
        file.conv(f"upscalem{i}/conv1", before, 4 * after)
    file.conv("out_conv", 2 * d, 3, 1)
    if "d" in letters:
        for i in (1, 2, 3):
            file.conv(f"out_conv{i}", 2 * d, 3, 3)
    file.conv("out_convm", masks[-1], 1, 1)
    return file.arrays


def df_files(rng, letters, w):
    """File stem -> arrays of a DF model."""
    return {"encoder": encoder_file(rng, letters, w), "inter": inter_file(rng, letters, w, w.ae),
            "decoder_src": decoder_file(rng, letters, w, w.ae),
            "decoder_dst": decoder_file(rng, letters, w, w.ae)}


def liae_files(rng, letters, w):
    """File stem -> arrays of a LIAE model."""
    return {"encoder": encoder_file(rng, letters, w),
            "inter_AB": inter_file(rng, letters, w, 2 * w.ae),
            "inter_B": inter_file(rng, letters, w, 2 * w.ae),
            "decoder": decoder_file(rng, letters, w, 4 * w.ae)}


def amp_files(rng, w):
    """File stem -> arrays of an AMP model."""
    encoder = encoder_file(rng, "t", w)
    inters = [_Drawing(rng) for _ in range(2)]
    dense = _Drawing(rng)
    dense.dense("dense1", code_length("t", w), w.ae)
    for inter in inters:
        inter.dense("dense2", w.ae, (w.resolution // 32)**2 * w.inter)
    return {"encoder": encoder | dense.arrays, "inter_src": inters[0].arrays,
            "inter_dst": inters[1].arrays, "decoder": decoder_file(rng, "udt", w, w.inter)}


def optimizer_file(rng, files, names, slots, step):
    """Arrays of an optimizer: `names` maps the stems it updates to network names."""
    arrays = {"iters:0": np.int64(step)}
    for stem, network in names.items():
        for name, array in files[stem].items():
            for slot in slots:
                key = f"{slot}_{network}/{name.replace(':', '_')}:0"
                arrays[key] = np.float32(rng.random(array.shape))
    return arrays


def gan_file(rng, base, n_layers):
    """The UNet discriminator with `n_layers` convolutions of side 3."""
    file, widths = _Drawing(rng), [base * 2**i for i in range(n_layers + 1)]
    file.conv("in_conv", 3, base, 1)
    for i, (before, after) in enumerate(zip(widths, widths[1:])):
        file.conv(f"convs_{i}", before, after)
    for j, i in enumerate(reversed(range(n_layers))):  # (k, k, out, in), the deepest first
        file.conv(f"upconvs_{j}", widths[i], widths[i + 1] * (1 if j == 0 else 2))
        file.arrays[f"upconvs_{j}/bias:0"] = np.float32(rng.normal(0, 0.3, widths[i]))
    file.conv("out_conv", 2 * base, 1, 1)
    file.conv("center_out", widths[-1], 1, 1)
    file.conv("center_conv", widths[-1], widths[-1], 1)
    return file.arrays


def code_discriminator_file(rng, in_ch, n_layers, ch=256):
    """The judge of codes: a kernel of side 4, then of side 3."""
    file, widths = _Drawing(rng), [in_ch] + [ch * min(2**i, 8) for i in range(n_layers)]
    for i, (before, after) in enumerate(zip(widths, widths[1:])):
        file.conv(f"convs_{i}", before, after, 3 if i else 4)
    file.conv("out_conv", widths[-1], 1, 1)
    return file.arrays


def write_files(folder, name, kind, files, data):
    """Writes the files of a model as the reference does: pickles of protocol 4 by NumPy 1."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, arrays in files.items():
        (folder / f"{name}_{kind}_{stem}.npy").write_bytes(pickled(arrays))
    (folder / f"{name}_{kind}_data.dat").write_bytes(pickled(data))


def read_files(folder, name, kind):
    """File stem -> arrays, and the data, by Python's own unpickler."""
    found = {path.name.removeprefix(f"{name}_{kind}_"): pickle.loads(path.read_bytes())
             for path in sorted(folder.glob(f"{name}_{kind}_*"))}
    data = found.pop("data.dat")
    return {file.removesuffix(".npy"): arrays for file, arrays in found.items()}, data


def pickled(value):
    """Protocol 4, with the names that NumPy had before version 2."""
    data = pickle.dumps(value, 4)
    new, old = b"\x8c\x16numpy._core.multiarray", b"\x8c\x15numpy.core.multiarray"
    assert data.count(new) <= 1 and data[2:3] == b"\x95"
    at, length = data.find(new), int.from_bytes(data[3:11], "little")
    if at < 0:
        return data
    assert at < length  # within the first frame, which becomes a byte shorter
    return data[:3] + (length - 1).to_bytes(8, "little") + data[11:at] + old + data[at + len(new):]


class Network:
    """Forward passes on the arrays of files."""

    def __init__(self, files, letters, resolution):
        self.files = {stem: {name: torch.from_numpy(np.asarray(array, np.float64))
                             for name, array in arrays.items()}
                      for stem, arrays in files.items()}
        self.letters, self.resolution = letters, resolution

    def act(self, x, slope):
        return x * torch.cos(x) if "c" in self.letters else F.leaky_relu(x, slope)

    def conv(self, x, stem, name, stride=1):
        weight = self.files[stem][f"{name}/weight:0"].permute(3, 2, 0, 1)
        return F.conv2d(x, weight, self.files[stem][f"{name}/bias:0"], stride,
                        padding=weight.shape[-1] // 2)

    def dense(self, x, stem, name):
        return x @ self.files[stem][f"{name}/weight:0"] + self.files[stem][f"{name}/bias:0"]

    def up(self, x, stem, name):
        return depth_to_space(self.act(self.conv(x, stem, f"{name}/conv1"), 0.1))

    def res(self, x, stem, name):
        y = self.conv(self.act(self.conv(x, stem, f"{name}/conv1"), 0.2), stem, f"{name}/conv2")
        return self.act(x + y, 0.2)

    def encode(self, x):
        if "t" in self.letters:
            for i in range(1, 6):
                x = self.act(self.conv(x, "encoder", f"down{i}/conv1", 2), 0.1)
                if i in (1, 5):
                    x = self.res(x, "encoder", f"res{i}")
        else:
            for i in range(4):
                x = self.act(self.conv(x, "encoder", f"down1/downs_{i}/conv1", 2), 0.1)
        flat = x.flatten(1)  # (C, H, W)
        if "u" in self.letters:
            flat = flat * torch.rsqrt(flat.square().mean(1, keepdim=True) + 1e-6)
        return flat

    def inter(self, code, stem):
        side = self.resolution // (32 if "d" in self.letters else 16)
        x = self.dense(self.dense(code, stem, "dense1"), stem, "dense2")
        x = x.reshape(len(x), -1, side, side)
        return x if "t" in self.letters else self.up(x, stem, "upscale1")

    def decode(self, code, stem):
        """Returns (face (N, R, R, 3), mask (N, R, R, 1)) arrays."""
        face = mask = code
        for i in range(4 if "t" in self.letters else 3):
            face = self.res(self.up(face, stem, f"upscale{i}"), stem, f"res{i}")
            mask = self.up(mask, stem, f"upscalem{i}")
        if "d" in self.letters:
            mask = self.up(mask, stem, "upscalem4" if "t" in self.letters else "upscalem3")
            heads = [self.conv(face, stem, f"out_conv{i}") for i in ("", 1, 2, 3)]
            face = depth_to_space(torch.cat(heads, 1))
        else:
            face = self.conv(face, stem, "out_conv")
        mask = self.conv(mask, stem, "out_convm")
        return [torch.sigmoid(x).permute(0, 2, 3, 1).numpy() for x in (face, mask)]

    def df(self, faces, side):
        return self.decode(self.inter(self.encode(_nchw(faces)), "inter"), f"decoder_{side}")

    def liae(self, faces, side):
        """`side`: src or dst faces by their own code, or "swap"."""
        flat = self.encode(_nchw(faces))
        second = self.inter(flat, "inter_AB")
        first = self.inter(flat, "inter_B") if side == "dst" else second
        return self.decode(torch.cat([first, second], 1), "decoder")

    def amp(self, faces, morph):
        code = self.dense(self.encode(_nchw(faces)), "encoder", "dense1")
        side = self.resolution // 32
        src, dst = (self.dense(code, stem, "dense2").reshape(len(code), -1, side, side)
                    for stem in ("inter_src", "inter_dst"))
        n = int(src.shape[1] * morph)
        return self.decode(torch.cat([src[:, :n], dst[:, n:]], 1), "decoder")


def depth_to_space(x):
    """(N, 4C, H, W) -> (N, C, 2H, 2W); channel (dy * 2 + dx) * C + c."""
    n, ch, height, width = x.shape
    x = x.reshape(n, 2, 2, ch // 4, height, width)
    return x.permute(0, 3, 4, 1, 5, 2).reshape(n, ch // 4, 2 * height, 2 * width)


def _nchw(faces):
    return torch.from_numpy(np.asarray(faces, np.float64)).permute(0, 3, 1, 2)
