"""`ema_update(…)`: a codebook that follows the means of its points, without a gradient."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._codes import draw_codebook, draw_points

State = tuple[Tensor, Tensor, Tensor]
NAMES = "codebook", "cluster_size", "cluster_sum"


def count_and_sum(z: Tensor, indices: Tensor, num_codes: int) -> tuple[Tensor, Tensor]:
    """How many points chose each code, (K,), and the sum of these points, (K, M)."""
    counts = torch.bincount(indices, minlength=num_codes).to(z.dtype)
    sums = torch.zeros(num_codes, z.shape[1], dtype=z.dtype).index_add(0, indices, z)
    return counts, sums


def reference(
    codebook: Tensor,
    cluster_size: Tensor,
    cluster_sum: Tensor,
    z: Tensor,
    indices: Tensor,
    decay: float,
    training: bool,
) -> State:
    """Van den Oord et al. 2017, appendix A.1, for the codes that were chosen."""
    if not training:
        return codebook, cluster_size, cluster_sum
    counts, sums = count_and_sum(z, indices, len(codebook))
    size = decay * cluster_size + (1 - decay) * counts
    total = decay * cluster_sum + (1 - decay) * sums
    chosen = counts > 0
    means = total / size.where(chosen, 1.0)[:, None]
    return torch.where(chosen[:, None], means, codebook), size, total


EMA_UPDATE = Exercise(
    name="ema_update",
    unit="07_vq_vae",
    title="A codebook that follows its points",
    points=3,
    difficulty=3,
    minutes=25,
    reference=reference,
    hints=(
        "**Principle.** A code should be the mean of the points that choose it: a sum divided by a "
        "number. A single batch is too small to know either, so both are remembered and forgotten "
        "slowly. γ is the share of the past that is kept, and 1 − γ the share of the new batch. "
        "Dividing the remembered sum by the remembered number gives the mean of the recent points. "
        "For a code that nobody chose, sum and number shrink by the same factor, so their ratio, "
        "the code, does not move. That must hold in the arithmetic too, also when the number has "
        "become tiny.",
        "**Place.** Count how many points chose each code, (K,), and add these points up, (K, M). "
        "`torch.bincount(…, minlength=K)` counts and `index_add` adds; or multiply by one-hot "
        "vectors. Note that `sums[indices] += z` does not add when an index occurs twice. Then mix "
        "old and new, for numbers and sums alike, with γ in front of the old. Divide only for "
        "codes that were chosen in this batch, and keep the others as they are: no division, no "
        "small constant. With `training` False return what you were given, at the very top.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "if not training:\n"
        "    return codebook, cluster_size, cluster_sum\n"
        "counts = torch.bincount(indices, minlength=len(codebook)).to(z.dtype)\n"
        "sums = torch.zeros_like(codebook).index_add(0, indices, z)\n"
        "size = decay * ... + (1 - decay) * counts\n"
        "total = decay * ... + (1 - decay) * sums\n"
        "chosen = counts > 0\n"
        "new = codebook.clone()\n"
        "new[chosen] = total[chosen] / size[chosen][:, None]\n"
        "return new, size, total\n"
        "```\n\n"
        "The gaps are the remembered number and the remembered sum. A test: start every code with "
        "the size 1 and itself for the sum. After a batch in which one point chose a code, with γ "
        "= 0.9, the code has gone a tenth of the way to that point.",
    ),
)


def draw_state(rng: np.random.Generator, num_codes: int, latent_dim: int) -> State:
    """A codebook with sizes from 0.1 to 20, and the sums that belong to them."""
    codebook = draw_codebook(rng, num_codes, latent_dim)
    size = torch.from_numpy(np.exp(rng.uniform(np.log(0.1), np.log(20), size=num_codes)))
    return codebook, size, size[:, None] * codebook


def draw_batch(
    rng: np.random.Generator, num_points: int, latent_dim: int, choices: list[int]
) -> tuple[Tensor, Tensor]:
    """Points, and indices among `choices`, each of which occurs, if the points are enough."""
    indices = np.concatenate([choices, rng.choice(choices, size=num_points)])[:num_points]
    return draw_points(rng, num_points, latent_dim), torch.from_numpy(rng.permutation(indices))


def _ask(candidate: Candidate, state: State, *rest: object) -> State:
    found = expect.items(candidate.call(*state, *rest), 3, "what ema_update gives")
    return tuple(
        expect.tensor(part, old.shape, f"the new {name}")
        for part, old, name in zip(found, state, NAMES, strict=True)
    )


def _expect(candidate: Candidate, state: State, *rest: object, what: str) -> None:
    found = _ask(candidate, state, *rest)
    for part, right, name in zip(found, reference(*state, *rest), NAMES, strict=True):
        expect.close(part, right, f"the new {name} {what}")


@EMA_UPDATE.check
def follows_the_formula(candidate: Candidate, rng: np.random.Generator) -> None:
    """Mixes sizes and sums with the decay, and divides one by the other for the chosen codes."""
    for sizes in ((30, 5, 3), (4, 7, 2), (3, 3, 3)):
        num_points, num_codes, latent_dim = sizes
        state = draw_state(rng, num_codes, latent_dim)
        batch = draw_batch(rng, num_points, latent_dim, list(range(min(num_points, num_codes))))
        decay = float(rng.uniform(0.6, 0.95))
        what = f"for N, K, M = {', '.join(map(str, sizes))} and γ = {decay:.2f}"
        _expect(candidate, state, *batch, decay, True, what=what)


@EMA_UPDATE.check
def a_code_nobody_chose_stays(candidate: Candidate, rng: np.random.Generator) -> None:
    """A code nobody chose does not move, however small its size, while size and sum decay."""
    codebook, size, _ = draw_state(rng, 8, 3)
    size[[1, 4, 6]] = torch.tensor([1e-3, 1e-9, 0.5]).double()
    state = codebook, size, size[:, None] * codebook
    batch = draw_batch(rng, 20, 3, [0, 2, 3, 5, 7])
    found = _ask(candidate, state, *batch, 0.9, True)
    alone = [1, 4, 6]
    expect.close(found[0][alone], codebook[alone], "a code that nobody chose")
    for part, right, name in zip(found, reference(*state, *batch, 0.9, True), NAMES, strict=True):
        expect.close(part, right, f"the new {name} where three codes are not chosen", atol=1e-14)


@EMA_UPDATE.check
def rests_at_the_cluster_means(candidate: Candidate, rng: np.random.Generator) -> None:
    """Rests where every code is the mean of its points, and gets there from anywhere."""
    z, indices = draw_batch(rng, 24, 3, list(range(5)))
    counts, sums = count_and_sum(z, indices, 5)
    means = sums / counts[:, None]
    rest = means, counts, sums
    for part, right, name in zip(
        _ask(candidate, rest, z, indices, 0.7, True), rest, NAMES, strict=True
    ):
        expect.close(part, right, f"the new {name} at the cluster means")
    state = draw_state(rng, 5, 3)
    for _ in range(9):
        state = _ask(candidate, state, z, indices, 0.2, True)
    expect.close(state[0], means, "the codebook after nine updates with γ = 0.2 on one batch")


@EMA_UPDATE.check
def nothing_moves_in_evaluation(candidate: Candidate, rng: np.random.Generator) -> None:
    """Nothing moves when `training` is False: codebook, sizes and sums stay."""
    state = draw_state(rng, 5, 2)
    batch = draw_batch(rng, 12, 2, list(range(5)))
    found = _ask(candidate, state, *batch, 0.5, False)
    for part, right, name in zip(found, state, NAMES, strict=True):
        expect.close(part, right, f"the {name} after a call with training=False", atol=1e-12)


@EMA_UPDATE.check
def without_memory_it_is_k_means(candidate: Candidate, rng: np.random.Generator) -> None:
    """For γ = 0 a chosen code is the mean of its points in the batch, in single precision too."""
    state = draw_state(rng, 6, 3)
    batch = draw_batch(rng, 15, 3, [0, 1, 3, 4])
    _expect(candidate, state, *batch, 0.0, True, what="for γ = 0")
    state = tuple(part.float() for part in state)
    _expect(candidate, state, batch[0].float(), batch[1], 0.5, True, what="in single precision")


@EMA_UPDATE.edge_check
def an_empty_code_stays(candidate: Candidate, rng: np.random.Generator) -> None:
    """A code whose size is exactly zero stays until somebody chooses it."""
    codebook, size, _ = draw_state(rng, 6, 2)
    size[[0, 3]] = 0.0
    state = codebook, size, size[:, None] * codebook
    batch = draw_batch(rng, 12, 2, [1, 2, 3, 5])
    _expect(candidate, state, *batch, 0.8, True, what="where two sizes are zero")


@EMA_UPDATE.check
def a_new_code_becomes_its_point(candidate: Candidate, rng: np.random.Generator) -> None:
    """A code with a size of zero goes to the mean of its points, however near one the decay is."""
    codebook, size, _ = draw_state(rng, 5, 3)
    size[[1, 2]] = 0.0
    state = codebook, size, size[:, None] * codebook
    z, indices = draw_points(rng, 6, 3), torch.tensor([0, 1, 2, 2, 2, 4])
    for decay in (0.99, 0.9999999):
        codes = _ask(candidate, state, z, indices, decay, True)[0]
        right = reference(*state, z, indices, decay, True)[0]
        what = f"the new codebook for γ = {decay}, where two sizes were zero,"
        expect.close(codes, right, what, rtol=1e-6)
