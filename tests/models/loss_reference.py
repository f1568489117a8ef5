"""The terms of the losses once more, in PyTorch and float64, from the training specification.

Pictures are (N, H, W, C); every term gives (N,).
"""

import torch
from torch.nn import functional as F


def gaussian(size, sigma):
    """(size, size), sum 1."""
    offsets = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    line = torch.exp(-offsets**2 / (2 * sigma**2))
    kernel = line[:, None] * line[None]
    return kernel / kernel.sum()


def filtered(x, kernel, padding=0):
    """Every channel by itself, with zeros outside."""
    n, h, w, c = x.shape
    planes = x.permute(0, 3, 1, 2).reshape(n * c, 1, h, w)
    planes = F.conv2d(planes, kernel[None, None], padding=padding)
    return planes.reshape(n, c, *planes.shape[2:]).permute(0, 2, 3, 1)


def blur(x, sigma):
    """Zeros outside."""
    size = max(3, int(4 * sigma))
    size += 1 - size % 2
    return filtered(x, gaussian(size, sigma), size // 2)


def blur_inside(x, sigma):
    """A mean of the pixels that exist."""
    return blur(x, sigma) / blur(torch.ones_like(x), sigma)


def blurred_mask(mask):
    return blur_inside(mask, max(1, mask.shape[1] // 32))


def grown_mask(mask):
    return blurred_mask(mask).clamp(0, 0.5) * 2


def blur_out(face, mask):
    sigma = face.shape[1] / 128
    weight = blur_inside(1 - mask, sigma)
    weight = torch.where(weight == 0, torch.ones_like(weight), weight)
    return face * mask + blur_inside(face * (1 - mask), sigma) / weight * (1 - mask)


def dssim(a, b, size, sigma):
    kernel = gaussian(size, sigma)
    mean_a, mean_b, mean_ab, mean_aa, mean_bb = (
        filtered(x, kernel) for x in (a, b, a * b, a * a, b * b))
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    rest = ((2 * (mean_ab - mean_a * mean_b) + c2)
            / (mean_aa - mean_a**2 + mean_bb - mean_b**2 + c2))
    return ((1 - (luminance * rest).mean((1, 2))) / 2).mean(-1)


def structure(a, b, windows):
    return sum(dssim(a, b, size, sigma) for size, sigma in windows) / len(windows)


def mse(x):
    return (x**2).mean((1, 2, 3))


def total_variation(x):
    return (((x[:, 1:] - x[:, :-1])**2).sum((1, 2, 3))
            + ((x[:, :, 1:] - x[:, :, :-1])**2).sum((1, 2, 3)))


def style_distance(a, b, sigma):
    a, b = blur(a, sigma), blur(b, sigma)
    means = a.mean((1, 2)) - b.mean((1, 2))
    deviations = [torch.sqrt(x.var((1, 2), unbiased=False) + 1e-5) for x in (a, b)]
    return (means**2 + (deviations[0] - deviations[1])**2).mean(-1)


def face_style(swap_face, swap_mask, dst_face, dst_mask):
    return style_distance(swap_face * swap_mask.detach(), (dst_face * dst_mask).detach(),
                          swap_face.shape[1] // 8)


def background_style(swap_face, swap_mask, dst_face, dst_mask, wanted, window):
    where = 1 - grown_mask((swap_mask * dst_mask).detach())
    return (dssim(swap_face * where, wanted * where, *window)
            + mse((swap_face - wanted) * where))


def side_terms(face, mask, target, windows):
    """{name: weighted term} of one side.

    Args:
        target: {"face", "mask", "soft": tensor or None, "eyes_mouth": tensor or None}.
        windows: (size, sigma) pairs.
    """
    soft = 1.0 if target["soft"] is None else target["soft"]
    terms = {"dssim": 10 * structure(face * soft, target["face"] * soft, windows),
             "mse": 10 * mse((face - target["face"]) * soft),
             "mask": 10 * mse(mask - target["mask"])}
    if target["eyes_mouth"] is not None:
        error = (face * target["eyes_mouth"] - target["face"] * target["eyes_mouth"]).abs()
        terms["eyes mouth"] = 300 * error.mean((1, 2, 3))
    return terms


def cross_entropy(logits, real):
    """Mean over the patches; (N,)."""
    wanted = torch.full_like(logits, float(real))
    losses = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    return losses.mean((1, 2, 3))
