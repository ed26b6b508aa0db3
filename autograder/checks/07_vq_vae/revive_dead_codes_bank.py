"""Wrong answers to `revive_dead_codes`."""

import torch

from ._signs import both, changed_in_place, every, some
from .revive_dead_codes import REVIVE_DEAD_CODES, reference
from .revive_dead_codes_signs import (
    changed_codes,
    copies_the_living,
    dead_codes,
    drawn_rows,
    farthest_rows,
    is_a_run,
    is_near_points,
    is_sound,
    is_the_mean,
    never_drawn,
    number_is,
    other_seed,
    pairs_of_draws,
    same_seed,
    several_dead,
    used_before,
)

misconception = REVIVE_DEAD_CODES.misconception


@misconception(
    "You write into the codebook you were given: the caller still needs it. Work on "
    "`codebook.clone()`.",
    sign=changed_in_place,
)
def codebook_changed_in_place(codebook, counts, z, threshold, generator):
    new, number = reference(codebook, counts, z, threshold, generator)
    codebook.copy_(new)
    return codebook, number


@misconception(
    "You return the codebook alone. Return it together with the number of codes revived.",
    sign=every(lambda call: isinstance(call.value, torch.Tensor)),
)
def number_missing(codebook, counts, z, threshold, generator):
    return reference(codebook, counts, z, threshold, generator)[0]


@misconception(
    "You return which codes were dead. Asked for is how many, as one number.",
    sign=every(lambda call: isinstance(call.value[1], torch.Tensor) and call.value[1].numel() > 1),
)
def mask_for_number(codebook, counts, z, threshold, generator):
    return reference(codebook, counts, z, threshold, generator)[0], counts < threshold


@misconception(
    "You count the codes that live. Asked for is how many were revived.",
    sign=number_is(lambda call: float((~dead_codes(call)).sum())),
)
def number_of_the_living(codebook, counts, z, threshold, generator):
    new, number = reference(codebook, counts, z, threshold, generator)
    return new, len(codebook) - number


@misconception(
    "You return the number of all codes. Asked for is how many were revived.",
    sign=number_is(lambda call: float(len(call.args[0]))),
)
def number_of_all(codebook, counts, z, threshold, generator):
    return reference(codebook, counts, z, threshold, generator)[0], len(codebook)


@misconception(
    "A code at the threshold itself was revived. Dead is below it: `<`, not `<=`.",
    sign=both(
        some(lambda call: bool((call.args[1] == call.args[3]).any())),
        every(lambda call: torch.equal(changed_codes(call), call.args[1] <= call.args[3])),
    ),
)
def threshold_included(codebook, counts, z, threshold, generator):
    dead = counts <= threshold
    rows = torch.randperm(len(z), generator=generator)[: int(dead.sum())]
    new = codebook.clone()
    new[dead] = z[rows][: len(new)]
    return new, int(dead.sum())


@misconception(
    "You revive only codes with a count of exactly zero. Dead is every code below the threshold.",
    sign=every(lambda call: torch.equal(changed_codes(call), call.args[1] == 0)),
)
def zero_counts_only(codebook, counts, z, threshold, generator):
    return reference(codebook, (counts != 0).double(), z, 0.5, generator)


@misconception(
    "You replace the codes that live and keep the dead ones.",
    sign=both(
        every(lambda call: torch.equal(changed_codes(call), ~dead_codes(call))), some(several_dead)
    ),
)
def living_replaced(codebook, counts, z, threshold, generator):
    dead = counts >= threshold
    rows = torch.randint(len(z), (int(dead.sum()),), generator=generator)
    new = codebook.clone()
    new[dead] = z[rows]
    return new, int(dead.sum())


@misconception(
    "You replace the whole codebook. Living codes stay where they are.",
    sign=every(lambda call: bool(changed_codes(call).all())),
)
def all_replaced(codebook, counts, z, threshold, generator):
    rows = torch.randperm(len(z), generator=generator)[: len(codebook)]
    new = z[rows] if len(rows) == len(codebook) else z[:1].expand_as(codebook)
    return new, int((counts < threshold).sum())


@misconception(
    "The codes change their order: the living first, then the new ones. Each must keep its index, "
    "because indices are what the images are made of.",
    sign=both(
        some(lambda call: bool((changed_codes(call) & ~dead_codes(call)).any())),
        every(
            lambda call: torch.equal(
                call.value[0][: int((~dead_codes(call)).sum())].double(),
                call.args[0][~dead_codes(call)].double(),
            )
        ),
    ),
)
def order_changed(codebook, counts, z, threshold, generator):
    dead = counts < threshold
    rows = torch.randperm(len(z), generator=generator)[: int(dead.sum())]
    return torch.cat((codebook[~dead], z[rows])), int(dead.sum())


@misconception(
    "Dead codes stay where they are in your answer. Write the rows you drew into the new codebook.",
    sign=both(every(lambda call: not bool(changed_codes(call).any())), some(several_dead)),
)
def nothing_revived(codebook, counts, z, threshold, generator):
    return codebook.clone(), int((counts < threshold).sum())


@misconception(
    "All dead codes become the same point. They would share it for ever: give each a row of its "
    "own.",
    sign=both(
        every(lambda call: not len(drawn_rows(call)) or len(set(drawn_rows(call).tolist())) == 1),
        every(is_sound),
        some(several_dead),
    ),
)
def the_same_row(codebook, counts, z, threshold, generator):
    row = torch.randint(len(z), (1,), generator=generator)
    new = torch.where((counts < threshold)[:, None], z[row], codebook)
    return new, int((counts < threshold).sum())


@misconception(
    "You take the first rows of z. A batch may be sorted: draw rows at random.",
    sign=both(
        every(
            lambda call: torch.equal(drawn_rows(call), torch.arange(int(dead_codes(call).sum())))
        ),
        some(several_dead),
    ),
)
def first_rows(codebook, counts, z, threshold, generator):
    dead = counts < threshold
    new = codebook.clone()
    new[dead] = z[: int(dead.sum())]
    return new, int(dead.sum())


@misconception(
    "You take a run of neighbouring rows. Neighbours in a batch may be alike: draw every row by "
    "itself.",
    sign=both(every(is_a_run), every(is_sound), some(several_dead)),
)
def neighbouring_rows(codebook, counts, z, threshold, generator):
    dead = counts < threshold
    number = int(dead.sum())
    start = int(torch.randint(len(z), (1,), generator=generator))
    new = codebook.clone()
    new[dead] = z[(start + torch.arange(number)) % len(z)]
    return new, number


@misconception(
    "You take the points farthest from the codebook. These are outliers more often than not: draw "
    "at random, all points with the same chance.",
    sign=both(
        every(
            lambda call: (
                set(drawn_rows(call).tolist())
                == set(
                    farthest_rows(call.args[0], call.args[2], int(dead_codes(call).sum())).tolist()
                )
            )
        ),
        some(lambda call: 1 < int(dead_codes(call).sum()) < len(call.args[2])),
    ),
)
def farthest_points(codebook, counts, z, threshold, generator):
    dead = counts < threshold
    new = codebook.clone()
    new[dead] = z[farthest_rows(codebook, z, int(dead.sum()))]
    return new, int(dead.sum())


@misconception(
    "Your draws may give the same row twice (`randint`, `multinomial` with replacement). Each dead "
    "code needs a row of its own: `randperm`.",
    sign=both(
        every(is_sound),
        some(lambda call: len(set(drawn_rows(call).tolist())) < len(drawn_rows(call))),
        some(lambda call: len(drawn_rows(call)) > 2 and len(set(drawn_rows(call).tolist())) > 1),
    ),
)
def rows_twice(codebook, counts, z, threshold, generator):
    dead = counts < threshold
    rows = torch.randint(len(z), (int(dead.sum()),), generator=generator)
    new = codebook.clone()
    new[dead] = z[rows]
    return new, int(dead.sum())


@misconception(
    "Dead codes become copies of living ones. Then two codes share their points; put the dead "
    "where points are.",
    sign=both(every(copies_the_living), some(several_dead)),
)
def copies_of_the_living(codebook, counts, z, threshold, generator):
    dead = counts < threshold
    living = codebook[~dead] if (~dead).any() else codebook
    rows = torch.randint(len(living), (int(dead.sum()),), generator=generator)
    new = codebook.clone()
    new[dead] = living[rows]
    return new, int(dead.sum())


@misconception(
    "Dead codes become the mean of all points, where there may be no point at all, and all the "
    "same. Draw rows.",
    sign=both(every(is_the_mean), some(several_dead)),
)
def the_mean(codebook, counts, z, threshold, generator):
    dead = counts < threshold
    return torch.where(dead[:, None], z.mean(0), codebook), int(dead.sum())


@misconception(
    "You add noise to the rows you drew. Here a dead code becomes the point itself.",
    sign=both(every(is_near_points), some(lambda call: bool((drawn_rows(call) < 0).any()))),
)
def with_noise(codebook, counts, z, threshold, generator):
    new, number = reference(codebook, counts, z, threshold, generator)
    noise = 0.01 * torch.randn(new.shape, generator=generator, dtype=new.dtype)
    return torch.where((counts < threshold)[:, None], new + noise, new), number


@misconception(
    "You revive one code and leave the other dead ones where they are. Revive all of them at once.",
    sign=both(
        every(lambda call: int(changed_codes(call).sum()) <= 1),
        some(lambda call: bool(changed_codes(call).any())),
        some(several_dead),
    ),
)
def one_at_a_time(codebook, counts, z, threshold, generator):
    dead = (counts < threshold).nonzero().flatten()[:1]
    new = codebook.clone()
    new[dead] = z[torch.randperm(len(z), generator=generator)[: len(dead)]]
    return new, len(dead)


@misconception(
    "Dead codes become vectors that are no points of the batch (random ones, or mixtures), and may "
    "be as far from all points as before. Put them onto points: rows of z.",
    sign=both(
        every(lambda call: not bool((changed_codes(call) & ~dead_codes(call)).any())),
        some(
            lambda call: bool(
                ((drawn_rows(call) < 0) & changed_codes(call)[dead_codes(call)]).any()
            )
        ),
    ),
)
def random_vectors(codebook, counts, z, threshold, generator):
    dead = counts < threshold
    new = codebook.clone()
    shape = int(dead.sum()), z.shape[1]
    new[dead] = torch.randn(shape, generator=generator, dtype=codebook.dtype)
    return new, int(dead.sum())


@misconception(
    "You do not draw from `generator`, so the same call gives other points every time. Hand it to "
    "`randperm`.",
    sign=lambda calls: any(a != b for a, b in pairs_of_draws(calls, same_seed)),
)
def generator_ignored(codebook, counts, z, threshold, generator):
    return reference(codebook, counts, z, threshold, None)


@misconception(
    "Your draws are the same whatever the generator: a fixed seed. Draw from the one you got.",
    sign=lambda calls: any(a == b for a, b in pairs_of_draws(calls, other_seed)),
)
def fixed_seed(codebook, counts, z, threshold, generator):
    return reference(codebook, counts, z, threshold, torch.Generator().manual_seed(0))


@misconception(
    "You seed the generator anew, so a second call repeats the first. Draw from it as it is.",
    sign=lambda calls: any(a == b for a, b in pairs_of_draws(calls, used_before)),
)
def seeded_anew(codebook, counts, z, threshold, generator):
    fresh = torch.Generator().manual_seed(generator.initial_seed())
    return reference(codebook, counts, z, threshold, fresh)


@misconception(
    "The last row of z is never drawn: `randperm(n)` and `randint(n)` count from 0 to n − 1 "
    "already, so n is N and not N − 1.",
    sign=never_drawn(-1),
)
def last_row_never(codebook, counts, z, threshold, generator):
    dead = counts < threshold
    number = int(dead.sum())
    new = codebook.clone()
    new[dead] = z[torch.randperm(max(len(z) - 1, number), generator=generator)[:number]]
    return new, number


@misconception(
    "Row 0 of z is never drawn: rows count from 0. Every row must have the same chance.",
    sign=never_drawn(0),
)
def first_row_never(codebook, counts, z, threshold, generator):
    dead = counts < threshold
    number = int(dead.sum())
    skip = int(number < len(z))
    new = codebook.clone()
    new[dead] = z[skip + torch.randperm(len(z) - skip, generator=generator)[:number]]
    return new, number
