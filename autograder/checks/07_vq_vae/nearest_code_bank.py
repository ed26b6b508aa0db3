"""Wrong and right answers to `nearest_code`."""

import torch

from ._codes import brute_force
from .nearest_code import NEAREST_CODE, is_far, is_tied

misconception = NEAREST_CODE.misconception
variant = NEAREST_CODE.variant


def _squares(z, codebook):
    return (z[..., None, :] - codebook).square().sum(-1)


def _right(call):
    value = call.value
    return torch.equal(value.long(), brute_force(*call.args)) and not value.is_floating_point()


def _only(selected):
    """The sign of an answer that is right except in the calls selected."""

    def sign(calls):
        if any(call.error is not None for call in calls):
            return False
        wrong = [call for call in calls if not _right(call)]
        return bool(wrong) and all(selected(call.args[0]) for call in wrong)

    return sign


@misconception(
    "You take the largest distance, so every point gets the code that fits it worst. `argmin`."
)
def farthest(z, codebook):
    return _squares(z, codebook).argmax(-1)


@misconception(
    "You take the code with the largest product z·e. That prefers long codes: |e|² − 2 z·e is what "
    "the squared distance leaves to compare."
)
def largest_product(z, codebook):
    return (z @ codebook.T).argmax(-1)


@misconception(
    "You take the smallest product z·e, which points away from the code. The squared distance is "
    "|z|² − 2 z·e + |e|²."
)
def smallest_product(z, codebook):
    return (z @ codebook.T).argmin(-1)


@misconception(
    "The product −2 z·e is missing from your distance. Then every point gets the shortest code, "
    "wherever it is."
)
def product_missing(z, codebook):
    return (z.square().sum(-1, keepdim=True) + codebook.square().sum(-1)).argmin(-1)


@misconception(
    "The product has the factor 1 in your distance. Multiplied out, the square of z − e holds it "
    "twice: −2 z·e."
)
def product_once(z, codebook):
    return (codebook.square().sum(-1) - z @ codebook.T).argmin(-1)


@misconception(
    "The product has a plus in your distance: that is the distance to −e. The square of z − e "
    "holds −2 z·e."
)
def product_added(z, codebook):
    return (codebook.square().sum(-1) + 2 * z @ codebook.T).argmin(-1)


@misconception(
    "Your distance has |e| where |e|² belongs. The square of z − e is |z|² − 2 z·e + |e|²."
)
def length_not_squared(z, codebook):
    return (codebook.norm(dim=-1) - 2 * z @ codebook.T).argmin(-1)


@misconception(
    "You compare directions (cosines). Lengths count as well: take the Euclidean distance."
)
def largest_cosine(z, codebook):
    return torch.nn.functional.cosine_similarity(z[..., None, :], codebook, dim=-1).argmax(-1)


@misconception(
    "You scale points and codes to the length 1 first. Lengths count as well: take the distance "
    "of the vectors as they are."
)
def lengths_removed(z, codebook):
    unit = torch.nn.functional.normalize
    return brute_force(unit(z, dim=-1), unit(codebook, dim=-1))


@misconception(
    "You add up absolute differences. Near means the Euclidean distance: sum the squares."
)
def absolute_differences(z, codebook):
    return (z[..., None, :] - codebook).abs().sum(-1).argmin(-1)


@misconception(
    "You look at the largest difference alone. Near means the Euclidean distance: sum the squares."
)
def largest_difference(z, codebook):
    return (z[..., None, :] - codebook).abs().amax(-1).argmin(-1)


@misconception(
    "You add up the differences before squaring, and they cancel. Square each, then sum."
)
def sum_before_square(z, codebook):
    return (z[..., None, :] - codebook).sum(-1).square().argmin(-1)


@misconception("You compare the first value of each vector alone. Sum the squares of all M.")
def first_value_only(z, codebook):
    return brute_force(z[..., :1], codebook[:, :1])


@misconception(
    "You return a single index for all points together. `argmin` needs the axis of the codes, the "
    "last one."
)
def one_index_for_all(z, codebook):
    return _squares(z, codebook).argmin()


@misconception(
    "You look for the nearest point of each code. Asked for is the nearest code of each point: "
    "one index for every point, (N,)."
)
def nearest_point_of_each_code(z, codebook):
    return _squares(z.flatten(end_dim=-2), codebook).argmin(0)


@misconception("Your indices start at 1. Those of an array go from 0 to K − 1.")
def one_based(z, codebook):
    return brute_force(z, codebook) + 1


@misconception("You return the vectors of the codebook. Asked for are their indices, (…).")
def vectors(z, codebook):
    return codebook[brute_force(z, codebook)]


@misconception("You return the smallest distance, not where it is: `argmin`.")
def distance_itself(z, codebook):
    return _squares(z, codebook).amin(-1)


@misconception("You return one-hot vectors, (…, K). Asked for is the index, (…).")
def one_hot(z, codebook):
    return torch.nn.functional.one_hot(brute_force(z, codebook), len(codebook))


@misconception("You return the indices as floating-point numbers. Leave them in int64.")
def floating_indices(z, codebook):
    return brute_force(z, codebook).to(z.dtype)


@misconception(
    "You drop axes of length 1 (`squeeze`), so that a single point has no axis left. Keep the "
    "shape of `z` without its last axis."
)
def squeezed(z, codebook):
    return brute_force(z, codebook).squeeze()


@misconception(
    "You flattened the map and left it so. The indices have the shape of the points, without the "
    "last axis."
)
def flattened(z, codebook):
    return brute_force(z.reshape(-1, z.shape[-1]), codebook)


@misconception("You return weights over all codes (a softmax). Here one code is chosen: its index.")
def softmax_over_codes(z, codebook):
    return (-_squares(z, codebook)).softmax(-1)


@misconception(
    "Right near the origin, wrong 3000 away from it in single precision: |z|² − 2 z·e + |e|² "
    "subtracts huge numbers that are almost equal. Take differences first, or shift both by the "
    "mean of the codebook.",
    sign=_only(is_far),
)
def multiplied_out(z, codebook):
    squares = z.square().sum(-1, keepdim=True) + codebook.square().sum(-1)
    distances = squares - 2 * z @ codebook.T
    best = distances.amin(-1, keepdim=True)
    return (distances == best).to(torch.int64).argmax(-1)


@misconception(
    "Right, except that of several codes at the same distance you do not take the first. `argmin` "
    "does.",
    sign=_only(is_tied),
)
def last_of_equals(z, codebook):
    return len(codebook) - 1 - _squares(z, codebook).flip(-1).argmin(-1)


@variant
def by_differences(z, codebook):
    return _squares(z, codebook).argmin(dim=-1)


@variant
def by_norm(z, codebook):
    return torch.linalg.vector_norm(z.unsqueeze(-2) - codebook, dim=-1).min(dim=-1).indices


@variant
def by_cdist(z, codebook):
    return torch.cdist(z.reshape(-1, z.shape[-1]), codebook).argmin(-1).view(z.shape[:-1])


@variant
def code_by_code(z, codebook):
    best = torch.full(z.shape[:-1], torch.inf, dtype=z.dtype)
    found = torch.zeros(z.shape[:-1], dtype=torch.int64)
    for k, code in enumerate(codebook):
        distance = ((z - code) ** 2).sum(-1)
        found = torch.where(distance < best, k, found)
        best = torch.minimum(distance, best)
    return found


@variant
def multiplied_out_in_double(z, codebook):
    z, codebook = z.double(), codebook.double()
    return ((codebook**2).sum(1) - 2 * z @ codebook.T).argmin(-1)


@variant
def centered(z, codebook):
    center = codebook.mean(0)
    z, codebook = z - center, codebook - center
    return (codebook.square().sum(1) - 2 * torch.einsum("...m,km->...k", z, codebook)).argmin(-1)


@variant
def in_numpy(z, codebook):
    z, codebook = z.numpy(), codebook.numpy()
    return ((z[..., None, :] - codebook) ** 2).sum(-1).argmin(-1)
