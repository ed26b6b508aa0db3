"""Wrong and right answers to `masked_network`."""

import torch
from torch.nn.functional import conv2d

from . import causal_mask
from .masked_network import MASKED_NETWORK, network, reference

misconception, variant = MASKED_NETWORK.misconception, MASKED_NETWORK.variant


def _same(kernels, kind):
    return [kind] * len(kernels)


@misconception(
    "Your first layer has kind B, so each output sees the pixel that it should predict. Kind A "
    "comes first, and kind B in all later layers."
)
def first_layer_sees_itself(x, kernels):
    return network(x, kernels, _same(kernels, "B"))


@misconception(
    "All your layers have kind A. Only the first must hide the pixel itself; kind A again and "
    "again throws away the nearest neighbours."
)
def always_a(x, kernels):
    return network(x, kernels, _same(kernels, "A"))


@misconception(
    "You swapped the kinds: the first layer has B in yours, the others A. Hide the pixel where the "
    "image is read, in the first layer."
)
def kinds_swapped(x, kernels):
    return network(x, kernels, ["B"] + ["A"] * (len(kernels) - 1))


@misconception("You do not mask the kernels at all: every output sees the future.")
def no_mask(x, kernels):
    return network(x, kernels, _same(kernels, "open"))


@misconception(
    "Only your first layer is masked. A later layer without a mask brings features of later "
    "pixels in, and they know the pixel."
)
def first_only(x, kernels):
    return network(x, kernels, ["A"] + ["open"] * (len(kernels) - 1))


@misconception("Your first layer is not masked. What it lets in, no later mask can take out again.")
def later_only(x, kernels):
    return network(x, kernels, ["open"] + ["B"] * (len(kernels) - 1))


@misconception(
    "Kind A stands in your last layer. It must be in the first, where the image itself is read."
)
def a_at_the_end(x, kernels):
    return network(x, kernels, ["B"] * (len(kernels) - 1) + ["A"])


@misconception("There is no tanh between your layers: then the whole stack is one linear map.")
def no_tanh(x, kernels):
    return network(x, kernels, between=lambda h: h)


@misconception("You use relu between the layers. The text asks for tanh.")
def relu(x, kernels):
    return network(x, kernels, between=torch.relu)


@misconception("You use the sigmoid between the layers. The text asks for tanh.")
def sigmoid(x, kernels):
    return network(x, kernels, between=torch.sigmoid)


@misconception(
    "You apply tanh to the result too. Logits may be any number: tanh only between two layers."
)
def tanh_at_the_end(x, kernels):
    return torch.tanh(reference(x, kernels))


@misconception("You return probabilities. The logits were asked for, without a sigmoid at the end.")
def probabilities(x, kernels):
    return reference(x, kernels).sigmoid()


@misconception("You apply tanh to the image before the first layer. It stands between two layers.")
def tanh_at_the_start(x, kernels):
    return reference(torch.tanh(x), kernels)


@misconception(
    "Your masks are turned: lines and columns are exchanged. Multiply by `causal_mask` as it is."
)
def mask_transposed(x, kernels):
    return network(x, kernels, mask=lambda size, kind: causal_mask.reference(size, kind).T)


@misconception(
    "You turned the kernels over (a convolution in the sense of signals). Use `conv2d` as it is."
)
def kernels_flipped(x, kernels):
    return reference(x, [kernel.flip(0, 1) for kernel in kernels])


@misconception(
    "You mask what a layer gives, or the image, in place of the kernel. Which pixels an output may "
    "see is decided by the weights: multiply the kernel."
)
def masked_images(x, kernels):
    h = x[:, None]
    for layer, kernel in enumerate(kernels):
        h = torch.tanh(h) if layer else h
        h = conv2d(h, kernel[None, None], padding=len(kernel) // 2)
    keep = torch.ones(x.shape[1:]).tril(-1)
    return h[:, 0] * keep


@misconception(
    "Your image is continued at its edges, by copies or in a circle. Outside the image there are "
    "zeros: `padding=k // 2`."
)
def circular(x, kernels):
    h = x[:, None]
    for layer, kernel in enumerate(kernels):
        size = len(kernel)
        h = torch.tanh(h) if layer else h
        weight = kernel * causal_mask.reference(size, "B" if layer else "A").to(kernel)
        h = torch.nn.functional.pad(h, [size // 2] * 4, mode="replicate")
        h = conv2d(h, weight[None, None])
    return h[:, 0]


@misconception(
    "You wrote the zeros into the kernels that you were given. Multiply by the mask: that makes a "
    "new tensor.",
    sign=lambda calls: any(getattr(c.error, "code", "") == "changed_argument" for c in calls),
)
def in_place(x, kernels):
    for layer, kernel in enumerate(kernels):
        kernel *= causal_mask.reference(len(kernel), "B" if layer else "A").to(kernel)
    return network(x, kernels)


@misconception("You use only the first kernel. Apply all of them, one after the other.")
def one_layer(x, kernels):
    return reference(x, kernels[:1])


@misconception("You add the image to what each layer gives. The stack has no such shortcut.")
def with_shortcut(x, kernels):
    return reference(x, kernels) + x


@variant
def by_same_padding(x, kernels):
    h = x.unsqueeze(1)
    last = len(kernels) - 1
    for layer, kernel in enumerate(kernels):
        weight = kernel * causal_mask.reference(len(kernel), "AB"[min(layer, 1)]).to(kernel)
        h = torch.nn.functional.conv2d(h, weight[None, None], padding="same")
        h = h if layer == last else h.tanh()
    return h.squeeze(1)


@variant
def by_shifts(x, kernels):
    """Without a convolution: a sum of shifted images."""
    h = x
    for layer, kernel in enumerate(kernels):
        h = torch.tanh(h) if layer else h
        half = len(kernel) // 2
        padded = torch.nn.functional.pad(h, [half] * 4)
        ones = (len(kernel) ** 2 - 1) // 2 + (layer > 0)
        total = torch.zeros_like(h)
        for place in range(ones):
            i, j = divmod(place, len(kernel))
            total = total + kernel[i, j] * padded[:, i : i + h.shape[1], j : j + h.shape[2]]
        h = total
    return h


@variant
def by_where(x, kernels):
    masked = [
        torch.where(causal_mask.reference(len(k), "B" if i else "A") > 0, k, torch.zeros_like(k))
        for i, k in enumerate(kernels)
    ]
    return network(x, masked, ["open"] * len(kernels))


@variant
def by_modules(x, kernels):
    layers = []
    for layer, kernel in enumerate(kernels):
        weight = kernel * causal_mask.reference(len(kernel), "B" if layer else "A").to(kernel)
        conv = torch.nn.Conv2d(1, 1, len(kernel), padding=len(kernel) // 2, bias=False)
        conv = conv.to(x.dtype)
        conv.weight.data.copy_(weight[None, None])
        layers += [torch.nn.Tanh(), conv] if layer else [conv]
    return torch.nn.Sequential(*layers)(x[:, None])[:, 0]
