"""Wrong and right answers to `hole_fraction`."""

import torch

from .hole_fraction import HOLE_FRACTION, share_of_holes


def jumps(encode, decode, codes):
    """The round trip's differences, (S, M)."""
    return encode(decode(codes)) - codes


def rows(oracle):
    """How many rows an oracle was asked about."""
    return sum(len(torch.as_tensor(question[0])) for question in oracle.questions)


def encodes_codes(call):
    """Whether `encode` was first asked about something as wide as a code, and not as a point."""
    asked, width = call.args[0].questions, call.args[2].shape[1]
    return bool(asked) and torch.as_tensor(asked[0][0]).shape[-1] == width


# These show in the questions. They come first: trying out the others asks the oracles again.
@HOLE_FRACTION.misconception(
    "`encode` and `decode` take a batch. You ask about single vectors: keep the first axis.",
    sign=lambda calls: any(
        torch.as_tensor(question[0]).ndim == 1
        for call in calls
        for oracle in call.args[:2]
        for question in oracle.questions
    ),
)
def without_a_batch_axis(encode, decode, codes, tolerance):
    return sum(float((encode(decode(z)) - z).norm() > tolerance) for z in codes) / len(codes)


@HOLE_FRACTION.misconception(
    "You encode first. A code is decoded first, and what comes out is encoded.",
    sign=lambda calls: all(encodes_codes(c) for c in calls if c.args[2].shape[1] > 1),
)
def encoded_first(encode, decode, codes, tolerance):
    return ((decode(encode(codes)) - codes).norm(dim=-1) > tolerance).double().mean()


@HOLE_FRACTION.misconception(
    "You went around twice. Decode and encode once, and compare with the code you began with.",
    sign=lambda calls: all(rows(c.args[0]) == 2 * len(c.args[2]) for c in calls),
)
def twice_around(encode, decode, codes, tolerance):
    back = encode(decode(encode(decode(codes))))
    return ((back - codes).norm(dim=-1) > tolerance).double().mean()


@HOLE_FRACTION.misconception(
    "You counted the codes that come back. A hole is a code that does not: its distance is larger "
    "than the tolerance."
)
def counted_the_rest(encode, decode, codes, tolerance):
    return 1 - share_of_holes(encode, decode, codes, tolerance)


@HOLE_FRACTION.misconception("You returned the number of holes. Divide by the number of codes.")
def number_of_holes(encode, decode, codes, tolerance):
    return len(codes) * share_of_holes(encode, decode, codes, tolerance)


@HOLE_FRACTION.misconception("That is a percentage. Return a share between 0 and 1.")
def percentage(encode, decode, codes, tolerance):
    return 100 * share_of_holes(encode, decode, codes, tolerance)


@HOLE_FRACTION.misconception(
    "You compared the squared distance with the tolerance. Take the root first."
)
def squared_distance(encode, decode, codes, tolerance):
    return (jumps(encode, decode, codes).square().sum(-1) > tolerance).double().mean()


@HOLE_FRACTION.misconception(
    "You compared the mean squared difference with the tolerance. The distance is the root of "
    "the sum over the M values."
)
def mean_square(encode, decode, codes, tolerance):
    return (jumps(encode, decode, codes).square().mean(-1) > tolerance).double().mean()


@HOLE_FRACTION.misconception(
    "You took the root of the mean square, so the tolerance grows with √M. A distance sums over "
    "the M values."
)
def root_mean_square(encode, decode, codes, tolerance):
    return (jumps(encode, decode, codes).square().mean(-1).sqrt() > tolerance).double().mean()


@HOLE_FRACTION.misconception(
    "You compared each of the M values with the tolerance. A code is a hole or is not: one "
    "distance for each code."
)
def value_by_value(encode, decode, codes, tolerance):
    return (jumps(encode, decode, codes).abs() > tolerance).double().mean()


@HOLE_FRACTION.misconception(
    "You took the largest of the M differences. The distance is the root of the sum of their "
    "squares."
)
def largest_difference(encode, decode, codes, tolerance):
    return (jumps(encode, decode, codes).abs().amax(-1) > tolerance).double().mean()


@HOLE_FRACTION.misconception(
    "You added the absolute differences. The distance is the root of the sum of their squares."
)
def added_differences(encode, decode, codes, tolerance):
    return (jumps(encode, decode, codes).abs().sum(-1) > tolerance).double().mean()


@HOLE_FRACTION.misconception(
    "You added differences with their signs, so they cancel. Square them first."
)
def signs_cancel(encode, decode, codes, tolerance):
    return (jumps(encode, decode, codes).sum(-1) > tolerance).double().mean()


@HOLE_FRACTION.misconception(
    "You returned the mean distance. One long jump would hide in it; count the codes beyond the "
    "tolerance."
)
def mean_distance(encode, decode, codes, tolerance):
    return jumps(encode, decode, codes).norm(dim=-1).mean()


@HOLE_FRACTION.misconception(
    "You asked whether the mean distance exceeds the tolerance. Ask it of each code, then average."
)
def mean_against_tolerance(encode, decode, codes, tolerance):
    return (jumps(encode, decode, codes).norm(dim=-1).mean() > tolerance).double()


@HOLE_FRACTION.misconception(
    "You compared two data points, decode(z) and what the round trip makes of it. The jump is "
    "measured in the space of codes."
)
def measured_in_data(encode, decode, codes, tolerance):
    x = decode(codes)
    return ((decode(encode(x)) - x).norm(dim=-1) > tolerance).double().mean()


@HOLE_FRACTION.misconception(
    "You divided the distance by the length of the code. The tolerance is a distance; it does not "
    "grow with the code."
)
def relative_distance(encode, decode, codes, tolerance):
    share = jumps(encode, decode, codes).norm(dim=-1) / codes.norm(dim=-1)
    return (share > tolerance).double().mean()


@HOLE_FRACTION.misconception(
    "You returned one truth value for each code. Average them: the share of holes is one number."
)
def not_averaged(encode, decode, codes, tolerance):
    return (jumps(encode, decode, codes).norm(dim=-1) > tolerance).double()


@HOLE_FRACTION.misconception(
    "You took the norm over the codes and not over the M values of each. The axis is the last one."
)
def norm_over_codes(encode, decode, codes, tolerance):
    return (jumps(encode, decode, codes).norm(dim=0) > tolerance).double().mean()


@HOLE_FRACTION.misconception(
    "You only asked whether there is any hole. Return the share of codes that are one."
)
def any_hole(encode, decode, codes, tolerance):
    return (jumps(encode, decode, codes).norm(dim=-1) > tolerance).any().double()


@HOLE_FRACTION.misconception(
    "You used ≥. A code that comes back at exactly the tolerance is no hole."
)
def equal_counts_as_hole(encode, decode, codes, tolerance):
    return (jumps(encode, decode, codes).norm(dim=-1) >= tolerance).double().mean()


@HOLE_FRACTION.misconception(
    "Your comparison is the wrong way round: `<` counts the codes that come back. A hole is a code "
    "whose distance is larger than the tolerance."
)
def smaller_than(encode, decode, codes, tolerance):
    return (jumps(encode, decode, codes).norm(dim=-1) < tolerance).double().mean()


@HOLE_FRACTION.misconception(
    "You compared with half of the tolerance. Compare the distance with the tolerance itself."
)
def half_tolerance(encode, decode, codes, tolerance):
    return share_of_holes(encode, decode, codes, tolerance / 2)


@HOLE_FRACTION.variant
def by_counting(encode, decode, codes, tolerance):
    distance = (codes - encode(decode(codes))).pow(2).sum(dim=1).sqrt()
    return int((distance > tolerance).sum()) / len(codes)


@HOLE_FRACTION.variant
def squares_on_both_sides(encode, decode, codes, tolerance):
    back = encode(decode(codes)).double()
    return ((back - codes).square().sum(-1) > tolerance**2).double().mean()


@HOLE_FRACTION.variant
def ten_codes_at_a_time(encode, decode, codes, tolerance):
    holes = 0
    for begin in range(0, len(codes), 10):
        z = codes[begin : begin + 10]
        back = encode(decode(z))
        holes += sum(bool((a - b).norm() > tolerance) for a, b in zip(z, back, strict=True))
    return holes / len(codes)


@HOLE_FRACTION.variant
def by_where(encode, decode, codes, tolerance):
    distance = torch.sqrt(torch.einsum("sm,sm->s", *[encode(decode(codes)) - codes] * 2))
    return torch.where(distance > tolerance, 1.0, 0.0).mean()
