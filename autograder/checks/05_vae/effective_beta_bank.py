"""Wrong and right answers to `effective_beta`."""

import torch

from autograder.candidate import to_student

from ._signs import at_ordinary_inputs, name_changes_in_place
from .effective_beta import EFFECTIVE_BETA, reference, slope_weights
from .kl_to_standard_normal import kl
from .negative_elbo import distortion

name_changes_in_place(EFFECTIVE_BETA)

misconception = EFFECTIVE_BETA.misconception
variant = EFFECTIVE_BETA.variant


def _slopes(loss_fn, x, logits, loc, log_var):
    leaves = [part.clone().requires_grad_() for part in (logits, loc, log_var)]
    return torch.autograd.grad(loss_fn(x, *leaves), leaves)


@at_ordinary_inputs(EFFECTIVE_BETA, lambda call: call.error is None)(
    "Your ratio is upside down: β is the weight of the divergence over that of the distortion, b/a."
)
def upside_down(loss_fn, *batch):
    return 1 / reference(loss_fn, *batch)


@misconception(
    "You returned the weight of the divergence alone. Divide by the weight of the distortion: a "
    "factor of the whole loss is no β."
)
def weight_of_the_rate(loss_fn, *batch):
    return slope_weights(loss_fn, *batch)[1].mean()


@misconception(
    "You returned the weight of the distortion alone. β is b/a, with the weight of the divergence "
    "above."
)
def weight_of_the_distortion(loss_fn, *batch):
    return slope_weights(loss_fn, *batch)[0].mean()


@misconception(
    "You returned one over the weight of the distortion and left out the weight of the divergence."
)
def one_over_the_weight_of_the_distortion(loss_fn, *batch):
    return 1 / slope_weights(loss_fn, *batch)[0].mean()


@misconception(
    "You summed the weights over all entries, so the ratio carries the numbers of hidden values "
    "and of values, M/D. Average, or take any single entry."
)
def weights_summed(loss_fn, *batch):
    of_distortion, of_rate = slope_weights(loss_fn, *batch)
    return of_rate.sum() / of_distortion.sum()


@misconception(
    "You compared the sizes of the two gradients. They differ for −ELBO as well: divide each by "
    "the slope of its own price first."
)
def ratio_of_norms(loss_fn, *batch):
    by_logits, by_loc, _ = _slopes(loss_fn, *batch)
    return by_loc.norm() / by_logits.norm()


@misconception(
    "You divided the mean slopes by each other. Each must first be divided by the slope of its "
    "own price: sigmoid(logits) − x, and μ."
)
def ratio_of_mean_slopes(loss_fn, *batch):
    by_logits, by_loc, _ = _slopes(loss_fn, *batch)
    return by_loc.mean() / by_logits.mean()


@misconception(
    "You compared the mean sizes (absolute values) of the two gradients. Divide each slope by "
    "that of its own price first."
)
def ratio_of_mean_sizes(loss_fn, *batch):
    by_logits, by_loc, _ = _slopes(loss_fn, *batch)
    return by_loc.abs().mean() / by_logits.abs().mean()


@misconception(
    "The slope of the distortion by a logit is sigmoid(logit) − x. You have its sign turned, so "
    "β = 1 comes out as −1."
)
def sign_of_the_distortion(loss_fn, *batch):
    return -reference(loss_fn, *batch)


@misconception(
    "You dropped the sign of β. A loss that subtracts the divergence has β = −1, and that is worth "
    "knowing."
)
def sign_dropped(loss_fn, *batch):
    return reference(loss_fn, *batch).abs()


@misconception("You divided by logits − x. The decoder's probability is the sigmoid of its logit.")
def sigmoid_forgotten(loss_fn, x, logits, loc, log_var):
    by_logits, by_loc, _ = _slopes(loss_fn, x, logits, loc, log_var)
    return (by_loc / loc).mean() / (by_logits / (logits - x)).mean()


@misconception(
    "You did not divide the slope for `loc` by μ, which is the slope of the divergence itself."
)
def loc_not_divided(loss_fn, x, logits, loc, log_var):
    by_logits, by_loc, _ = _slopes(loss_fn, x, logits, loc, log_var)
    return by_loc.mean() / (by_logits / (logits.sigmoid() - x)).mean()


@misconception(
    "You did not divide the slope for the logits by that of the distortion, sigmoid(logits) − x."
)
def logits_not_divided(loss_fn, x, logits, loc, log_var):
    by_logits, by_loc, _ = _slopes(loss_fn, x, logits, loc, log_var)
    return (by_loc / loc).mean() / by_logits.mean()


@misconception(
    "Your β is half of what it should be: the slope of the divergence is μ by μ, not 2μ, and "
    "½ (σ² − 1) by log σ², with the ½."
)
def half_of_log_var_missing(loss_fn, *batch):
    return reference(loss_fn, *batch) / 2


@misconception("Your β is twice what it should be: the slope of ½ μ² by μ is μ, not ½ μ.")
def doubled(loss_fn, *batch):
    return 2 * reference(loss_fn, *batch)


@misconception(
    "Your answer is D times β: you summed over the values where an average, or one value, was "
    "wanted."
)
def times_dim(loss_fn, x, *batch):
    return x.shape[1] * reference(loss_fn, x, *batch)


@misconception(
    "Your answer is β/D, as if every loss averaged over the values. Measure the weight instead of "
    "assuming it."
)
def over_dim(loss_fn, x, *batch):
    return reference(loss_fn, x, *batch) / x.shape[1]


@misconception(
    "You return D, the β of one common mistake. Every loss has its own: differentiate it."
)
def always_dim(loss_fn, x, *batch):
    return float(x.shape[1])


@misconception("You return 1 whatever the loss. Differentiate it.")
def always_one(loss_fn, *batch):
    return 1.0


@misconception(
    "You compared the values of the two prices. A weight is in the slope: differentiate the loss."
)
def ratio_of_values(loss_fn, x, logits, loc, log_var):
    return kl(loc, log_var).sum() / distortion(x, logits).sum()


@misconception("You returned the logarithm of β.")
def logarithm(loss_fn, *batch):
    return reference(loss_fn, *batch).log()


@misconception("You returned the loss itself, not the ratio of its two weights.")
def the_loss(loss_fn, *batch):
    return loss_fn(*batch)


@misconception(
    "You returned the square root of β. The ratio of the two weights itself is asked for."
)
def square_root(loss_fn, *batch):
    return reference(loss_fn, *batch).abs().sqrt()


@misconception("You return N, the number of points. Every loss has its own β: differentiate it.")
def always_the_number_of_points(loss_fn, x, *batch):
    return float(len(x))


@misconception(
    "You multiplied by N. The slopes of both prices are for the sum over the batch, so N cancels."
)
def times_points(loss_fn, x, *batch):
    return len(x) * reference(loss_fn, x, *batch)


@misconception(
    "You multiplied by D/M, as if the loss averaged each price over its own size. What the loss "
    "has done is in its slopes already."
)
def times_ratio_of_sizes(loss_fn, x, logits, loc, log_var):
    return reference(loss_fn, x, logits, loc, log_var) * x.shape[1] / loc.shape[1]


@misconception(
    "You rounded β. Return it as it comes, to a tenth of a percent.",
    sign=lambda calls: all(
        call.error is None
        and abs(float(call.value) - float(reference(*_as_lent(call)))) < 0.51
        and (float(call.value) * 100).is_integer()
        for call in calls
    ),
)
def rounded(loss_fn, *batch):
    return round(float(reference(loss_fn, *batch)), 1)


def _as_lent(call):
    return tuple(to_student(value) for value in call.args)


@variant
def by_backward(loss_fn, x, logits, loc, log_var):
    logits, loc = logits.clone().requires_grad_(), loc.clone().requires_grad_()
    loss_fn(x, logits, loc, log_var).backward()
    a = logits.grad[0, 0] / (torch.sigmoid(logits[0, 0]) - x[0, 0])
    return (loc.grad[0, 0] / loc[0, 0] / a).item()


@variant
def by_the_log_variances(loss_fn, x, logits, loc, log_var):
    by_logits, _, by_log_var = _slopes(loss_fn, x, logits, loc, log_var)
    b = (by_log_var / (0.5 * torch.expm1(log_var))).median()
    return b / (by_logits / (torch.sigmoid(logits) - x)).median()


@variant
def with_own_gradients_of_the_prices(loss_fn, x, logits, loc, log_var):
    def own(x, logits, loc, log_var):
        return distortion(x, logits).sum() + kl(loc, log_var).sum()

    by_logits, by_loc, _ = _slopes(loss_fn, x, logits, loc, log_var)
    right_logits, right_loc, _ = _slopes(own, x, logits, loc, log_var)
    a = (by_logits * right_logits).sum() / right_logits.square().sum()
    return (by_loc * right_loc).sum() / right_loc.square().sum() / a


@variant
def by_two_differences(loss_fn, x, logits, loc, log_var):
    start = loss_fn(x, logits, loc, log_var)
    a = loss_fn(x, -logits, loc, log_var) - start
    a = a / (distortion(x, -logits) - distortion(x, logits)).sum()
    b = loss_fn(x, logits, 2 * loc, log_var) - start
    return b / (kl(2 * loc, log_var) - kl(loc, log_var)).sum() / a


@variant
def at_another_place(loss_fn, x, logits, loc, log_var):
    _, *others = x, torch.zeros_like(logits), torch.ones_like(loc), torch.zeros_like(log_var)
    by_logits, by_loc, _ = _slopes(loss_fn, x, *others)
    return by_loc.mean() / (by_logits / (0.5 - x)).mean()
