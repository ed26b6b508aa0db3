"""Wrong and right answers to `completion_log_weights`."""

import math

import torch
from torch.nn.functional import cross_entropy

from .completion_log_weights import COMPLETION_LOG_WEIGHTS, reference

misconception, variant = COMPLETION_LOG_WEIGHTS.misconception, COMPLETION_LOG_WEIGHTS.variant


def chosen_log_probs(logits_fn, codes):
    """log p of the code that is there, (S, H, W)."""
    log_p = torch.log_softmax(logits_fn(codes), -1)
    return log_p.gather(-1, codes[..., None])[..., 0]


@misconception(
    "You weigh by the codes that were drawn: they are in the proposal as well as in the target and "
    "cancel. What is left are the known ones."
)
def drawn_codes_weighed(logits_fn, codes, known):
    return reference(logits_fn, codes, ~known)


@misconception(
    "You take the joint probability of the map, which is the target alone. Divide by the "
    "proposal: the drawn codes cancel."
)
def joint_for_weight(logits_fn, codes, known):
    return reference(logits_fn, codes, torch.ones_like(known))


@misconception(
    "Your weight is the proposal's probability over the target's: turned round. It is target over "
    "proposal."
)
def weight_inverted(logits_fn, codes, known):
    return -reference(logits_fn, codes, known)


@misconception(
    "You give all completions the weight 1. Where known codes come late, the completions that fit "
    "them badly must count less."
)
def all_alike(logits_fn, codes, known):
    return 0 * reference(logits_fn, codes, known)


@misconception("You return the weights themselves. Their logarithms are asked for.")
def weights_not_logarithms(logits_fn, codes, known):
    return reference(logits_fn, codes, known).exp()


@misconception(
    "You normalised the weights over the maps. They are asked for as they are: their mean is the "
    "probability of the known codes."
)
def normalised(logits_fn, codes, known):
    return torch.log_softmax(reference(logits_fn, codes, known), 0)


@misconception("You take the mean over the known codes. Log probabilities of a chain add up.")
def mean_over_places(logits_fn, codes, known):
    return reference(logits_fn, codes, known) / known.sum().clamp(min=1)


@misconception("You divide by the number of all places. Log probabilities of a chain add up.")
def divided_by_all_places(logits_fn, codes, known):
    return reference(logits_fn, codes, known) / known.numel()


@misconception("You return one number for all maps. Each map has a weight of its own.")
def one_for_all(logits_fn, codes, known):
    weights = reference(logits_fn, codes, known)
    return weights.mean().expand(len(weights)).clone()


@misconception("Your logarithms have the base 2. Here they are natural.")
def in_bits(logits_fn, codes, known):
    return reference(logits_fn, codes, known) / math.log(2)


@misconception(
    "You sum the logits, which are not normalised: take `log_softmax` over the codes first."
)
def logits_summed(logits_fn, codes, known):
    chosen = logits_fn(codes).gather(-1, codes[..., None])[..., 0]
    return (chosen * known).sum((1, 2))


@misconception(
    "You multiply the probabilities by the mask before the logarithm, and log 0 is minus infinity. "
    "Sum logarithms over the known places."
)
def mask_before_the_logarithm(logits_fn, codes, known):
    return (chosen_log_probs(logits_fn, codes).exp() * known).log().sum((1, 2))


@misconception(
    "You sum probabilities over the known places and take the logarithm. Probabilities of a chain "
    "multiply: sum their logarithms."
)
def logarithm_of_the_sum(logits_fn, codes, known):
    return (chosen_log_probs(logits_fn, codes).exp() * known).sum((1, 2)).log()


@misconception(
    "You took the log probability of the best code at each known place. It is the code that stands "
    "there that counts."
)
def best_code(logits_fn, codes, known):
    best = torch.log_softmax(logits_fn(codes), -1).amax(-1)
    return (best * known).sum((1, 2))


@misconception(
    "You ask about the first map only and use its logits for all. The known codes are the same, "
    "but what stands before them is not."
)
def logits_of_the_first_map(logits_fn, codes, known):
    log_p = torch.log_softmax(logits_fn(codes[:1]), -1).expand(*codes.shape, -1)
    return (log_p.gather(-1, codes[..., None])[..., 0] * known).sum((1, 2))


@misconception(
    "You ask about maps in which the drawn codes are wiped out. The known codes have to be judged "
    "by what was drawn before them."
)
def drawn_codes_wiped_out(logits_fn, codes, known):
    logits = logits_fn(torch.where(known, codes, torch.zeros_like(codes)))
    log_p = torch.log_softmax(logits, -1)
    return (log_p.gather(-1, codes[..., None])[..., 0] * known).sum((1, 2))


@misconception("Your mask is transposed: `known` is (H, W), rows first.")
def mask_transposed(logits_fn, codes, known):
    if known.shape[0] == known.shape[1]:
        return reference(logits_fn, codes, known.T)
    flat = known.T.reshape(known.shape)
    return reference(logits_fn, codes, flat)


@misconception("Your softmax runs over the maps. It runs over the codes, the last axis.")
def softmax_over_maps(logits_fn, codes, known):
    log_p = torch.log_softmax(logits_fn(codes), 0)
    return (log_p.gather(-1, codes[..., None])[..., 0] * known).sum((1, 2))


@misconception("You return a weight for each place. Sum over the known places: (S,).")
def one_for_each_place(logits_fn, codes, known):
    return chosen_log_probs(logits_fn, codes) * known


@misconception(
    "You count only known codes that have a drawn one before them. The others weigh alike for all "
    "maps, but without them the mean is not the probability of what is known."
)
def first_codes_left_out(logits_fn, codes, known):
    missing = (~known).flatten().nonzero()
    start = int(missing[0]) if len(missing) else known.numel()
    later = (torch.arange(known.numel()) > start).reshape(known.shape)
    return reference(logits_fn, codes, known & later)


@misconception(
    "Right for ordinary logits. For large ones the softmax rounds to 0 and its logarithm is "
    "infinite: use `torch.log_softmax`."
)
def softmax_then_logarithm(logits_fn, codes, known):
    chosen = torch.softmax(logits_fn(codes), -1).gather(-1, codes[..., None])[..., 0]
    return chosen.log()[:, known].sum(1)


@variant
def by_selecting(logits_fn, codes, known):
    return chosen_log_probs(logits_fn, codes)[:, known].sum(1)


@variant
def by_cross_entropy(logits_fn, codes, known):
    cost = cross_entropy(logits_fn(codes).movedim(-1, 1), codes, reduction="none")
    return -torch.where(known, cost, 0).sum(dim=(1, 2))


@variant
def map_by_map(logits_fn, codes, known):
    weights = []
    for z in codes:
        log_p = torch.log_softmax(logits_fn(z[None])[0].double(), -1)
        total = sum(log_p[i, j, z[i, j]] for i, j in known.nonzero().tolist())
        weights.append(float(total))
    return torch.tensor(weights, dtype=torch.float64)


@variant
def target_over_proposal(logits_fn, codes, known):
    chosen = torch.distributions.Categorical(logits=logits_fn(codes).double()).log_prob(codes)
    return chosen.sum((1, 2)) - (chosen * (~known)).sum((1, 2))


@variant
def in_single_precision(logits_fn, codes, known):
    return reference(lambda z: logits_fn(z).float(), codes, known)
