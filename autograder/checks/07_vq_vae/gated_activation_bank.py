"""Wrong and right answers to `gated_activation`."""

import torch
from torch.nn.functional import glu

from .gated_activation import GATED_ACTIVATION, reference

misconception, variant = GATED_ACTIVATION.misconception, GATED_ACTIVATION.variant


def parts(features, condition):
    return (features + condition[:, :, None, None]).chunk(2, dim=1)


@misconception(
    "You exchanged the halves: the first half of the channels goes through tanh, the second "
    "through the sigmoid."
)
def halves_swapped(features, condition):
    content, gate = parts(features, condition)
    return torch.sigmoid(content) * torch.tanh(gate)


@misconception("You used the sigmoid twice. The content needs tanh: it may be negative.")
def sigmoid_twice(features, condition):
    content, gate = parts(features, condition)
    return torch.sigmoid(content) * torch.sigmoid(gate)


@misconception("You used tanh twice. A gate opens from 0 to 1: that is the sigmoid.")
def tanh_twice(features, condition):
    content, gate = parts(features, condition)
    return torch.tanh(content) * torch.tanh(gate)


@misconception(
    "Your content is not squashed: this is a gated linear unit. Take tanh of the first half."
)
def content_linear(features, condition):
    return glu(features + condition[:, :, None, None], dim=1)


@misconception("Your content goes through a ReLU. This gate takes tanh.")
def content_relu(features, condition):
    content, gate = parts(features, condition)
    return content.relu() * torch.sigmoid(gate)


@misconception("You add the content and the gate. A gate multiplies: closed, it hides everything.")
def added(features, condition):
    content, gate = parts(features, condition)
    return torch.tanh(content) + torch.sigmoid(gate)


@misconception(
    "You take every other channel for the gate. The first C channels are the content and the last "
    "C the gate."
)
def interleaved(features, condition):
    whole = features + condition[:, :, None, None]
    return torch.tanh(whole[:, ::2]) * torch.sigmoid(whole[:, 1::2])


@misconception("You ignore the condition, so every class is drawn alike.")
def condition_ignored(features, condition):
    return reference(features, 0 * condition)


@misconception("You add the condition to the content only. The gate gets its half too.")
def condition_to_content_only(features, condition):
    half = condition.clone()
    half[:, half.shape[1] // 2 :] = 0
    return reference(features, half)


@misconception("You add the condition to the gate only. The content gets its half too.")
def condition_to_gate_only(features, condition):
    half = condition.clone()
    half[:, : half.shape[1] // 2] = 0
    return reference(features, half)


@misconception(
    "You add the condition after the activation. It has to change what is squashed: add it first."
)
def condition_after(features, condition):
    first, second = condition[:, :, None, None].chunk(2, dim=1)
    content, gate = features.chunk(2, dim=1)
    return (torch.tanh(content) + first) * (torch.sigmoid(gate) + second)


@misconception("You multiply by the condition. It is added, channel by channel.")
def condition_multiplied(features, condition):
    content, gate = (features * condition[:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(content) * torch.sigmoid(gate)


@misconception("You use the condition of the first image for all. Each image has a row of its own.")
def first_condition_for_all(features, condition):
    return reference(features, condition[:1].expand_as(condition))


@misconception("You use the first half of the condition twice, for the content and for the gate.")
def same_half_twice(features, condition):
    half = condition[:, : condition.shape[1] // 2]
    return reference(features, torch.cat([half, half], 1))


@misconception(
    "You split the wrong axis: the result must be (N, C, H, W), so the channels, axis 1, are "
    "halved."
)
def rows_halved(features, condition):
    content, gate = (features + condition[:, :, None, None]).chunk(2, dim=2)
    return torch.tanh(content[:, :, : gate.shape[2]]) * torch.sigmoid(gate)


@misconception(
    "The condition needs two axes of length 1 at the end, `condition[:, :, None, None]`, or torch "
    "aligns it with the height and the width.",
    # not by a later shape error alone: halves of another axis fail to fit too
    sign=lambda calls: "must match" in calls[0].error_text,
)
def condition_not_broadcast(features, condition):
    content, gate = (features + condition).chunk(2, dim=1)
    return torch.tanh(content) * torch.sigmoid(gate)


@misconception(
    "Right for small features. For large ones your exponentials overflow: `torch.tanh` and "
    "`torch.sigmoid` do not."
)
def exponentials_overflow(features, condition):
    content, gate = parts(features, condition)
    up, down = torch.exp(content), torch.exp(-content)
    return (up - down) / (up + down) / (1 + torch.exp(-gate))


@variant
def by_slices(features, condition):
    channels = features.shape[1] // 2
    content = features[:, :channels] + condition[:, :channels, None, None]
    gate = features[:, channels:] + condition[:, channels:, None, None]
    return content.tanh() * gate.sigmoid()


@variant
def by_expanding(features, condition):
    whole = features + condition.unsqueeze(-1).unsqueeze(-1).expand_as(features)
    content, gate = torch.split(whole, whole.shape[1] // 2, dim=1)
    return torch.mul(torch.tanh(content), torch.special.expit(gate))


@variant
def sigmoid_for_tanh(features, condition):
    content, gate = parts(features, condition)
    return (2 * torch.sigmoid(2 * content) - 1) * torch.sigmoid(gate)


@variant
def tanh_for_sigmoid(features, condition):
    content, gate = parts(features, condition)
    return torch.tanh(content) * (1 + torch.tanh(gate / 2)) / 2


@variant
def glu_of_a_squashed_half(features, condition):
    content, gate = parts(features, condition)
    return glu(torch.cat([torch.tanh(content), gate], 1), dim=1)


@variant
def channels_last(features, condition):
    whole = features.permute(0, 2, 3, 1) + condition[:, None, None, :]
    content, gate = whole.chunk(2, dim=-1)
    return (torch.tanh(content) * torch.sigmoid(gate)).permute(0, 3, 1, 2)
