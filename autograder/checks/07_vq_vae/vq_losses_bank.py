"""Wrong and right answers to `vq_losses`."""

import torch

from .vq_losses import VQ_LOSSES, reference

misconception = VQ_LOSSES.misconception
variant = VQ_LOSSES.variant


def _distance(z_e, z_q):
    return (z_e - z_q).square().sum(-1).mean()


@misconception(
    "The two stop-gradients are exchanged: your first term moves the encoder and your second the "
    "codebook. What is detached is not moved."
)
def stops_exchanged(z_e, z_q, beta):
    return torch.stack((_distance(z_e, z_q.detach()), beta * _distance(z_e.detach(), z_q)))


@misconception(
    "β stands on the codebook term. It weighs the commitment, so that the encoder follows more "
    "slowly than the codebook."
)
def beta_on_the_codebook(z_e, z_q, beta):
    return torch.stack((beta * _distance(z_e.detach(), z_q), _distance(z_e, z_q.detach())))


@misconception(
    "Your two terms are in the wrong order, or carry both the wrong weight and the wrong "
    "stop-gradient. First: codebook, weight 1, `z_e` detached. Second: commitment, weight β, `z_q` "
    "detached."
)
def beta_and_stops_exchanged(z_e, z_q, beta):
    return torch.stack((beta * _distance(z_e, z_q.detach()), _distance(z_e.detach(), z_q)))


@misconception(
    "The values are right, and both terms move both sides: no stop-gradient. Detach the encoder's "
    "output in the first, the code in the second."
)
def no_stops(z_e, z_q, beta):
    return torch.stack((_distance(z_e, z_q), beta * _distance(z_e, z_q)))


@misconception(
    "The values are right, and the first term moves the encoder too. Detach `z_e` there."
)
def first_stop_missing(z_e, z_q, beta):
    return torch.stack((_distance(z_e, z_q), beta * _distance(z_e, z_q.detach())))


@misconception(
    "The values are right, and the second term moves the codebook too. Detach `z_q` there."
)
def second_stop_missing(z_e, z_q, beta):
    return torch.stack((_distance(z_e.detach(), z_q), beta * _distance(z_e, z_q)))


@misconception(
    "The values are right, and no gradient flows: you detach both sides, or build a new tensor."
)
def all_stopped(z_e, z_q, beta):
    return reference(z_e, z_q, beta).detach()


@misconception(
    "Both of your terms move the encoder, and the codebook learns nothing: the first must detach "
    "`z_e` instead."
)
def encoder_only(z_e, z_q, beta):
    return torch.stack((_distance(z_e, z_q.detach()), beta * _distance(z_e, z_q.detach())))


@misconception(
    "Both of your terms move the codebook, and nothing commits the encoder: the second must detach "
    "`z_q` instead."
)
def codebook_only(z_e, z_q, beta):
    return torch.stack((_distance(z_e.detach(), z_q), beta * _distance(z_e.detach(), z_q)))


@misconception(
    "You averaged over the M values as well (`mse_loss` does). A squared distance is their sum."
)
def averaged_over_values(z_e, z_q, beta):
    return reference(z_e, z_q, beta) / z_e.shape[-1]


@misconception("You summed over the N vectors. Take their mean.")
def summed_over_vectors(z_e, z_q, beta):
    return reference(z_e, z_q, beta) * len(z_e)


@misconception("The codebook term carries 1 − β in your answer. Its weight is 1.")
def weights_sum_to_one(z_e, z_q, beta):
    first, second = reference(z_e, z_q, beta)
    return torch.stack(((1 - beta) * first, second))


@misconception("The commitment carries 1 + β in your answer. Its weight is β.")
def one_plus_beta(z_e, z_q, beta):
    return reference(z_e, z_q, 1 + beta)


@misconception(
    "You put the straight-through step before the losses. The codebook is then no longer in the "
    "first term, and your gradient goes to the encoder: use `z_q` as it is."
)
def after_straight_through(z_e, z_q, beta):
    return reference(z_e, z_e + (z_q - z_e).detach(), beta)


@misconception("You took distances. Square them.")
def not_squared(z_e, z_q, beta):
    first = (z_e.detach() - z_q).norm(dim=-1).mean()
    return torch.stack((first, beta * (z_e - z_q.detach()).norm(dim=-1).mean()))


@misconception("You left β out.")
def beta_left_out(z_e, z_q, beta):
    return reference(z_e, z_q, 1.0)


@misconception("Both of your terms carry β. It weighs the commitment alone.")
def beta_on_both(z_e, z_q, beta):
    return beta * reference(z_e, z_q, 1.0)


@misconception("You divide the commitment by β. Multiply.")
def divided_by_beta(z_e, z_q, beta):
    return reference(z_e, z_q, 1 / beta if beta else torch.inf)


@misconception("You return the sum of the two. Asked for are both, as a tensor of two entries.")
def their_sum(z_e, z_q, beta):
    return reference(z_e, z_q, beta).sum()


@misconception("Your terms carry a factor ½. Here they have none.")
def halved(z_e, z_q, beta):
    return 0.5 * reference(z_e, z_q, beta)


@variant
def by_mse_loss(z_e, z_q, beta):
    mse = torch.nn.functional.mse_loss
    dim = z_e.shape[-1]
    return dim * torch.stack([mse(z_q, z_e.detach()), beta * mse(z_e, z_q.detach())])


@variant
def sums_over_n(z_e, z_q, beta):
    first = ((z_q - z_e.detach()) ** 2).sum() / len(z_e)
    second = ((z_q.detach() - z_e) ** 2).sum() / len(z_e)
    return torch.stack([first, beta * second])


@variant
def under_no_grad(z_e, z_q, beta):
    with torch.no_grad():
        e, q = z_e.clone(), z_q.clone()
    return torch.stack([(e - z_q).pow(2).sum(1).mean(), beta * (z_e - q).pow(2).sum(1).mean()])


@variant
def by_norms(z_e, z_q, beta):
    first = torch.linalg.vector_norm(z_e.detach() - z_q, dim=1).square().mean()
    second = torch.linalg.vector_norm(z_e - z_q.detach(), dim=1).square().mean()
    return torch.cat((first[None], beta * second[None]))
