"""Wrong and right answers to `reconstruction_score`."""

import torch
from torch.nn import functional

from .reconstruction_score import RECONSTRUCTION_SCORE, score


@RECONSTRUCTION_SCORE.misconception(
    "You summed the squared errors of an image. Take the mean over its values, so that images of "
    "different size can be compared."
)
def summed_over_values(reconstruct, x):
    return (reconstruct(x) - x).square().flatten(1).sum(1)


@RECONSTRUCTION_SCORE.misconception(
    "You averaged over the batch as well. A loss is one number; a score is one number for each "
    "image."
)
def one_number_for_the_batch(reconstruct, x):
    return (reconstruct(x) - x).square().mean()


@RECONSTRUCTION_SCORE.misconception(
    "You averaged over the images and kept the values: axis 0 is the batch."
)
def mean_over_images(reconstruct, x):
    return (reconstruct(x) - x).square().flatten(1).mean(0)


@RECONSTRUCTION_SCORE.misconception(
    "You averaged over the last axis only. Images have three axes beside the batch: flatten first."
)
def last_axis_only(reconstruct, x):
    return (reconstruct(x) - x).square().mean(-1)


@RECONSTRUCTION_SCORE.misconception(
    "You took the root of the mean squared error. The score is asked for in squared units."
)
def root(reconstruct, x):
    return score(reconstruct, x).sqrt()


@RECONSTRUCTION_SCORE.misconception("You took the root of the summed squares: a distance.")
def distance(reconstruct, x):
    return (reconstruct(x) - x).flatten(1).norm(dim=1)


@RECONSTRUCTION_SCORE.misconception(
    "You averaged the absolute errors. The score is the mean of the squared errors."
)
def absolute_error(reconstruct, x):
    return (reconstruct(x) - x).abs().flatten(1).mean(1)


@RECONSTRUCTION_SCORE.misconception(
    "You averaged the errors with their signs. Too bright and too dark cancel: square first."
)
def signs_cancel(reconstruct, x):
    return (reconstruct(x) - x).flatten(1).mean(1)


@RECONSTRUCTION_SCORE.misconception(
    "You squared the mean error. Too bright and too dark cancel: square first, then average."
)
def square_of_the_mean(reconstruct, x):
    return (reconstruct(x) - x).flatten(1).mean(1).square()


@RECONSTRUCTION_SCORE.misconception(
    "That is the variance of the errors of an image. An image that comes back too dark everywhere "
    "has no such variance, and is badly reconstructed all the same."
)
def variance_of_the_error(reconstruct, x):
    return (reconstruct(x) - x).flatten(1).var(1, correction=0)


@RECONSTRUCTION_SCORE.misconception(
    "You used the binary cross-entropy. It is not 0 for a perfect copy of a grey image, and grows "
    "with the greyness of the image."
)
def cross_entropy(reconstruct, x):
    guess = reconstruct(x).clamp(1e-6, 1 - 1e-6)
    loss = -(x * guess.log() + (1 - x) * (1 - guess).log())
    return loss.flatten(1).mean(1)


@RECONSTRUCTION_SCORE.misconception(
    "You kept the worst value of each image. The score is the mean over all its values."
)
def largest_error(reconstruct, x):
    return (reconstruct(x) - x).square().flatten(1).amax(1)


@RECONSTRUCTION_SCORE.misconception(
    "You divided by the energy of the image. That makes dark images suspicious."
)
def relative_to_the_image(reconstruct, x):
    return score(reconstruct, x) / x.square().flatten(1).mean(1).clamp(min=1e-12)


@RECONSTRUCTION_SCORE.misconception(
    "You rescaled the scores by those of the batch. An image's score must not depend on the others."
)
def rescaled_by_the_batch(reconstruct, x):
    value = score(reconstruct, x)
    return (value - value.min()) / (value.max() - value.min()).clamp(min=1e-12)


@RECONSTRUCTION_SCORE.misconception(
    "You turned the scores into a share of the batch. An image's score must not depend on the "
    "others."
)
def share_of_the_batch(reconstruct, x):
    value = score(reconstruct, x)
    return value / value.sum().clamp(min=1e-12)


@RECONSTRUCTION_SCORE.misconception(
    "Your score falls when the reconstruction gets worse. A high score means suspicious."
)
def negative(reconstruct, x):
    return -score(reconstruct, x)


@RECONSTRUCTION_SCORE.misconception(
    "You compared the reconstruction with a reconstruction of it. Compare it with the image."
)
def reconstructed_twice(reconstruct, x):
    once = reconstruct(x)
    return (reconstruct(once) - once).square().flatten(1).mean(1)


@RECONSTRUCTION_SCORE.misconception(
    "You compared brightness: the squared norms of image and reconstruction. Compare them value "
    "by value."
)
def difference_of_squares(reconstruct, x):
    return (reconstruct(x).square() - x.square()).flatten(1).mean(1)


@RECONSTRUCTION_SCORE.misconception(
    "One half too many: this is the squared error of a Gaussian log-likelihood, not its mean."
)
def with_one_half(reconstruct, x):
    return 0.5 * score(reconstruct, x)


@RECONSTRUCTION_SCORE.misconception(
    "You divided by D − 1. The mean of D squared errors divides by D."
)
def divided_by_one_less(reconstruct, x):
    error = (reconstruct(x) - x).square().flatten(1)
    return error.sum(1) / (error.shape[1] - 1)


@RECONSTRUCTION_SCORE.misconception(
    "You clipped the reconstruction to [0, 1] first. Score what the model gives, or errors beyond "
    "the range go unseen."
)
def clipped(reconstruct, x):
    return (reconstruct(x).clamp(0, 1) - x).square().flatten(1).mean(1)


@RECONSTRUCTION_SCORE.misconception(
    "Tiny errors are lost in what you compute, by rounding or by something added. Subtract first, "
    "in the precision given, and multiply nothing out."
)
def multiplied_out(reconstruct, x):
    guess = reconstruct(x)
    return (guess.square() - 2 * guess * x + x.square()).flatten(1).mean(1)


@RECONSTRUCTION_SCORE.variant
def by_mse_loss(reconstruct, x):
    loss = functional.mse_loss(reconstruct(x), x, reduction="none")
    return loss.reshape(len(x), -1).mean(dim=1)


@RECONSTRUCTION_SCORE.variant
def one_image_at_a_time(reconstruct, x):
    return torch.stack([(reconstruct(x[n : n + 1])[0] - x[n]).pow(2).mean() for n in range(len(x))])


@RECONSTRUCTION_SCORE.variant
def by_norm(reconstruct, x):
    error = (x - reconstruct(x)).flatten(start_dim=1)
    return torch.linalg.vector_norm(error, dim=1) ** 2 / error.shape[1]


@RECONSTRUCTION_SCORE.variant
def mean_over_all_other_axes(reconstruct, x):
    with torch.no_grad():
        return ((x - reconstruct(x)) ** 2).mean(dim=tuple(range(1, x.ndim)))


@RECONSTRUCTION_SCORE.variant
def in_double_precision(reconstruct, x):
    error = reconstruct(x).double() - x.double()
    return torch.einsum("nd,nd->n", error.flatten(1), error.flatten(1)) / error[0].numel()
