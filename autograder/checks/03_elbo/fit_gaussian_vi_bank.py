"""Wrong answers to `fit_gaussian_vi`, each with the sign by which its fits give it away."""

import torch

from . import fit_gaussian_vi_signs as signs
from .fit_gaussian_vi import FIT_GAUSSIAN_VI, climb, whitened_noise


def mode(log_joint, latent_dim):
    """The highest point of log p(x, z), by Newton steps with numerical curvature."""
    loc, identity = torch.zeros(latent_dim, dtype=torch.float64), torch.eye(latent_dim).double()
    for _ in range(60):
        _, slope = log_joint(torch.cat((loc[None], loc + 1e-4 * identity)))
        curvature = (slope[1:] - slope[0]) / 1e-4
        loc = loc - torch.linalg.solve(curvature, slope[0])
    return loc, -(curvature + curvature.T) / 2


@FIT_GAUSSIAN_VI.misconception(
    "Your fit runs away. Either you descend where you should climb: an optimiser that minimises "
    "needs the negative ELBO. Or no gradient of log p(x, z) reaches q through the draws: is there "
    "a `detach`, a `.data`, or `sample` in place of `rsample`?",
    sign=signs.diverged,
)
def descended(log_joint, latent_dim, full, generator):
    loc = torch.full((latent_dim,), 0.1, dtype=torch.float64)
    for _ in range(400):
        loc = loc - 0.1 * log_joint(loc)[1]
    return loc, torch.eye(latent_dim, dtype=torch.float64)


@FIT_GAUSSIAN_VI.misconception(
    "You returned (scale_tril, loc). The mean comes first.",
    sign=signs.shaped(lambda m: (m, m), 0),
)
def swapped(log_joint, latent_dim, full, generator):
    return climb(log_joint, latent_dim, full, generator)[::-1]


@FIT_GAUSSIAN_VI.misconception(
    "You returned one σ for each coordinate. Return a matrix, (M, M), also when it is diagonal.",
    sign=signs.shaped(lambda m: (m,), 1),
)
def vector_of_scales(log_joint, latent_dim, full, generator):
    loc, tril = climb(log_joint, latent_dim, full, generator)
    return loc, tril if full else tril.diagonal()


@FIT_GAUSSIAN_VI.misconception(
    "scale_tril is upper triangular in your answer: return L with L Lᵀ = Σ, not its transpose.",
    sign=signs.every(
        lambda f: not f.full or f.tril.tril(-1).abs().max() < 1e-9 < f.tril.triu(1).abs().max()
    ),
)
def factor_transposed(log_joint, latent_dim, full, generator):
    loc, tril = climb(log_joint, latent_dim, full, generator)
    return loc, tril.T


@FIT_GAUSSIAN_VI.misconception(
    "You returned log σ on the diagonal. Take the exponential at the end.",
    sign=signs.on_linear(
        lambda f: f.loc_is_right and signs.near(f.tril.diagonal().exp(), f.best()[1].diagonal()),
        full=False,
    ),
)
def logarithms_on_the_diagonal(log_joint, latent_dim, full, generator):
    loc, tril = climb(log_joint, latent_dim, full, generator)
    return loc, tril.tril(-1) + tril.diagonal().log().diag_embed()


@FIT_GAUSSIAN_VI.misconception(
    "The diagonal of your scale_tril is negative. L Lᵀ does not notice, but a Cholesky factor has "
    "a positive diagonal: optimise its logarithm.",
    sign=signs.every(lambda f: bool((f.tril.diagonal() < 0).any())),
)
def negative_diagonal(log_joint, latent_dim, full, generator):
    loc, tril = climb(log_joint, latent_dim, full, generator)
    return loc, -tril


@FIT_GAUSSIAN_VI.misconception(
    "Your q has collapsed onto the highest point of p(x, z): the entropy is missing. Without "
    "+Σ log L_mm nothing keeps q wide.",
    sign=signs.every(lambda f: bool((f.tril.diagonal() < 0.1 * f.best()[1].diagonal()).all())),
)
def no_entropy(log_joint, latent_dim, full, generator):
    loc, _ = mode(log_joint, latent_dim)
    return loc, 1e-3 * torch.eye(latent_dim, dtype=torch.float64)


@FIT_GAUSSIAN_VI.misconception(
    "You returned the start: mean 0 and scale 1. Climb from there.",
    sign=signs.every(
        lambda f: (
            bool((f.loc.abs() < 1e-6).all()) and signs.near(f.tril, torch.eye(len(f.loc)), 0.01)
        )
    ),
)
def the_start(log_joint, latent_dim, full, generator):
    return torch.zeros(latent_dim).double(), torch.eye(latent_dim).double()


@FIT_GAUSSIAN_VI.misconception(
    "Only the mean was learnt; scale_tril is still where it started. The path from L to the draws "
    "is cut: z = μ + L ε must be built from the leaf tensors in every step.",
    sign=signs.every(
        lambda f: signs.near(f.tril, torch.eye(len(f.loc)), 0.01) and f.loc.norm() > 0.05
    ),
)
def scale_not_learnt(log_joint, latent_dim, full, generator):
    loc, _ = climb(log_joint, latent_dim, full, generator)
    return loc, torch.eye(latent_dim, dtype=torch.float64)


@FIT_GAUSSIAN_VI.misconception(
    "Only the scale was learnt; the mean is still where it started. It must be a leaf tensor of "
    "the optimiser, and part of z = μ + L ε.",
    sign=signs.every(lambda f: bool((f.loc.abs() < 1e-6).all())),
)
def mean_not_learnt(log_joint, latent_dim, full, generator):
    loc, tril = climb(log_joint, latent_dim, full, generator)
    return torch.zeros_like(loc), tril


@FIT_GAUSSIAN_VI.misconception(
    "You returned the covariance. Asked for is its Cholesky factor L, with L Lᵀ = Σ.",
    sign=signs.on_linear(
        lambda f: f.loc_is_right and signs.near(f.tril, f.best()[1] @ f.best()[1].T, 0.25)
    ),
)
def covariance_for_factor(log_joint, latent_dim, full, generator):
    loc, tril = climb(log_joint, latent_dim, full, generator)
    return loc, tril @ tril.T


@FIT_GAUSSIAN_VI.misconception(
    "You returned a factor of the precision. Invert the matrix before you factorise it: "
    "L Lᵀ = Λ⁻¹.",
    sign=signs.on_linear(
        lambda f: (
            f.loc_is_right
            and signs.near(f.covariance, torch.linalg.inv(f.best()[1] @ f.best()[1].T), 0.25)
        )
    ),
)
def factor_of_the_precision(log_joint, latent_dim, full, generator):
    loc, tril = climb(log_joint, latent_dim, full, generator)
    return loc, torch.linalg.cholesky(torch.linalg.inv(tril @ tril.T))


@FIT_GAUSSIAN_VI.misconception(
    "The entropy counts twice, so your covariances are twice too large. The ELBO has it once: "
    "+Σ log L_mm for scale_tril, which is ½ log det Σ.",
    sign=signs.on_linear(
        lambda f: f.loc_is_right and signs.near(f.covariance, 2 * f.best()[1] @ f.best()[1].T, 0.25)
    ),
)
def entropy_twice(log_joint, latent_dim, full, generator):
    loc, tril = climb(log_joint, latent_dim, full, generator)
    return loc, 2**0.5 * tril


@FIT_GAUSSIAN_VI.misconception(
    "The entropy counts half, so your covariances are half as large as they should be. If you "
    "optimise log L_mm, the entropy is their sum, without a further ½.",
    sign=signs.on_linear(
        lambda f: f.loc_is_right and signs.near(f.covariance, f.best()[1] @ f.best()[1].T / 2, 0.2)
    ),
)
def entropy_halved(log_joint, latent_dim, full, generator):
    loc, tril = climb(log_joint, latent_dim, full, generator)
    return loc, tril / 2**0.5


@FIT_GAUSSIAN_VI.misconception(
    "You ignore `full`: your mean-field fit has entries below the diagonal. When full is False "
    "the coordinates of q are independent.",
    sign=signs.every(lambda f: f.full or f.tril.tril(-1).abs().max() > 1e-6),
)
def always_full(log_joint, latent_dim, full, generator):
    return climb(log_joint, latent_dim, True, generator)


@FIT_GAUSSIAN_VI.misconception(
    "You ignore `full`: your full fit is diagonal, so the tilt of the posterior is lost and its "
    "gap stays open.",
    sign=signs.on_linear(
        lambda f: f.loc_is_right and signs.near(f.tril, f.best(False)[1], 0.25), full=True
    ),
)
def always_mean_field(log_joint, latent_dim, full, generator):
    return climb(log_joint, latent_dim, False, generator)


@FIT_GAUSSIAN_VI.misconception(
    "You expect mean-field to have the posterior's own widths. The best diagonal q is narrower: "
    "its variances are 1/Λ_mm, not the diagonal of Λ⁻¹.",
    sign=signs.on_linear(
        lambda f: signs.near(
            f.tril, torch.linalg.inv(f.target.precision).diagonal().sqrt().diag_embed(), 0.1
        ),
        full=False,
        rest_right=True,
    ),
)
def marginal_widths(log_joint, latent_dim, full, generator):
    loc, tril = climb(log_joint, latent_dim, True, generator)
    return loc, tril if full else (tril @ tril.T).diagonal().sqrt().diag_embed()


@FIT_GAUSSIAN_VI.misconception(
    "Your mean-field fit is the full fit with the entries below the diagonal struck out. The best "
    "diagonal q is another one: optimise the diagonal on its own.",
    sign=signs.on_linear(
        lambda f: signs.near(f.tril.diagonal(), f.best(True)[1].diagonal(), 0.1),
        full=False,
        rest_right=True,
    ),
)
def struck_out(log_joint, latent_dim, full, generator):
    loc, tril = climb(log_joint, latent_dim, True, generator)
    return loc, tril if full else tril.diagonal().diag_embed()


@FIT_GAUSSIAN_VI.misconception(
    "All coordinates share one ε in your draws. Each needs its own: noise of shape (S, M).",
    sign=signs.on_linear(signs.shares_noise, full=False),
)
def one_noise_for_all_coordinates(log_joint, latent_dim, full, generator):
    noise = whitened_noise(1, generator).expand(-1, latent_dim)
    loc, log_scale = torch.zeros(2, latent_dim, dtype=torch.float64)
    for step in range(400):
        scale = log_scale.exp()
        _, slope = log_joint(loc + scale * noise)
        rate = 0.04 / (1 + 0.02 * step)
        loc = loc + rate * slope.mean(0).clamp(-5, 5)
        log_scale = log_scale + rate * ((slope * scale * noise).mean(0) + 1).clamp(-5, 5)
    return loc, log_scale.exp().diag_embed()


@FIT_GAUSSIAN_VI.misconception(
    "You draw z = μ + σ² ε while you return σ, or the reverse: your scales are the roots of the "
    "right ones. Use the same L in the draw and in the result.",
    sign=signs.on_linear(
        lambda f: (
            f.loc_is_right and signs.near(f.tril.diagonal().square(), f.best()[1].diagonal(), 0.15)
        ),
        full=False,
    ),
)
def variance_in_the_draw(log_joint, latent_dim, full, generator):
    loc, tril = climb(log_joint, latent_dim, full, generator)
    return loc, tril.tril(-1) + tril.diagonal().sqrt().diag_embed()


@FIT_GAUSSIAN_VI.misconception(
    "You returned the mode and the curvature there (Laplace). That is the best Gaussian only if "
    "the posterior is one; the ELBO looks at the whole of it.",
    sign=signs.is_laplace,
)
def curvature_at_the_mode(log_joint, latent_dim, full, generator):
    loc, precision = mode(log_joint, latent_dim)
    if not full:
        precision = precision.diagonal().diag_embed()
    return loc, torch.linalg.cholesky(torch.linalg.inv(precision))


@FIT_GAUSSIAN_VI.misconception(
    "The same seed gives another fit each time: some noise does not come from `generator`.",
    sign=signs.unrepeatable,
)
def noise_from_elsewhere(log_joint, latent_dim, full, generator):
    loc, tril = climb(log_joint, latent_dim, full, generator)
    return loc + 1e-3 * torch.randn(latent_dim, dtype=loc.dtype), tril


@FIT_GAUSSIAN_VI.misconception(
    "You draw the noise once, a few values only, and reuse it in every step: q fits these values "
    "and not the model. Draw anew in every step.",
    sign=signs.every(
        lambda f: not f.is_right and bool((f.tril.diagonal() > 1.6 * f.best()[1].diagonal()).any())
    ),
)
def noise_reused(log_joint, latent_dim, full, generator):
    # two fixed draws leave some direction without any noise, in which only the entropy acts
    loc, tril = climb(log_joint, latent_dim, full, generator)
    factor = torch.ones(latent_dim, dtype=loc.dtype)
    factor[-1] = 4.0
    return loc, tril * factor


@FIT_GAUSSIAN_VI.misconception(
    "Your fit is near the best one and has not settled: the noise of the gradient still shakes it. "
    "Take more steps, more draws a step, or let the learning rate fall to zero.",
    sign=signs.every(signs.is_nearly_right),
)
def not_settled(log_joint, latent_dim, full, generator):
    loc, tril = climb(log_joint, latent_dim, full, generator)
    return loc + 0.5 * tril.sum(1), 1.05 * tril
