"""XSeg in PyTorch, written by its table alone: channels first, no class of ours."""

import torch
import torch.nn.functional as F

BLUR = {0: [1, 3, 3, 1], 1: [1, 2, 1], 2: [1, 1], 3: [1, 1], 4: [1, 1], 5: [1, 1]}


def conv_block(p, name, x):
    """Convolution, x / sqrt(mean square + |eps|) * w + b, max(x, tau)."""
    kernel = p[f"{name}/conv/weight"].permute(3, 2, 0, 1)
    return normed(p, name, F.conv2d(x, kernel, p[f"{name}/conv/bias"], padding=1))


def up_block(p, name, x):
    """Transposed convolution whose output is exactly twice as large: TensorFlow cuts the end."""
    kernel = p[f"{name}/conv/weight"].permute(3, 2, 0, 1)
    whole = F.conv_transpose2d(x, kernel, p[f"{name}/conv/bias"], stride=2)
    return normed(p, name, whole[:, :, :2 * x.shape[2], :2 * x.shape[3]])


def normed(p, name, x):
    scale = (x**2).mean((2, 3), keepdim=True) + p[f"{name}/frn/eps"].abs()
    x = x / scale.sqrt()
    x = x * p[f"{name}/frn/weight"][:, None, None] + p[f"{name}/frn/bias"][:, None, None]
    return torch.maximum(x, p[f"{name}/tlu/tau"][:, None, None])


def blur_pool(x, row):
    row = torch.tensor(row, dtype=x.dtype)
    kernel = torch.outer(row, row) / row.sum()**2
    before, after = (len(row) - 1) // 2, len(row) - 1 - (len(row) - 1) // 2
    x = F.pad(x, (before, after, before, after))
    return F.conv2d(x, kernel.expand(x.shape[1], 1, *kernel.shape), stride=2, groups=x.shape[1])


def logits(p, faces, with_skips=True):
    """(N, R, R, 3) -> (N, R, R, 1); `p`: path -> tensor."""
    x, skips = faces.permute(0, 3, 1, 2), []
    down = (("01", "02"), ("11", "12"), ("21", "22"), ("31", "32", "33"), ("41", "42", "43"),
            ("51", "52", "53"))
    for level, names in enumerate(down):
        for name in names:
            x = conv_block(p, f"conv{name}", x)
        skips.append(x if with_skips else x * 0)
        x = blur_pool(x, BLUR[level])
    code = x.flatten(1)
    for name in ("dense1", "dense2"):
        code = code @ p[f"{name}/weight"] + p[f"{name}/bias"]
    x = code.reshape(x.shape)
    for level in (5, 4, 3, 2, 1, 0):
        x = torch.cat([up_block(p, f"up{level}", x), skips[level]], 1)
        for name in reversed(down[level]):
            x = conv_block(p, f"uconv{name}", x)
    kernel = p["out_conv/weight"].permute(3, 2, 0, 1)
    return F.conv2d(x, kernel, p["out_conv/bias"], padding=1).permute(0, 2, 3, 1)
