"""`vq_objective(decoder, x, z_e, codebook, beta)`: three terms, and which gradient goes where."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, smooth_oracle
from autograder.exercise import Exercise

from ._codes import brute_force, draw_codebook, draw_points

Decoder = Callable[[Tensor], Tensor]


def reference(decoder: Decoder, x: Tensor, z_e: Tensor, codebook: Tensor, beta: float) -> Tensor:
    """Van den Oord et al. 2017, equation (3), with a squared error for the first term."""
    z_q = codebook[brute_force(z_e.detach(), codebook.detach())]
    straight = z_q.detach() + (z_e - z_e.detach())
    distortion = (x - decoder(straight)).square().sum(-1)
    moves_codebook = (z_e.detach() - z_q).square().sum(-1)
    commits = (z_e - z_q.detach()).square().sum(-1)
    return (distortion + moves_codebook + beta * commits).mean()


VQ_OBJECTIVE = Exercise(
    name="vq_objective",
    unit="07_vq_vae",
    title="Three terms, and which gradient goes where",
    points=2,
    difficulty=3,
    minutes=20,
    reference=reference,
    needs=("nearest_code", "straight_through", "vq_losses"),
    hints=(
        "**Principle.** Three parties learn from one number. The decoder learns from the "
        "distortion alone. The codebook learns from the codebook term alone: what the decoder "
        "thinks of a code does not reach it. The encoder learns from the distortion, whose "
        "gradient is carried across the quantisation, and from the commitment. You have all the "
        "pieces; what decides is which of the two versions of the code you put where. The decoder "
        "needs the version that is connected to the encoder. The two losses need the version that "
        "is connected to the codebook.",
        "**Place.** Find the indices, and look the codes up with `codebook[indices]`: this is "
        "connected to the codebook. Give the version for the decoder a name of its own, such as "
        "`z_st`. If you call it `z_q` as well and compute the losses afterwards, the codebook is "
        "no longer in them: it stays where it is, and the encoder runs away from it. The "
        "distortion is a sum over the D values of a point and a mean over the N points. Your "
        "`vq_losses` are means over the N points already, and β is already in the second.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "z_q = codebook[nearest_code(z_e, codebook)]\n"
        "x_hat = decoder(straight_through(..., ...))\n"
        "distortion = (x - x_hat).square().sum(dim=1).mean()\n"
        "return distortion + vq_losses(z_e, ..., beta).sum()\n"
        "```\n\n"
        "The gaps are `z_e`, `z_q` and, in the losses, the code as it was looked up. Test "
        "yourself: the gradient for a row of the codebook that no point chose is zero. For a row "
        "that was chosen, it is the sum of 2 (e − z_e) / N over the points that chose it, whatever "
        "the decoder does. For z_e it is the decoder's gradient at the code, plus "
        "2 β (z_e − z_q) / N.",
    ),
)


def draw_decoder(rng: np.random.Generator, latent_dim: int, dim: int) -> Decoder:
    """A decoder with a hidden layer."""
    first, second = (
        torch.from_numpy(rng.normal(size=size)) for size in ((latent_dim, 5), (5, dim))
    )
    return lambda z: torch.tanh(z.double() @ first + 0.2) @ second


Problem = tuple[Decoder, Tensor, Tensor, Tensor, float]


def _draw(rng: np.random.Generator, sizes: tuple[int, ...], beta: float) -> Problem:
    num_points, dim, num_codes, latent_dim = sizes
    decoder = draw_decoder(rng, latent_dim, dim)
    x, z_e = draw_points(rng, num_points, dim), draw_points(rng, num_points, latent_dim)
    return decoder, x, z_e, draw_codebook(rng, num_codes, latent_dim), beta


def _sent(problem: Problem) -> tuple:
    return smooth_oracle(problem[0]), *problem[1:]


@VQ_OBJECTIVE.check
def is_the_sum_of_three_terms(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the mean over the points of distortion, codebook term and β times the commitment."""
    for sizes in ((40, 4, 9, 3), (1, 3, 4, 2), (3, 3, 3, 3)):
        problem = _draw(rng, sizes, float(rng.uniform(0.1, 3)))
        what = f"vq_objective for N, D, K, M = {', '.join(map(str, sizes))}"
        found = expect.number(candidate.call(*_sent(problem)), what)
        expect.close(torch.tensor(found, dtype=torch.float64), reference(*problem), what)


def _exact_gradients(problem: Problem) -> tuple[Tensor, Tensor, Tensor]:
    """For z_e by the distortion, for z_e by the commitment, and for the codebook."""
    decoder, x, z_e, codebook, beta = problem
    indices = brute_force(z_e, codebook)
    z_q = codebook[indices].requires_grad_()
    distortion = (x - decoder(z_q)).square().sum() / len(x)
    (by_decoder,) = torch.autograd.grad(distortion, z_q)
    pull = 2 * (z_e - z_q.detach()) / len(x)
    return by_decoder, beta * pull, torch.zeros_like(codebook).index_add(0, indices, -pull)


@VQ_OBJECTIVE.check
def encoder_learns_from_two_terms(candidate: Candidate, rng: np.random.Generator) -> None:
    """Its gradient for `z_e` is the one of the decoder at the code plus 2 β (z_e - z_q) / N."""
    problem = _draw(rng, (7, 4, 4, 3), float(rng.uniform(0.2, 0.8)))
    by_decoder, by_commitment, _ = _exact_gradients(problem)
    (found,) = candidate.gradient(*_sent(problem), wrt=(2,))
    expect.close(found, by_decoder + by_commitment, "the gradient for z_e")


@VQ_OBJECTIVE.check
def codebook_learns_from_one_term(candidate: Candidate, rng: np.random.Generator) -> None:
    """Its gradient for a code is the sum of 2 (e - z_e) / N over the points that chose it."""
    problem = _draw(rng, (7, 4, 9, 3), float(rng.uniform(1.5, 3)))
    (found,) = candidate.gradient(*_sent(problem), wrt=(3,))
    expect.close(found, _exact_gradients(problem)[2], "the gradient for the codebook")


@VQ_OBJECTIVE.check
def nothing_commits_at_zero(candidate: Candidate, rng: np.random.Generator) -> None:
    """For β = 0 the encoder learns from the distortion alone, and the codebook as before."""
    problem = _draw(rng, (6, 3, 4, 2), 0.0)
    by_decoder, _, by_codebook = _exact_gradients(problem)
    by_z_e, found = candidate.gradient(*_sent(problem), wrt=(2, 3))
    expect.close(by_z_e, by_decoder, "the gradient for z_e with β = 0")
    expect.close(found, by_codebook, "the gradient for the codebook with β = 0")
