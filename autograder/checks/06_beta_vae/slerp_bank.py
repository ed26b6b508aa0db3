"""Wrong answers to `slerp`."""

import math

import torch

from ._signs import explains_all, made_by
from .slerp import SLERP, path, plane, reference


def column(tau):
    return tau[:, None]


def lerp(z0, z1, tau):
    return (1 - column(tau)) * z0 + column(tau) * z1


def lengths(z0, z1, tau):
    return (1 - column(tau)) * z0.norm() + column(tau) * z1.norm()


def sines(z0, z1, tau):
    """The weights of both ends in the formula for unit vectors, and what divides them."""
    u, v = z0 / z0.norm(), z1 / z1.norm()
    angle = torch.arccos((u @ v).clamp(-1, 1))
    return torch.sin((1 - column(tau)) * angle), torch.sin(column(tau) * angle), torch.sin(angle)


def is_straight(z0, z1):
    u, v = z0 / z0.norm(), z1 / z1.norm()
    return (v - (u @ v) * u).norm() < 1e-7


def angle_of(call):
    return float(plane(*(code.double() for code in call.args[:2]))[2])


def is_ordinary(call):
    return 0.05 < angle_of(call) < math.pi - 0.05 and len(call.args[2]) > 1


def is_opposite(call):
    return angle_of(call) > math.pi - 1e-6


def by(*models):
    """A sign: one of these, whatever is done for codes on one line."""
    return made_by(SLERP, *models, where=is_ordinary)


def is_right(calls, where):
    return explains_all(reference, [call for call in calls if where(call)])


def squeezes(calls):
    single = [call for call in calls if len(call.args[2]) == 1]
    return is_right(calls, is_ordinary) and all(call.value.ndim < 2 for call in single)


def divides_by_zero(calls):
    straight = [call for call in calls if angle_of(call) < 1e-4 or is_opposite(call)]
    is_bad = any(call.error is None and not call.value.isfinite().all() for call in straight[:2])
    return is_right(calls, is_ordinary) and is_bad


def cuts_too_early(calls):
    """Right for ordinary codes, and for some almost on a line as if they were exactly on it."""
    near = [call for call in calls if 1e-4 < angle_of(call) < 0.05]
    near += [call for call in calls if 1e-4 < math.pi - angle_of(call) < 0.05]
    return is_right(calls, is_ordinary) and any(map(is_cut, near))


def is_cut(call):
    z0, z1, tau = call.args
    if (call.value - reference(z0, z1, tau)).abs().max() < 1e-5:
        return False
    u, v = z0 / z0.norm(), z1 / z1.norm()
    if u @ v < 0:  # the plane is free, the end is not
        pairs = [(call.value[tau == 1], -u * z1.norm())]
    else:
        straight = lengths(z0, z1, tau) * lerp(u, v, tau)
        pairs = [
            (call.value, way) for way in (lengths(z0, z1, tau) * u, straight, lerp(z0, z1, tau))
        ]
    return any((given - way).abs().max() < 1e-6 for given, way in pairs)


def opposite_calls(calls):
    """How many opposite codes were asked for until one went wrong; 0 if others went wrong too."""
    others = is_right(calls, lambda call: not is_opposite(call))
    return sum(map(is_opposite, calls)) if others else 0


def along_the_line(z0, z1, tau):
    line = lerp(z0, z1, tau)
    return line / line.norm(dim=1, keepdim=True).clamp(min=1e-12) * lengths(z0, z1, tau)


def along_the_chord(z0, z1, tau):
    line = lerp(z0 / z0.norm(), z1 / z1.norm(), tau)
    return line / line.norm(dim=1, keepdim=True).clamp(min=1e-12) * lengths(z0, z1, tau)


def in_degrees(z0, z1, tau):
    u, w, angle = plane(z0, z1)
    return path(u, w, torch.rad2deg(angle), z0.norm(), z1.norm(), tau)


def with_lengths(rule):
    """A turn by the right angles, with another length: rule(first, last, tau (T, 1))."""

    def turned(z0, z1, tau):
        u, w, angle = plane(z0, z1)
        return rule(z0.norm(), z1.norm(), column(tau)) * path(u, w, angle, 1.0, 1.0, tau)

    return turned


def on_raw_codes(z0, z1, tau):
    if is_straight(z0, z1):
        return reference(z0, z1, tau)
    a, b, c = sines(z0, z1, tau)
    return (a * z0 + b * z1) / c


def with_raw_angle(z0, z1, tau):
    u, w, _ = plane(z0, z1)
    return path(u, w, torch.arccos((z0 @ z1).clamp(-1, 1)), z0.norm(), z1.norm(), tau)


def formula_with(angle, at_zero=math.nan):
    """The formula for directions with another angle, angle(z0, z1); `at_zero` where it is 0."""

    def turned(z0, z1, tau):
        u, v, theta = z0 / z0.norm(), z1 / z1.norm(), angle(z0, z1)
        a, b = torch.sin((1 - column(tau)) * theta), torch.sin(column(tau) * theta)
        direction = (a * u + b * v) / torch.sin(theta) if theta > 0 else at_zero * u
        return lengths(z0, z1, tau) * direction

    return turned


def raw_angle(z0, z1):
    return torch.arccos((z0 @ z1).clamp(-1, 1))


def angle_in_degrees(z0, z1):
    return torch.rad2deg(plane(z0, z1)[2])


def has_raw_angle(call):
    """Ordinary codes for which the product of the codes themselves is no opposite either."""
    return is_ordinary(call) and call.args[0] @ call.args[1] > -1


@SLERP.misconception(
    "You go along the straight line. That is lerp: its middle is shorter than both ends and lies "
    "where the prior puts nothing.",
    sign=by(lerp),
)
def straight_line(z0, z1, tau):
    return lerp(z0, z1, tau)


@SLERP.misconception(
    "You take the straight line and stretch each point to the right length. Then the path is on "
    "the shell, but it turns fastest in the middle: turn by equal angles.",
    sign=by(along_the_line, along_the_chord),
)
def stretched_line(z0, z1, tau):
    return along_the_line(z0, z1, tau)


@SLERP.misconception(
    "Your angle is in degrees, and `torch.sin` and `torch.cos` take radians.",
    sign=by(in_degrees, formula_with(angle_in_degrees)),
)
def degrees(z0, z1, tau):
    return in_degrees(z0, z1, tau)


@SLERP.misconception(
    "Your path is one unit long everywhere: the lengths of the codes are lost. Multiply the "
    "direction with the length.",
    sign=by(with_lengths(lambda a, b, tau: 1.0)),
)
def length_lost(z0, z1, tau):
    return with_lengths(lambda a, b, tau: 1.0)(z0, z1, tau)


@SLERP.misconception(
    "You keep the length of the first code all the way. It has to go evenly to that of the second.",
    sign=by(with_lengths(lambda a, b, tau: a)),
)
def length_of_the_first(z0, z1, tau):
    return with_lengths(lambda a, b, tau: a)(z0, z1, tau)


@SLERP.misconception(
    "You put codes of different lengths into the formula for unit vectors. The path then bulges: "
    "use it for the directions, and change the length by itself.",
    sign=by(on_raw_codes),
)
def formula_for_unit_vectors(z0, z1, tau):
    return on_raw_codes(z0, z1, tau)


@SLERP.misconception(
    "You take the angle from the product of the codes as they are. Divide both by their lengths "
    "first, or arccos gets numbers that are no cosine.",
    sign=made_by(
        SLERP,
        with_raw_angle,
        formula_with(raw_angle),
        formula_with(raw_angle, 1.0),
        where=has_raw_angle,
    ),
)
def angle_of_raw_codes(z0, z1, tau):
    return with_raw_angle(z0, z1, tau)


@SLERP.misconception(
    "You walk from the second code to the first. τ = 0 is the first, τ = 1 the second."
)
def backwards(z0, z1, tau):
    return reference(z0, z1, 1 - tau)


@SLERP.misconception(
    "You turn the second code round when the angle is above 90 degrees. That is a habit from "
    "rotations, where q and −q are the same; here −z is another code."
)
def turned_round(z0, z1, tau):
    return reference(z0, z1 if z0 @ z1 >= 0 else -z1, tau)


@SLERP.misconception(
    "You take the long way round. The angle between two codes is at most 180 degrees."
)
def long_way(z0, z1, tau):
    u, w, angle = plane(z0, z1)
    return path(u, w, angle - 2 * math.pi, z0.norm(), z1.norm(), tau)


@SLERP.misconception(
    "You forgot to divide by sin θ: the two weights do not fit together, and the ends are not met."
)
def not_divided(z0, z1, tau):
    if is_straight(z0, z1):
        return reference(z0, z1, tau)
    a, b, _ = sines(z0, z1, tau)
    return lengths(z0, z1, tau) * (a * z0 / z0.norm() + b * z1 / z1.norm())


@SLERP.misconception(
    "You turn in the plane of the two codes, but the second direction is not at a right angle to "
    "the first: take from it the part along the first."
)
def oblique(z0, z1, tau):
    u, w, angle = plane(z0, z1)
    v = w if is_straight(z0, z1) else z1 / z1.norm()
    return path(u, v, angle, z0.norm(), z1.norm(), tau)


@SLERP.misconception(
    "Your length goes from one to the other by a constant factor. It has to change by a constant "
    "amount.",
    sign=by(with_lengths(lambda a, b, tau: a ** (1 - tau) * b**tau)),
)
def geometric_length(z0, z1, tau):
    return with_lengths(lambda a, b, tau: a ** (1 - tau) * b**tau)(z0, z1, tau)


@SLERP.misconception(
    "You turn the direction, and keep the length of the straight line, so the path dips inside all "
    "the same. The length changes evenly from one end to the other."
)
def length_of_the_line(z0, z1, tau):
    u, w, angle = plane(z0, z1)
    length = lerp(z0, z1, tau).norm(dim=1, keepdim=True)
    return length * path(u, w, angle, 1.0, 1.0, tau)


@SLERP.misconception("Your table is (M, T). A row is a code that can be decoded: (T, M).")
def transposed(z0, z1, tau):
    return reference(z0, z1, tau).T.contiguous()


@SLERP.misconception(
    "You turn every hidden value by itself, as if each were a circle of its own. There is one "
    "angle between two codes."
)
def value_by_value(z0, z1, tau):
    angle = 0.5 * math.pi * column(tau)
    return torch.cos(angle) * z0 + torch.sin(angle) * z1


@SLERP.misconception("You put τ in order. Row number n belongs to τ number n: keep the order.")
def sorted_places(z0, z1, tau):
    return reference(z0, z1, tau.sort().values)


@SLERP.misconception(
    "You take even steps from 0 to 1. Take the places in `tau` as they are given, in their order."
)
def even_steps(z0, z1, tau):
    return reference(z0, z1, torch.linspace(0, 1, len(tau), dtype=z0.dtype))


@SLERP.misconception(
    "For a single τ your result has lost an axis. It is a table with one row, (1, M): do not "
    "squeeze.",
    sign=squeezes,
)
def squeezed(z0, z1, tau):
    return reference(z0, z1, tau).squeeze(0)


@SLERP.misconception(
    "For codes that lie on one line sin θ is 0, and your division gives NaN. Treat them first.",
    sign=divides_by_zero,
)
def division_by_zero(z0, z1, tau):
    if is_straight(z0, z1):
        return torch.full((len(tau), len(z0)), torch.nan, dtype=z0.dtype)
    return reference(z0, z1, tau)


@SLERP.misconception(
    "You treat codes as parallel (or as opposite) that are only nearly so, and miss the second "
    "code. Make the limit much smaller: the formula holds down to angles of a millionth.",
    sign=cuts_too_early,
)
def limit_too_large(z0, z1, tau):
    u, w, angle = plane(z0, z1)
    snapped = torch.where(angle < 0.03, 0.0, torch.where(angle > 3.1, math.pi, angle))
    return path(u, w, snapped, z0.norm(), z1.norm(), tau)


@SLERP.misconception(
    "For opposite codes you fall back on the straight line, which leads through the middle. Take "
    "half a circle, in any plane that contains both."
)
def opposite_on_a_line(z0, z1, tau):
    return lerp(z0, z1, tau) if is_straight(z0, z1) and z0 @ z1 < 0 else reference(z0, z1, tau)


@SLERP.misconception(
    "For opposite codes you make the second direction from a fixed one. Where the codes lie along "
    "that one nothing is left of it: choose it by the code, such as the axis where u is smallest.",
    sign=lambda calls: opposite_calls(calls) > 1,
)
def fixed_helper(z0, z1, tau):
    if not is_straight(z0, z1) or z0 @ z1 > 0:
        return reference(z0, z1, tau)
    u, across = z0 / z0.norm(), torch.zeros_like(z0)
    across[-1] = 1.0
    across = across - (across @ u) * u
    return path(u, across / across.norm(), math.pi, z0.norm(), z1.norm(), tau)


@SLERP.misconception(
    "Only opposite codes go wrong. There sin θ is 0 but for rounding, and the two codes span no "
    "plane: choose any direction across the first, and go half a circle.",
    sign=lambda calls: opposite_calls(calls) == 1,
)
def opposite_not_treated(z0, z1, tau):
    if not is_straight(z0, z1) or z0 @ z1 > 0:
        return reference(z0, z1, tau)
    return (1 - 2 * column(tau)) * lengths(z0, z1, tau) * z0 / z0.norm() * 0.5
