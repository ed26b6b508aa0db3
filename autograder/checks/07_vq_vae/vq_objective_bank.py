"""Wrong and right answers to `vq_objective`."""

import torch

from ._codes import brute_force
from .vq_objective import VQ_OBJECTIVE, reference

misconception = VQ_OBJECTIVE.misconception
variant = VQ_OBJECTIVE.variant


def _parts(z_e, codebook):
    z_q = codebook[brute_force(z_e.detach(), codebook.detach())]
    return z_q, z_e + (z_q - z_e).detach()


def _square(a, b):
    return (a - b).square().sum(-1).mean()


def _total(x, x_hat, z_e, z_q, codebook_weight, beta):
    losses = codebook_weight * _square(z_e.detach(), z_q) + beta * _square(z_e, z_q.detach())
    return _square(x, x_hat) + losses


@misconception(
    "The decoder gets the code as it was looked up. Its gradient then moves the codebook, and the "
    "encoder never hears of the reconstruction: use `straight_through`."
)
def no_straight_through(decoder, x, z_e, codebook, beta):
    z_q, _ = _parts(z_e, codebook)
    return _total(x, decoder(z_q), z_e, z_q, 1, beta)


@misconception(
    "The decoder gets the detached code, so the encoder never hears of the reconstruction: use "
    "`straight_through`."
)
def decoder_gets_a_constant(decoder, x, z_e, codebook, beta):
    z_q, _ = _parts(z_e, codebook)
    return _total(x, decoder(z_q.detach()), z_e, z_q, 1, beta)


@misconception(
    "The gradient of the reconstruction reaches encoder and codebook. The codebook learns from its "
    "own term alone: detach the code in the straight-through step."
)
def reconstruction_moves_both(decoder, x, z_e, codebook, beta):
    z_q, _ = _parts(z_e, codebook)
    return _total(x, decoder(z_e + z_q - z_e.detach()), z_e, z_q, 1, beta)


@misconception(
    "The decoder gets what was never quantised. It must get the value of the code, as it will when "
    "only the code is known."
)
def decoder_gets_z_e(decoder, x, z_e, codebook, beta):
    z_q, _ = _parts(z_e, codebook)
    return _total(x, decoder(z_e), z_e, z_q, 1, beta)


@misconception(
    "The straight-through step is inverted: the decoder gets the value of z_e, and the codebook "
    "gets the gradient."
)
def inverted(decoder, x, z_e, codebook, beta):
    z_q, _ = _parts(z_e, codebook)
    return _total(x, decoder(z_q + (z_e - z_q).detach()), z_e, z_q, 1, beta)


@misconception(
    "You compute the losses after the straight-through step, with its result for the code. The "
    "codebook is no longer in them and never learns. Keep the code that was looked up for the "
    "losses."
)
def losses_after_straight_through(decoder, x, z_e, codebook, beta):
    _, z_q = _parts(z_e, codebook)
    return _total(x, decoder(z_q), z_e, z_q, 1, beta)


@misconception(
    "β weighs the codebook term, or the two stop-gradients are exchanged. β belongs to the term "
    "that moves the encoder."
)
def beta_on_the_codebook(decoder, x, z_e, codebook, beta):
    z_q, straight = _parts(z_e, codebook)
    return _square(x, decoder(straight)) + (
        beta * _square(z_e.detach(), z_q) + _square(z_e, z_q.detach())
    )


@misconception("β weighs both terms. The codebook term has the weight 1.")
def beta_on_both(decoder, x, z_e, codebook, beta):
    z_q, straight = _parts(z_e, codebook)
    return _total(x, decoder(straight), z_e, z_q, beta, beta)


@misconception(
    "The codebook term is missing, so the codebook never learns: the straight-through gradient "
    "goes past it."
)
def codebook_term_missing(decoder, x, z_e, codebook, beta):
    z_q, straight = _parts(z_e, codebook)
    return _total(x, decoder(straight), z_e, z_q, 0, beta)


@misconception("The commitment is missing: nothing keeps the encoder near its codes.")
def commitment_missing(decoder, x, z_e, codebook, beta):
    z_q, straight = _parts(z_e, codebook)
    return _total(x, decoder(straight), z_e, z_q, 1, 0)


@misconception(
    "You return the distortion alone. The codebook and the commitment have terms of their own."
)
def distortion_alone(decoder, x, z_e, codebook, beta):
    return _square(x, decoder(_parts(z_e, codebook)[1]))


@misconception(
    "The value is right, and neither of the two terms holds anything constant: both move both "
    "sides with the weight 1 + β."
)
def no_stops(decoder, x, z_e, codebook, beta):
    z_q, straight = _parts(z_e, codebook)
    return _square(x, decoder(straight)) + (1 + beta) * _square(z_e, z_q)


@misconception(
    "You averaged the distortion over the D values too, so that it weighs D times less. Sum over "
    "the values of a point."
)
def distortion_averaged(decoder, x, z_e, codebook, beta):
    z_q, straight = _parts(z_e, codebook)
    rest = _square(z_e.detach(), z_q) + beta * _square(z_e, z_q.detach())
    return (x - decoder(straight)).square().mean() + rest


@misconception(
    "You averaged the two losses over the M values too, so that they weigh M times less. Sum over "
    "the values of a vector."
)
def losses_averaged(decoder, x, z_e, codebook, beta):
    z_q, straight = _parts(z_e, codebook)
    dim = z_e.shape[1]
    return _total(x, decoder(straight), z_e, z_q, 1 / dim, beta / dim)


@misconception("You averaged everything over the values too: sums over D and M, means over N.")
def all_averaged(decoder, x, z_e, codebook, beta):
    z_q, straight = _parts(z_e, codebook)
    rest = _total(0 * x, 0 * x, z_e, z_q, 1, beta) / z_e.shape[1]
    return (x - decoder(straight)).square().mean() + rest


@misconception("You summed over the points. Take the mean.")
def summed_over_points(decoder, x, z_e, codebook, beta):
    return len(x) * reference(decoder, x, z_e, codebook, beta)


@misconception(
    "You multiplied the commitment with β twice. The second of `vq_losses` holds it already."
)
def beta_twice(decoder, x, z_e, codebook, beta):
    return reference(decoder, x, z_e, codebook, beta**2)


@misconception("You left β out: the commitment has the weight 1 in your loss.")
def beta_ignored(decoder, x, z_e, codebook, beta):
    return reference(decoder, x, z_e, codebook, 1.0)


@misconception("Your distortion has the factor ½. Here it has none.")
def half_distortion(decoder, x, z_e, codebook, beta):
    z_q, straight = _parts(z_e, codebook)
    rest = _total(0 * x, 0 * x, z_e, z_q, 1, beta)
    return 0.5 * _square(x, decoder(straight)) + rest


@misconception(
    "Your codebook term pulls all codes to every point. Only the code that was chosen is meant."
)
def all_codes_pulled(decoder, x, z_e, codebook, beta):
    z_q, straight = _parts(z_e, codebook)
    pull = (codebook - z_e.detach()[:, None]).square().sum((1, 2)).mean()
    return _total(x, decoder(straight), z_e, z_q, 0, beta) + pull


@misconception(
    "You mix the codes with weights (a softmax of the distances). One code is chosen: the nearest."
)
def softmax_over_codes(decoder, x, z_e, codebook, beta):
    weights = (-(z_e[:, None] - codebook).square().sum(2)).softmax(1)
    z_q = weights @ codebook
    return _total(x, decoder(z_e + (z_q - z_e).detach()), z_e, z_q, 1, beta)


@misconception("The value is right, and nothing can learn from it: the result is detached.")
def detached(decoder, x, z_e, codebook, beta):
    return reference(decoder, x, z_e, codebook, beta).detach()


@misconception("You chose the farthest code of each point. The nearest.")
def farthest(decoder, x, z_e, codebook, beta):
    z_q = codebook[torch.cdist(z_e.detach(), codebook.detach()).argmax(1)]
    return _total(x, decoder(z_e + (z_q - z_e).detach()), z_e, z_q, 1, beta)


@variant
def published(decoder, x, z_e, codebook, beta):
    z_q, straight = _parts(z_e, codebook)
    return _total(x, decoder(straight), z_e, z_q, 1, beta)


@variant
def point_by_point(decoder, x, z_e, codebook, beta):
    total = 0.0
    for point, code in zip(x, z_e, strict=True):
        total = total + reference(decoder, point[None], code[None], codebook, beta)
    return total / len(x)


@variant
def by_mse_loss(decoder, x, z_e, codebook, beta):
    mse = torch.nn.functional.mse_loss
    z_q, straight = _parts(z_e, codebook)
    losses = mse(z_q, z_e.detach()) + beta * mse(z_e, z_q.detach())
    return x.shape[1] * mse(decoder(straight), x) + z_e.shape[1] * losses


@variant
def by_one_hot(decoder, x, z_e, codebook, beta):
    with torch.no_grad():
        chosen = torch.nn.functional.one_hot(torch.cdist(z_e, codebook).argmin(1), len(codebook))
    z_q = chosen.to(codebook.dtype) @ codebook
    straight = z_q.detach() + z_e - z_e.detach()
    return _total(x, decoder(straight), z_e, z_q, 1, beta)


@variant
def in_a_tensor_with_one_element(decoder, x, z_e, codebook, beta):
    return reference(decoder, x, z_e, codebook, beta).reshape(1, 1)
