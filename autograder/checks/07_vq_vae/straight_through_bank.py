"""Wrong and right answers to `straight_through`."""

import torch

from .straight_through import STRAIGHT_THROUGH

misconception = STRAIGHT_THROUGH.misconception
variant = STRAIGHT_THROUGH.variant


@misconception(
    "The value is right, but the gradient moves the codebook, and the encoder gets none: no "
    "straight-through. In z_e + (z_q − z_e) the encoder cancels unless the difference is detached."
)
def code_alone(z_e, z_q):
    return z_q + 0


@misconception(
    "You return the detached code. The value is right, and no gradient gets through: the encoder "
    "never learns."
)
def code_detached(z_e, z_q):
    return z_q.detach()


@misconception(
    "You return what the encoder says, unquantised. The gradient is right, the value is not."
)
def encoder_alone(z_e, z_q):
    return z_e + 0


@misconception(
    "Inverted: the value is the encoder's, and the gradient goes to the codebook. Start from "
    "`z_e`, and add the detached way to `z_q`."
)
def inverted(z_e, z_q):
    return z_q + (z_e - z_q).detach()


@misconception(
    "The value is right, and the gradient reaches the codebook as well as the encoder. Detach "
    "`z_q` too."
)
def reaches_both(z_e, z_q):
    return z_e + z_q - z_e.detach()


@misconception(
    "You detach the code and leave z_e in the difference: the two encoder terms cancel in the "
    "gradient too. Detach the whole difference."
)
def encoder_cancels(z_e, z_q):
    return z_e + (z_q.detach() - z_e)


@misconception(
    "The sign of the jump is wrong: z_e + (z_e − z_q) leads away from the code. To minus from."
)
def wrong_way(z_e, z_q):
    return z_e + (z_e - z_q).detach()


@misconception(
    "You add the encoder's output and the code. It is taken off again, detached: + z_q − z_e."
)
def added(z_e, z_q):
    return z_e + z_q.detach()


@misconception("You return the middle between the two. The decoder must get the code itself.")
def middle(z_e, z_q):
    return (z_e + z_q) / 2


@misconception("The value is right, and the gradient of the encoder has the opposite sign.")
def gradient_reversed(z_e, z_q):
    return z_e.detach() - z_e + z_q.detach()


@misconception(
    "The value is right, and the gradient is multiplied by the ratio of code and encoder output. "
    "It is handed on unchanged: add the difference, do not multiply."
)
def by_a_ratio(z_e, z_q):
    return z_e * (z_q / z_e).detach()


@misconception("The value is right, and the gradient of the encoder is doubled.")
def gradient_doubled(z_e, z_q):
    return z_q.detach() + 2 * (z_e - z_e.detach())


@variant
def published(z_e, z_q):
    return z_e + (z_q - z_e).detach()


@variant
def both_terms_detached(z_e, z_q):
    return z_e + z_q.detach() - z_e.detach()


@variant
def no_grad(z_e, z_q):
    with torch.no_grad():
        jump = z_q - z_e
    return z_e + jump


class _Copied(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z_e, z_q):
        return z_q.clone()

    @staticmethod
    def backward(ctx, outer):
        return outer, None


@variant
def own_function(z_e, z_q):
    return _Copied.apply(z_e, z_q)


@variant
def constant_first(z_e, z_q):
    constant = z_q.detach() - z_e.detach()
    return torch.add(z_e, constant)
