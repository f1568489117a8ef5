"""All networks once more, in PyTorch and float64, from the training specification's section 2.

Weights are {path: tensor} in the layouts of our files. Pictures are (N, C, H, W) inside and
(N, H, W, C) at the borders; flat codes are channels fastest, as ours are.
"""

import torch
from torch.nn import functional as F


class Net:
    """One network's weights, below a prefix."""

    def __init__(self, weights, prefix="", letters=""):
        self.weights, self.prefix, self.letters = weights, prefix, letters

    def __truediv__(self, name):
        return Net(self.weights, f"{self.prefix}{name}/", self.letters)

    def get(self, name):
        return self.weights[self.prefix + name]

    def act(self, x, slope):
        if "c" in self.letters:
            return x * torch.cos(x)
        return F.leaky_relu(x, slope)

    def conv(self, x, name, stride=1, dilation=1):
        kernel = self.get(f"{name}/weight").permute(3, 2, 0, 1).contiguous()
        pad = ((kernel.shape[-1] - 1) * dilation + 1) // 2
        return F.conv2d(x, kernel, self.get(f"{name}/bias"), stride, pad, dilation)

    def dense(self, x, name):
        return x @ self.get(f"{name}/weight") + self.get(f"{name}/bias")


def pictures(x):
    return x.permute(0, 3, 1, 2)


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def flat(x):
    return channels_last(x).reshape(len(x), -1)


def unit(x):
    return x / torch.sqrt((x**2).mean(1, keepdim=True) + 1e-6)


def to_space(x):
    """Input channel (dy * 2 + dx) * C + c fills the sub-pixel (dy, dx) of channel c."""
    n, channels, h, w = x.shape
    x = x.reshape(n, 2, 2, channels // 4, h, w).permute(0, 3, 4, 1, 5, 2)
    return x.reshape(n, channels // 4, 2 * h, 2 * w)


def to_depth(x):
    """The other way round."""
    return torch.cat([x[:, :, dy::2, dx::2] for dy in (0, 1) for dx in (0, 1)], 1)


def up(net, x):
    return to_space(net.act(net.conv(x, "conv1"), 0.1))


def res(net, x):
    y = net.conv(net.act(net.conv(x, "conv1"), 0.2), "conv2")
    return net.act(x + y, 0.2)


def down(net, x):
    return net.act(net.conv(x, "conv1", stride=2), 0.1)


# -- parts ---------------------------------------------------------------------------------------

def encoder(net, faces):
    x = pictures(faces)
    if "t" in net.letters:
        x = res(net / "res1", down(net / "down1", x))
        for stage in (2, 3, 4, 5):
            x = down(net / f"down{stage}", x)
        x = res(net / "res5", x)
    else:
        for stage in range(4):
            x = down(net / f"down1/downs_{stage}", x)
    return unit(flat(x)) if "u" in net.letters else flat(x)


def hd_encoder(net, faces):
    """Four chains: convolution of a quarter of the channels, space to depth, activation."""
    results = []
    for chain, dilation in enumerate((1, 1, 2, 2)):
        x = pictures(faces)
        for stage in range(4):
            x = (net / f"chains_{chain}/downs_{stage}").conv(x, "conv1", dilation=dilation)
            x = net.act(to_depth(x), 0.1)
        results.append(x)
    x = flat(torch.cat(results, 1))
    return unit(x) if "u" in net.letters else x


def inter(net, code, side):
    x = net.dense(net.dense(code, "dense1"), "dense2")
    x = pictures(x.reshape(len(x), side, side, -1))
    return x if "t" in net.letters else up(net / "upscale1", x)


def face_head(net, x):
    if "d" not in net.letters:
        return channels_last(torch.sigmoid(net.conv(x, "out_conv")))
    heads = [net.conv(x, name) for name in ("out_conv", "out_conv1", "out_conv2", "out_conv3")]
    face = torch.zeros(len(x), 3, 2 * x.shape[2], 2 * x.shape[3], dtype=x.dtype)
    for j, head in enumerate(heads):
        face[:, :, j // 2::2, j % 2::2] = head
    return channels_last(torch.sigmoid(face))


def mask_branch(net, x):
    for stage in range(3 + ("t" in net.letters) + ("d" in net.letters)):
        x = up(net / f"upscalem{stage}", x)
    return channels_last(torch.sigmoid(net.conv(x, "out_convm")))


def decoder(net, code):
    x = code
    for stage in range(3 + ("t" in net.letters)):
        x = res(net / f"res{stage}", up(net / f"upscale{stage}", x))
    return face_head(net, x), mask_branch(net, code)


def up_down(net, x):
    inner = res(net / "res", up(net / "up", x))
    lower = to_depth((net / "down").conv(inner, "conv1"))
    return net.act(x + lower[:, :x.shape[1]], 0.2), inner


def hd_decoder(net, code):
    x = code
    for stage in range(3):
        x, inner = up_down(net / f"updown{stage}", x)
        x = net.act(up(net / f"upscale{stage}", x) + inner, 0.2)
    x, _ = up_down(net / "updown_last", x)
    return face_head(net, x), mask_branch(net, code)


# -- autoencoders --------------------------------------------------------------------------------

PARTS = {"df": (encoder, decoder), "liae": (encoder, decoder),
         "dfhd": (hd_encoder, hd_decoder), "liaehd": (hd_encoder, hd_decoder)}


def autoencoder(kind, weights, letters, src, dst):
    """Faces and masks of src, dst and swap, in one flat list."""
    net = Net(weights, letters=letters)
    encode, decode = PARTS[kind]
    side = src.shape[1] // (32 if "d" in letters else 16)
    src_flat, dst_flat = encode(net / "encoder", src), encode(net / "encoder", dst)
    if kind.startswith("df"):
        src_code, dst_code = (inter(net / "inter", x, side) for x in (src_flat, dst_flat))
        return [*decode(net / "decoder_src", src_code), *decode(net / "decoder_dst", dst_code),
                *decode(net / "decoder_src", dst_code)]
    ab_src, ab_dst = (inter(net / "inter_AB", x, side) for x in (src_flat, dst_flat))
    b_dst = inter(net / "inter_B", dst_flat, side)
    pairs = ((ab_src, ab_src), (b_dst, ab_dst), (ab_dst, ab_dst))
    return [out for pair in pairs for out in decode(net / "decoder", torch.cat(pair, 1))]


def amp(weights, src, dst, src_channels, value):
    """Faces and masks of src, dst and of the swap at `value`, in one flat list."""
    net = Net(weights, letters="udt")
    side = src.shape[1] // 32

    def bottleneck(faces):
        return (net / "encoder").dense(encoder(net / "encoder", faces), "dense1")

    def code(name, encoded):
        x = (net / name).dense(encoded, "dense2")
        return pictures(x.reshape(len(x), side, side, -1))

    src_code, dst_code = bottleneck(src), bottleneck(dst)
    chosen = src_channels[:, :, None, None]
    mixed = code("inter_src", src_code) * chosen + code("inter_dst", src_code) * (1 - chosen)
    of_dst = code("inter_dst", dst_code)
    count = int(of_dst.shape[1] * value)
    swap = torch.cat([code("inter_src", dst_code)[:, :count], of_dst[:, count:]], 1)
    return [out for x in (mixed, of_dst, swap) for out in decoder(net / "decoder", x)]


# -- discriminators ------------------------------------------------------------------------------

def trunk(net, faces, strides):
    maps = [F.leaky_relu(net.conv(pictures(faces), "in_conv"), 0.2)]
    for layer, stride in enumerate(strides):
        maps.append(F.leaky_relu(net.conv(maps[-1], f"convs_{layer}", stride=stride), 0.2))
    return maps


def transposed(net, x, name, stride):
    """TensorFlow's SAME: the side times the stride; the surplus is cut at the far borders."""
    kernel = net.get(f"{name}/weight").permute(3, 2, 0, 1)  # to (in, out, k, k)
    y = F.conv_transpose2d(x, kernel, net.get(f"{name}/bias"), stride, padding=2 - stride)
    return y[:, :, :x.shape[2] * stride, :x.shape[3] * stride]


def unet(weights, faces, strides):
    net = Net(weights)
    *skips, bottom = trunk(net, faces, strides)
    x = F.leaky_relu(net.conv(bottom, "center_conv"), 0.2)
    for index, (skip, stride) in enumerate(zip(reversed(skips), reversed(strides))):
        x = F.leaky_relu(transposed(net, x, f"upconvs_{index}", stride), 0.2)
        x = torch.cat([skip, x[:, :, :skip.shape[2], :skip.shape[3]]], 1)
    return [channels_last(net.conv(bottom, "center_out")), channels_last(net.conv(x, "out_conv"))]


def critic(net, faces, strides):
    return channels_last(net.conv(trunk(net, faces, strides)[-1], "out_conv"))


def multi_scale(weights, faces, strides):
    net, results = Net(weights), []
    for scale in range(3):
        if scale:
            faces = channels_last(F.avg_pool2d(pictures(faces), 2))
        results.append(critic(net / f"critics_{scale}", faces, strides))
    return results


def realness(weights, faces, strides):
    return [F.log_softmax(critic(Net(weights) / "critic", faces, strides), -1)]


def code_discriminator(weights, code, n_layers):
    net, x = Net(weights), pictures(code)
    for layer in range(n_layers):
        x = F.leaky_relu(net.conv(x, f"convs_{layer}", stride=2), 0.1)
    return [channels_last(net.conv(x, "out_conv"))]
