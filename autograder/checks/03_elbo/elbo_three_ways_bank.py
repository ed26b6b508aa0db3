"""Wrong and right answers to `elbo_three_ways`."""

import torch
from torch.distributions import Categorical, kl_divergence

from .elbo_three_ways import ELBO_THREE_WAYS, three_forms


def kl(q, log_r):
    """Σ q (log q − log r)."""
    return (torch.xlogy(q, q) - q * log_r).sum(-1)


def parts(log_prior, log_likelihood, q):
    """The log joint, the log posterior, log p(x) and the entropy."""
    log_joint = log_prior + log_likelihood
    entropy = -torch.xlogy(q, q).sum(-1)
    return log_joint, log_joint.log_softmax(-1), log_joint.logsumexp(-1), entropy


@ELBO_THREE_WAYS.misconception(
    "In the first form you subtract the entropy. H(q) = −E_q[log q] is added: a spread-out q is "
    "rewarded."
)
def entropy_subtracted(log_prior, log_likelihood, q):
    first, second, third = three_forms(log_prior, log_likelihood, q)
    return first - 2 * parts(log_prior, log_likelihood, q)[3], second, third


@ELBO_THREE_WAYS.misconception(
    "The entropy is missing in the first form: E_q[log p(x, z)] alone is largest for a q that puts "
    "everything on one value."
)
def entropy_missing(log_prior, log_likelihood, q):
    first, second, third = three_forms(log_prior, log_likelihood, q)
    return first - parts(log_prior, log_likelihood, q)[3], second, third


@ELBO_THREE_WAYS.misconception(
    "The prior is missing in the first form: the joint is log p(z) + log p(x | z)."
)
def joint_without_prior(log_prior, log_likelihood, q):
    _, second, third = three_forms(log_prior, log_likelihood, q)
    return (q * log_likelihood).sum(-1) - torch.xlogy(q, q).sum(-1), second, third


@ELBO_THREE_WAYS.misconception(
    "In the second form you add the divergence from the prior. It is the price: reconstruction "
    "minus KL."
)
def prior_kl_added(log_prior, log_likelihood, q):
    first, second, third = three_forms(log_prior, log_likelihood, q)
    return first, second + 2 * kl(q, log_prior), third


@ELBO_THREE_WAYS.misconception(
    "The second form lacks its divergence: E_q[log p(x | z)] alone is no bound on log p(x)."
)
def prior_kl_missing(log_prior, log_likelihood, q):
    first, second, third = three_forms(log_prior, log_likelihood, q)
    return first, second + kl(q, log_prior), third


@ELBO_THREE_WAYS.misconception(
    "The second form takes the divergence the other way round, KL(p‖q). It is KL(q‖p(z)), with the "
    "mean under q."
)
def prior_kl_reversed(log_prior, log_likelihood, q):
    first, _, third = three_forms(log_prior, log_likelihood, q)
    prior = log_prior.exp()
    reverse = (torch.xlogy(prior, prior) - torch.xlogy(prior, q)).sum(-1)
    return first, (q * log_likelihood).sum(-1) - reverse, third


@ELBO_THREE_WAYS.misconception(
    "The second form subtracts the divergence from the posterior. Beside the reconstruction stands "
    "the divergence from the prior."
)
def second_with_posterior(log_prior, log_likelihood, q):
    first, _, third = three_forms(log_prior, log_likelihood, q)
    _, log_posterior, _, _ = parts(log_prior, log_likelihood, q)
    return first, (q * log_likelihood).sum(-1) - kl(q, log_posterior), third


@ELBO_THREE_WAYS.misconception(
    "The second form averages the logarithms of the joint, so the prior counts twice: in the mean "
    "and in the divergence. The reconstruction is E_q[log p(x | z)]."
)
def prior_twice(log_prior, log_likelihood, q):
    first, second, third = three_forms(log_prior, log_likelihood, q)
    return first, second + (q * log_prior).sum(-1), third


@ELBO_THREE_WAYS.misconception(
    "The reconstruction is averaged under the prior. Every mean in the bound is taken under q."
)
def mean_under_prior(log_prior, log_likelihood, q):
    first, _, third = three_forms(log_prior, log_likelihood, q)
    return first, (log_prior.exp() * log_likelihood).sum(-1) - kl(q, log_prior), third


@ELBO_THREE_WAYS.misconception(
    "You took the logarithm of the mean likelihood, log E_q[p(x | z)]. The logarithm stands inside "
    "the mean; by Jensen's inequality yours is too large."
)
def logarithm_outside(log_prior, log_likelihood, q):
    first, _, third = three_forms(log_prior, log_likelihood, q)
    return first, (q.log() + log_likelihood).logsumexp(-1) - kl(q, log_prior), third


@ELBO_THREE_WAYS.misconception(
    "In the third form you add the divergence from the posterior. The bound lies below log p(x) by "
    "that much."
)
def gap_added(log_prior, log_likelihood, q):
    first, second, third = three_forms(log_prior, log_likelihood, q)
    _, log_posterior, _, _ = parts(log_prior, log_likelihood, q)
    return first, second, third + 2 * kl(q, log_posterior)


@ELBO_THREE_WAYS.misconception(
    "Your third form is log p(x) itself. It is the bound only after KL(q‖p(z | x)) is subtracted."
)
def gap_missing(log_prior, log_likelihood, q):
    first, second, _ = three_forms(log_prior, log_likelihood, q)
    return first, second, (log_prior + log_likelihood).logsumexp(-1)


@ELBO_THREE_WAYS.misconception(
    "The third form subtracts the divergence from the prior. The gap to log p(x) is the divergence "
    "from the posterior."
)
def gap_to_prior(log_prior, log_likelihood, q):
    first, second, _ = three_forms(log_prior, log_likelihood, q)
    return first, second, (log_prior + log_likelihood).logsumexp(-1) - kl(q, log_prior)


@ELBO_THREE_WAYS.misconception(
    "The third form takes KL(p(z | x)‖q). The gap is KL(q‖p(z | x)): the mean is under q."
)
def gap_reversed(log_prior, log_likelihood, q):
    first, second, _ = three_forms(log_prior, log_likelihood, q)
    _, log_posterior, log_evidence, _ = parts(log_prior, log_likelihood, q)
    posterior = log_posterior.exp()
    return first, second, log_evidence - (posterior * (log_posterior - q.log())).sum(-1)


@ELBO_THREE_WAYS.misconception(
    "The evidence lacks the prior: p(x) = Σ p(z) p(x | z), a sum with weights."
)
def evidence_without_prior(log_prior, log_likelihood, q):
    first, second, third = three_forms(log_prior, log_likelihood, q)
    _, _, log_evidence, _ = parts(log_prior, log_likelihood, q)
    return first, second, third - log_evidence + log_likelihood.logsumexp(-1)


@ELBO_THREE_WAYS.misconception(
    "The posterior lacks the prior: it is proportional to p(z) p(x | z), not to the likelihood."
)
def posterior_without_prior(log_prior, log_likelihood, q):
    first, second, _ = three_forms(log_prior, log_likelihood, q)
    log_evidence = (log_prior + log_likelihood).logsumexp(-1)
    return first, second, log_evidence - kl(q, log_likelihood.log_softmax(-1))


@ELBO_THREE_WAYS.misconception(
    "You used the joint as if it were the posterior: it still has to be divided by p(x)."
)
def posterior_not_normalised(log_prior, log_likelihood, q):
    first, second, _ = three_forms(log_prior, log_likelihood, q)
    log_joint, _, log_evidence, _ = parts(log_prior, log_likelihood, q)
    return first, second, log_evidence - kl(q, log_joint)


@ELBO_THREE_WAYS.misconception(
    "You take all means under the posterior and not under q, so your bound is always tight."
)
def posterior_for_q(log_prior, log_likelihood, q):
    return three_forms(log_prior, log_likelihood, (log_prior + log_likelihood).softmax(-1))


@ELBO_THREE_WAYS.misconception(
    "You return the negative of the bound. The ELBO is maximised; only a loss carries the minus."
)
def negative(log_prior, log_likelihood, q):
    return tuple(-form for form in three_forms(log_prior, log_likelihood, q))


@ELBO_THREE_WAYS.misconception("You treated q as logits. Its rows are probabilities already.")
def q_as_logits(log_prior, log_likelihood, q):
    return three_forms(log_prior, log_likelihood, q.softmax(-1))


@ELBO_THREE_WAYS.misconception("You summed over the points. Every point has its own bound.")
def summed_over_points(log_prior, log_likelihood, q):
    return tuple(form.sum() for form in three_forms(log_prior, log_likelihood, q))


@ELBO_THREE_WAYS.misconception(
    "The divergence is summed over all points, while the reconstruction is not. Each point pays "
    "its own divergence."
)
def kl_summed_over_points(log_prior, log_likelihood, q):
    first, second, third = three_forms(log_prior, log_likelihood, q)
    divergence = kl(q, log_prior)
    return first, second + divergence - divergence.sum(), third


@ELBO_THREE_WAYS.misconception(
    "The reconstruction is summed over all points. Each point keeps its own."
)
def reconstruction_summed_over_points(log_prior, log_likelihood, q):
    first, second, third = three_forms(log_prior, log_likelihood, q)
    reconstruction = (q * log_likelihood).sum(-1)
    return first, second - reconstruction + reconstruction.sum(), third


@ELBO_THREE_WAYS.misconception(
    "You averaged over the values of z with equal weights. The mean is taken under q."
)
def equal_weights(log_prior, log_likelihood, q):
    first, _, third = three_forms(log_prior, log_likelihood, q)
    return first, log_likelihood.mean(-1) - kl(q, log_prior), third


@ELBO_THREE_WAYS.misconception("You returned one form only. Return all three, as a tuple.")
def one_form_only(log_prior, log_likelihood, q):
    return three_forms(log_prior, log_likelihood, q)[0]


@ELBO_THREE_WAYS.misconception(
    "You summed over the points where the values of z belong: reduce the last axis."
)
def reduced_wrong_axis(log_prior, log_likelihood, q):
    log_joint, log_posterior, _, _ = parts(log_prior, log_likelihood, q)
    first = (q * log_joint - torch.xlogy(q, q)).sum(0)
    second = (q * log_likelihood - torch.xlogy(q, q) + q * log_prior).sum(0)
    third = log_joint.logsumexp(0) - (torch.xlogy(q, q) - q * log_posterior).sum(0)
    return first, second, third


@ELBO_THREE_WAYS.misconception(
    "Where q is zero you compute 0 · log 0, which is NaN. The term is zero: use "
    "`torch.xlogy(q, q)`."
)
def naive_entropy(log_prior, log_likelihood, q):
    log_joint = log_prior + log_likelihood
    bound = (q * (log_joint - q.log())).sum(-1)
    return bound, (q * (log_likelihood + log_prior - q.log())).sum(-1), bound


@ELBO_THREE_WAYS.misconception(
    "You leave the logarithms on the way to p(x): far from zero exp underflows or overflows. Use "
    "`torch.logsumexp` for the evidence."
)
def evidence_underflows(log_prior, log_likelihood, q):
    first, second, _ = three_forms(log_prior, log_likelihood, q)
    joint = (log_prior + log_likelihood).exp()
    evidence = joint.sum(-1)
    log_posterior = (joint / evidence[:, None]).log()
    third = evidence.log() - (torch.xlogy(q, q) - q * log_posterior).sum(-1)
    return first, second, third


@ELBO_THREE_WAYS.variant
def with_torch_distributions(log_prior, log_likelihood, q):
    log_joint = log_prior + log_likelihood
    posterior = Categorical(logits=log_joint)
    proposal = Categorical(probs=q)
    prior = Categorical(logits=log_prior.expand_as(log_joint))
    first = (q * log_joint).sum(-1) + torch.special.entr(q).sum(-1)
    second = (q * log_likelihood).sum(-1) - kl_divergence(proposal, prior)
    third = log_joint.logsumexp(-1) - kl_divergence(proposal, posterior)
    return first, second, third


@ELBO_THREE_WAYS.variant
def as_a_list(log_prior, log_likelihood, q):
    return list(three_forms(log_prior, log_likelihood, q))


@ELBO_THREE_WAYS.variant
def as_rows_of_a_tensor(log_prior, log_likelihood, q):
    return torch.stack(three_forms(log_prior, log_likelihood, q))


@ELBO_THREE_WAYS.variant
def point_by_point(log_prior, log_likelihood, q):
    rows = []
    for n in range(len(q)):
        chosen = q[n] > 0
        weight, log_joint = q[n][chosen], (log_prior + log_likelihood[n])[chosen]
        evidence = torch.logsumexp(log_prior + log_likelihood[n], dim=0)
        joint = weight @ (log_joint - weight.log())
        to_prior = weight @ (weight.log() - log_prior[chosen])
        to_posterior = weight @ (weight.log() - log_joint + evidence)
        reconstruction = weight @ log_likelihood[n][chosen]
        rows.append(torch.stack((joint, reconstruction - to_prior, evidence - to_posterior)))
    return tuple(torch.stack(rows).T)


@ELBO_THREE_WAYS.variant
def with_clamped_logarithm(log_prior, log_likelihood, q):
    tiny = torch.finfo(q.dtype).tiny
    log_q = q.clamp(min=tiny).log()
    log_joint = log_prior + log_likelihood
    evidence = torch.logsumexp(log_joint, dim=1)
    third = evidence - (q * (log_q - (log_joint - evidence[:, None]))).sum(1)
    second = (q * log_likelihood).sum(1) - (q * (log_q - log_prior)).sum(1)
    return (q * (log_joint - log_q)).sum(1), second, third
