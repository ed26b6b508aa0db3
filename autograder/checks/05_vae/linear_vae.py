"""`LinearVAE(dim, latent_dim)`: a whole VAE, on the one kind of data where the truth is known.

With a linear encoder and decoder and Gaussian data, the best bound is the exact log-likelihood of
probabilistic PCA (Lucas et al. 2019, "Don't blame the ELBO!"). The checks read the two maps from
outside, so the parameters may have any names and any form.
"""

import numpy as np
import torch
from torch import Tensor, nn

from autograder import expect
from autograder.candidate import Candidate, ModuleCandidate
from autograder.exercise import Exercise

from ._linear import (
    Linear,
    best,
    draw_data,
    largest_angle,
    probes,
    quiet_noise,
    read_decoder,
    read_encoder,
)
from .kl_to_standard_normal import kl

TOLERANCE = 0.01  # nats
MAX_ANGLE = 2.0  # degrees
ROUND = ((150, 0.1), (75, 0.02))  # steps of Adam, and their size
MAX_ROUNDS = 3


class LinearVAE(nn.Module):
    """z ~ N(0, I), x | z ~ N(W z + b, σ² I), q(z | x) = N(V x + c, s²)."""

    def __init__(self, dim: int, latent_dim: int):
        super().__init__()
        self.encoder = nn.Linear(dim, latent_dim)
        self.decoder = nn.Linear(latent_dim, dim)
        self.log_var = nn.Parameter(torch.zeros(latent_dim))
        self.log_scale = nn.Parameter(torch.zeros(()))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        loc = self.encoder(x)
        return loc, self.log_var.expand_as(loc)

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self.decoder(z), self.log_scale

    def draw(self, loc: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
        return loc + (log_var / 2).exp() * noise

    def distortion(self, x: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
        return -torch.distributions.Normal(loc, log_scale.exp()).log_prob(x).sum(-1)

    def rate(self, loc: Tensor, log_var: Tensor) -> Tensor:
        return kl(loc, log_var)

    def loss(self, x: Tensor, noise: Tensor) -> Tensor:
        loc, log_var = self.encode(x)
        x_loc, log_scale = self.decode(self.draw(loc, log_var, noise))
        return (self.distortion(x, x_loc, log_scale) + self.rate(loc, log_var)).mean()


LINEAR_VAE = Exercise(
    name="LinearVAE",
    unit="05_vae",
    title="A whole VAE, and the proof that it is right",
    points=5,
    difficulty=4,
    minutes=45,
    reference=LinearVAE,
    deterministic=False,
    follow_up=(
        "The bound has reached log p(x): a VAE with linear maps is probabilistic PCA. From now on "
        "a gap that you measure is the model's or the encoder's, and not your code's."
    ),
    hints=(
        "**Principle.** Four things are learned: the map to the code, how sure the code is, the "
        "map back, and how large the remaining noise is. The loss is the price of an image, −log "
        "p(x | z) at a draw z from q, plus the price of its code, KL(q‖p(z)); averaged over the "
        "points, and over nothing else. If all of this is right, then on Gaussian data nothing is "
        "lost: the posterior of a linear model is Gaussian, its width is the same for all points, "
        "and your q can become it. So the bound must come to rest at the exact log-likelihood. A "
        "mistake in any constant shows as a gap.",
        "**Place.** `nn.Linear` for both maps, each with its bias, because the data do not lie "
        "around zero. `nn.Parameter` for the two kinds of width: M numbers log s² for the code, "
        "one number log σ for the data. A plain tensor would not be trained. `encode` gives "
        "log s² with the shape of the mean: `self.log_var.expand_as(loc)`. In `loss` draw "
        "z = μ + s ⊙ noise with s = exp(½ log s²). The Gaussian distortion of a point sums over D "
        "values ½ (x − mean)²/σ² + log σ + ½ log 2π. Leave the linear maps their usual random "
        "start: at zero the gradient of both vanishes.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "self.encoder, self.decoder = nn.Linear(dim, latent_dim), nn.Linear(..., ...)\n"
        "self.log_var = nn.Parameter(torch.zeros(latent_dim))\n"
        "self.log_scale = nn.Parameter(torch.zeros(()))\n"
        "...\n"
        "loc, log_var = self.encode(x)\n"
        "z = loc + torch.exp(...) * noise\n"
        "x_loc, log_scale = self.decode(z)\n"
        "p = torch.distributions.Normal(x_loc, torch.exp(log_scale))\n"
        "kl = 0.5 * (loc**2 + log_var.exp() - log_var - 1).sum(-1)\n"
        "return (-p.log_prob(x).sum(...) + ...).mean()\n"
        "```\n\n"
        "The gaps: the sizes of the way back, half of the log variance, the axis of the values, "
        "and the divergence. `encode` and `decode` give pairs; the widths in them are logarithms.",
    ),
)


def read(module: ModuleCandidate, dim: int, latent_dim: int, rng: np.random.Generator) -> Linear:
    """The maps of a module, from its answers at a few places."""
    z, x = probes(latent_dim, rng), probes(dim, rng)
    decoder = read_decoder(module.method("decode", z), z, dim)
    return Linear(*decoder, *read_encoder(module.method("encode", x), x, latent_dim))


def train(module: ModuleCandidate, x: Tensor, noise: Tensor, goal: float) -> None:
    """Adam on the whole data, in rounds with a falling step, until the loss rests or is there."""
    last = float("inf")
    for _ in range(MAX_ROUNDS):
        for num_steps, learning_rate in ROUND:
            loss = module.optimise("loss", [(x, noise)] * num_steps, learning_rate)[-1]
        if loss < goal + 0.1 * TOLERANCE or not loss < last - 0.1 * TOLERANCE:
            break
        last = loss


@LINEAR_VAE.check
def maps_are_straight(candidate: Candidate, rng: np.random.Generator) -> None:
    """Encoder and decoder are straight maps, and log_scale and log_var have the right shapes."""
    for dim, latent_dim in ((5, 2), (3, 3), (4, 1)):
        read(candidate.construct(dim, latent_dim), dim, latent_dim, rng)


@LINEAR_VAE.check
def loss_is_the_bound(candidate: Candidate, rng: np.random.Generator) -> None:
    """The loss is −ELBO with one draw for each point, averaged over the points, in nats."""
    results = []
    for num_points, dim, latent_dim in ((20, 5, 2), (3, 3, 3), (1, 4, 2)):
        module = candidate.construct(dim, latent_dim)
        x = 2 * draw_data(rng, num_points, dim, min(latent_dim, dim - 1))
        noise = torch.from_numpy(3 * rng.normal(size=(num_points, latent_dim))).float()
        module.optimise("loss", [(x, noise)] * 3, 0.3)  # away from a start that hides mistakes
        maps = read(module, dim, latent_dim, rng)
        right = maps.loss(x.double(), noise.double())
        what = f"the loss for N = {num_points}, D = {dim}, M = {latent_dim}"
        results += [(module.method("loss", x, noise), right, what) for _ in range(2)]
    for value, right, what in results:
        expect.close(value, right, what, rtol=1e-3, atol=1e-3)


@LINEAR_VAE.check
def reaches_the_exact_log_likelihood(candidate: Candidate, rng: np.random.Generator) -> None:
    """Trained on Gaussian data, its ELBO comes within 0.01 nats of the exact log-likelihood.

    And the decoder spans the principal components.
    """
    dim, latent_dim = 5, 2
    x = draw_data(rng, 100, dim, latent_dim)
    noise = quiet_noise(x, latent_dim, rng)
    exact, directions = best(x, latent_dim)
    fresh = candidate.construct(dim, latent_dim)  # a wrong loss need not be trained
    right = read(fresh, dim, latent_dim, rng).loss(x.double(), noise.double())
    value = fresh.method("loss", x, noise)
    expect.close(value, right, "the loss before training", rtol=1e-3, atol=1e-3)
    module = candidate.construct(dim, latent_dim)
    train(module, x, noise, -exact)
    maps = read(module, dim, latent_dim, rng)
    gap = exact - maps.elbo(x.double())
    expect.true(
        gap < TOLERANCE,
        f"after training the ELBO of your model is {-gap + exact:.3f} nats, and the exact "
        f"log-likelihood of the best linear model {exact:.3f}; expected a gap of at most "
        f"{TOLERANCE} nats",
    )
    angle = largest_angle(maps.weight, directions)
    expect.true(
        angle < MAX_ANGLE,
        f"after training your decoder's plane and that of the principal components are "
        f"{angle:.1f} degrees apart; expected less than {MAX_ANGLE:g}",
    )
