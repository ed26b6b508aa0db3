"""Wrong and right answers to `anomaly_scores`."""

import numpy as np
import scipy.stats
import torch

from .anomaly_scores import ANOMALY_SCORES, reference

misconception, variant = ANOMALY_SCORES.misconception, ANOMALY_SCORES.variant


@misconception(
    "Your score is −log p: only improbable images are strange then. One that is much too probable "
    "is as suspicious: measure the distance from the normal mean."
)
def negative_log_prob(log_prob, normal):
    return -log_prob


@misconception(
    "Your score has a sign, so one side counts as less than normal. Take the absolute value."
)
def one_sided(log_prob, normal):
    return (normal.mean() - log_prob) / normal.std()


@misconception(
    "Your score rises with the likelihood, and images that are too improbable get negative "
    "scores. Take the absolute value of the distance."
)
def wrong_side(log_prob, normal):
    return (log_prob - normal.mean()) / normal.std()


@misconception(
    "You set one side to 0: images that are more probable than the normal mean get no score. Both "
    "sides count."
)
def clipped(log_prob, normal):
    return ((normal.mean() - log_prob) / normal.std()).clamp(min=0)


@misconception(
    "You use the mean of the images that are judged. They may all be anomalies: the mean of the "
    "normal images is what counts."
)
def own_mean(log_prob, normal):
    return (log_prob - log_prob.mean()).abs() / normal.std()


@misconception(
    "You use mean and standard deviation of the images that are judged. Both must come from the "
    "normal ones; for a single image there is no other way."
)
def own_both(log_prob, normal):
    return (log_prob - log_prob.mean()).abs() / log_prob.std(correction=0)


@misconception(
    "You use the standard deviation of the images that are judged. The yardstick is how much "
    "normal images differ."
)
def own_spread(log_prob, normal):
    return (log_prob - normal.mean()).abs() / log_prob.std(correction=0)


@misconception(
    "You do not divide by the standard deviation: a score in nats changes with the unit and with "
    "the size of the images."
)
def not_scaled(log_prob, normal):
    return (log_prob - normal.mean()).abs()


@misconception("You divide by the variance. Divide by the standard deviation, its root.")
def by_variance(log_prob, normal):
    return (log_prob - normal.mean()).abs() / normal.var()


@misconception("You square the distance. The score is in standard deviations, not their squares.")
def squared(log_prob, normal):
    return reference(log_prob, normal).square()


@misconception("You measure from the median. The text asks for the mean.")
def from_the_median(log_prob, normal):
    return (log_prob - normal.median()).abs() / normal.std()


@misconception(
    "You divide by the mean absolute deviation. The text asks for the standard deviation."
)
def mean_deviation(log_prob, normal):
    return (log_prob - normal.mean()).abs() / (normal - normal.mean()).abs().mean()


@misconception(
    "You divide by the standard error of the mean, which shrinks with the number of images. Take "
    "the standard deviation of single images."
)
def standard_error(log_prob, normal):
    return reference(log_prob, normal) * len(normal) ** 0.5


@misconception(
    "You divide by the mean of the normal images. A shift of all log-likelihoods changes your "
    "score."
)
def relative(log_prob, normal):
    return (log_prob - normal.mean()).abs() / normal.mean().abs()


@misconception("You measure from the highest log-likelihood. Measure from the mean.")
def from_the_highest(log_prob, normal):
    return (normal.max() - log_prob).abs() / normal.std()


@misconception(
    "You return the probability of such a distance, or one minus it. The distance itself was asked "
    "for: large means strange."
)
def p_value(log_prob, normal):
    return 2 - 2 * torch.distributions.Normal(0.0, 1.0).cdf(reference(log_prob, normal))


@misconception("You return one number for all images. Each image that is judged has its own score.")
def averaged(log_prob, normal):
    return reference(log_prob, normal).mean()


@misconception(
    "You return True and False. A score says how strange an image is; a threshold comes later."
)
def thresholded(log_prob, normal):
    return (reference(log_prob, normal) > 2).double()


@variant
def without_the_correction(log_prob, normal):
    return (log_prob - normal.mean()).abs() / normal.std(correction=0)


@variant
def by_std_mean(log_prob, normal):
    spread, centre = torch.std_mean(normal)
    return ((log_prob - centre) / spread).abs()


@variant
def by_roots(log_prob, normal):
    centre = normal.mean()
    variance = (normal - centre).square().mean()
    return ((log_prob - centre).square() / variance).sqrt()


@variant
def in_numpy(log_prob, normal):
    return np.abs(log_prob.numpy() - normal.numpy().mean()) / normal.numpy().std()


@variant
def by_scipy(log_prob, normal):
    return np.abs(scipy.stats.zmap(log_prob.numpy(), normal.numpy()))
