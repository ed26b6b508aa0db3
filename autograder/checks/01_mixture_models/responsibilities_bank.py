"""Wrong and right answers to `responsibilities`."""

import numpy as np
import scipy.stats
import torch
from torch import Tensor
from torch.distributions import Categorical, MultivariateNormal, Normal

from course_lib import mixture

from .responsibilities import RESPONSIBILITIES, reference


def _log_components(x: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    return Normal(loc, log_scale.exp()).log_prob(x[:, None]).sum(-1)


def _log_joint(x: Tensor, logits: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    return logits.log_softmax(0) + _log_components(x, loc, log_scale)


@RESPONSIBILITIES.misconception(
    "You normalised over the points: your columns sum to one. Each point shares itself out among "
    "the components, so each row must sum to one (`dim=1`)."
)
def normalised_over_points(x, logits, loc, log_scale):
    return torch.softmax(_log_joint(x, logits, loc, log_scale), 0)


@RESPONSIBILITIES.misconception(
    "You divided by the sum of the whole table. Every point has its own normaliser: the sum of "
    "its row."
)
def normalised_over_everything(x, logits, loc, log_scale):
    joint = _log_joint(x, logits, loc, log_scale)
    return joint.exp() / joint.exp().sum()


@RESPONSIBILITIES.misconception(
    "The weights are missing. Bayes' rule multiplies each density by the prior probability π_k: a "
    "frequent component is more responsible than a rare one at equal density."
)
def prior_forgotten(x, logits, loc, log_scale):
    return torch.softmax(_log_components(x, loc, log_scale), 1)


@RESPONSIBILITIES.misconception(
    "Every point gets the prior weights: your answer does not look at x. Multiply by the densities."
)
def prior_only(x, logits, loc, log_scale):
    return torch.softmax(logits, 0).repeat(len(x), 1)


@RESPONSIBILITIES.misconception(
    "You add π_k to the log-density, where log π_k belongs: a product becomes a sum of logarithms."
)
def weights_added(x, logits, loc, log_scale):
    return torch.softmax(logits.softmax(0) + _log_components(x, loc, log_scale), 1)


@RESPONSIBILITIES.misconception(
    "You took each weight as the sigmoid of its logit. Use the softmax: the components exclude "
    "each other."
)
def sigmoid_weights(x, logits, loc, log_scale):
    weights = torch.nn.functional.logsigmoid(logits)
    return torch.softmax(weights + _log_components(x, loc, log_scale), 1)


@RESPONSIBILITIES.misconception(
    "The weights enter twice, as π². Once is enough: for each point, not for each coordinate."
)
def weights_twice(x, logits, loc, log_scale):
    return torch.softmax(logits.log_softmax(0) + _log_joint(x, logits, loc, log_scale), 1)


@RESPONSIBILITIES.misconception(
    "You multiply by the weights after normalising, so that the rows no longer sum to one. "
    "Multiply the densities by the weights first, then normalise."
)
def weights_after_normalising(x, logits, loc, log_scale):
    return logits.softmax(0) * torch.softmax(_log_components(x, loc, log_scale), 1)


@RESPONSIBILITIES.misconception(
    "You divide by the weights. Bayes' rule multiplies the density by the prior probability."
)
def divided_by_weights(x, logits, loc, log_scale):
    return torch.softmax(_log_components(x, loc, log_scale) - logits.log_softmax(0), 1)


@RESPONSIBILITIES.misconception(
    "You multiply the log-density by the weight. That raises the density to a power: add log π_k "
    "instead."
)
def weights_as_powers(x, logits, loc, log_scale):
    return torch.softmax(logits.softmax(0) * _log_components(x, loc, log_scale), 1)


@RESPONSIBILITIES.misconception(
    "You did not normalise: these are π_k N(x | μ_k, σ_k). Divide each row by its sum."
)
def not_normalised(x, logits, loc, log_scale):
    return _log_joint(x, logits, loc, log_scale).exp()


@RESPONSIBILITIES.misconception(
    "You returned log π_k + log N. Exponentiate and normalise each row: a softmax over the "
    "components."
)
def log_joint_returned(x, logits, loc, log_scale):
    return _log_joint(x, logits, loc, log_scale)


@RESPONSIBILITIES.misconception(
    "You returned the logarithm of the responsibilities. The probabilities were asked for: "
    "`softmax`, not `log_softmax`."
)
def logarithm_returned(x, logits, loc, log_scale):
    return torch.log_softmax(_log_joint(x, logits, loc, log_scale), 1)


@RESPONSIBILITIES.misconception(
    "You normalised the logarithms. Only the exponentiated entries are proportional to "
    "probabilities: use `torch.softmax`."
)
def logarithms_normalised(x, logits, loc, log_scale):
    joint = _log_joint(x, logits, loc, log_scale)
    return joint / joint.sum(1, keepdim=True)


@RESPONSIBILITIES.misconception(
    "You applied the softmax to densities. It exponentiates on its own: give it their logarithms."
)
def softmax_of_densities(x, logits, loc, log_scale):
    return torch.softmax(_log_joint(x, logits, loc, log_scale).exp(), 1)


@RESPONSIBILITIES.misconception(
    "You exponentiate first and divide then. Far from every component all densities underflow to "
    "zero and 0/0 is NaN: use `torch.softmax` on the logarithms."
)
def division_of_densities(x, logits, loc, log_scale):
    joint = _log_joint(x, logits, loc, log_scale).exp()
    return joint / joint.sum(1, keepdim=True)


@RESPONSIBILITIES.misconception(
    "A small number in the denominator hides 0/0: far out the responsibilities are all zero and "
    "no longer sum to one. Use `torch.softmax` on the logarithms."
)
def epsilon_in_denominator(x, logits, loc, log_scale):
    joint = _log_joint(x, logits, loc, log_scale).exp()
    return joint / (joint.sum(1, keepdim=True) + 1e-12)


@RESPONSIBILITIES.misconception(
    "You take out one maximum for the whole table. A point far out then still underflows: every "
    "row needs its own maximum, as `torch.softmax` does it."
)
def one_maximum_for_all_points(x, logits, loc, log_scale):
    joint = _log_joint(x, logits, loc, log_scale)
    joint = (joint - joint.max()).exp()
    return joint / joint.sum(1, keepdim=True)


@RESPONSIBILITIES.misconception(
    "You give each point to one component entirely. That is k-means: responsibilities are "
    "probabilities, and a point between two clusters belongs partly to both."
)
def hard_assignment(x, logits, loc, log_scale):
    joint = _log_joint(x, logits, loc, log_scale)
    return torch.nn.functional.one_hot(joint.argmax(1), len(logits)).to(x.dtype)


@RESPONSIBILITIES.misconception(
    "You returned the number of the most responsible component. All K probabilities were asked for."
)
def most_responsible_component(x, logits, loc, log_scale):
    return _log_joint(x, logits, loc, log_scale).argmax(1)


@RESPONSIBILITIES.misconception(
    "Your result is transposed: one row for each point, one column for each component."
)
def transposed(x, logits, loc, log_scale):
    return torch.softmax(_log_joint(x, logits, loc, log_scale), 1).mT.contiguous()


@RESPONSIBILITIES.misconception(
    "You compare plain distances to the means. A distance counts in units of each component's σ, "
    "and a wide component is lower at its centre."
)
def softmax_of_distances(x, logits, loc, log_scale):
    return torch.softmax(logits - 0.5 * (x[:, None] - loc).square().sum(-1), 1)


@RESPONSIBILITIES.misconception(
    "The term −log σ is missing. It differs between components, so it does not cancel: a wide "
    "component is lower everywhere near its mean."
)
def no_log_scale_term(x, logits, loc, log_scale):
    return torch.softmax(_log_joint(x, logits, loc, log_scale) + log_scale.sum(-1), 1)


@RESPONSIBILITIES.misconception(
    "You read `log_scale` as the logarithm of the variance. It is log σ: the variance is `exp(2 * "
    "log_scale)`."
)
def log_scale_as_log_variance(x, logits, loc, log_scale):
    return reference(x, logits, loc, log_scale / 2)


@RESPONSIBILITIES.misconception(
    "You averaged over the coordinates. Independent coordinates multiply, so their logarithms add "
    "up."
)
def mean_over_coordinates(x, logits, loc, log_scale):
    log_components = Normal(loc, log_scale.exp()).log_prob(x[:, None]).mean(-1)
    return torch.softmax(logits + log_components, 1)


@RESPONSIBILITIES.misconception(
    "You computed responsibilities for every coordinate on its own. All coordinates of a point "
    "come from one component: sum their log-densities first."
)
def each_coordinate_on_its_own(x, logits, loc, log_scale):
    log_components = Normal(loc, log_scale.exp()).log_prob(x[:, None])
    return torch.softmax(logits[:, None] + log_components, 1)


@RESPONSIBILITIES.misconception(
    "You computed responsibilities for every coordinate on its own and averaged them. All "
    "coordinates of a point come from one component: sum their log-densities first."
)
def average_over_coordinates(x, logits, loc, log_scale):
    return each_coordinate_on_its_own(x, logits, loc, log_scale).mean(-1)


@RESPONSIBILITIES.misconception(
    "You returned the gradient of log p with respect to the logits. It is r − π: the weights must "
    "be added to it."
)
def gradient_without_weights(x, logits, loc, log_scale):
    return reference(x, logits, loc, log_scale) - torch.softmax(logits, 0)


@RESPONSIBILITIES.variant
def softmax_of_log_joint(x, logits, loc, log_scale):
    return torch.softmax(_log_joint(x, logits, loc, log_scale), dim=-1)


@RESPONSIBILITIES.variant
def with_raw_logits(x, logits, loc, log_scale):
    """Right: what the logits lack is the same for every component, and the division removes it."""
    return torch.softmax(logits + _log_components(x, loc, log_scale), dim=1)


@RESPONSIBILITIES.variant
def by_subtracting_the_log_density(x, logits, loc, log_scale):
    log_density = mixture.log_mixture(x, logits, loc, log_scale)
    return torch.exp(_log_joint(x, logits, loc, log_scale) - log_density[:, None])


@RESPONSIBILITIES.variant
def by_gradient(x, logits, loc, log_scale):
    with torch.enable_grad():
        copies = logits.repeat(len(x), 1).requires_grad_()
        joint = copies.log_softmax(1) + _log_components(x, loc, log_scale)
        (gradient,) = torch.autograd.grad(torch.logsumexp(joint, 1).sum(), copies)
    return torch.softmax(logits, 0) + gradient


@RESPONSIBILITIES.variant
def loop_over_points(x, logits, loc, log_scale):
    components = MultivariateNormal(loc, torch.diag_embed(torch.exp(2 * log_scale)))
    log_weights = Categorical(logits=logits).logits
    return torch.stack([(log_weights + components.log_prob(point)).softmax(0) for point in x])


@RESPONSIBILITIES.variant
def in_single_precision(x, logits, loc, log_scale):
    return softmax_of_log_joint(x.float(), logits.float(), loc.float(), log_scale.float())


@RESPONSIBILITIES.variant
def with_numpy(x, logits, loc, log_scale):
    x, loc, scale = x.numpy(), loc.numpy(), np.exp(log_scale.numpy())
    joint = logits.numpy() + scipy.stats.norm.logpdf(x[:, None], loc, scale).sum(2)
    joint = np.exp(joint - joint.max(axis=1, keepdims=True))
    return joint / joint.sum(axis=1, keepdims=True)
