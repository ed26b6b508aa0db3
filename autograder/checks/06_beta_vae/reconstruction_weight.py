"""`reconstruction_weight(beta, dim, noise_var)`: which factor of the mean trains with this β?

The check builds the loss with the student's factor and compares the directions of gradients: it is
a β-VAE if and only if its gradient is a multiple of that of distortion plus β times rate.
"""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(beta: float, dim: int, noise_var: float) -> float:
    """F (1/D) Σ e² + KL = c [Σ e²/(2σ²) + β KL] with c = 1/β."""
    return dim / (2 * beta * noise_var)


RECONSTRUCTION_WEIGHT = Exercise(
    name="reconstruction_weight",
    unit="06_beta_vae",
    title="The number in front of the mean",
    points=2,
    difficulty=2,
    minutes=15,
    reference=reference,
    follow_up=(
        "σ² and β enter by their product only: a β-VAE with the noise σ² is a plain VAE with the "
        "noise βσ², up to a constant. Fixing σ is setting β."
    ),
    hints=(
        "**Principle.** Two losses train the same model if one is a positive multiple of the "
        "other, up to a constant. So take the loss that you want, distortion plus β times "
        "divergence, and bring it to the form that you may write: a mean of squares plus the "
        "divergence with the weight 1. What stands in front of the divergence now has to be "
        "divided out of everything. What then stands in front of the squared errors, and the "
        "number of values that the mean divides by, make up the factor. Nothing here depends on "
        "the data or on the networks, and nothing has to be tuned.",
        "**Place.** For a Gaussian decoder with the variance σ² the distortion of an image is "
        "Σ_d e_d² / (2σ²), plus a constant that no gradient sees. Divide the wanted loss by β: the "
        "divergence gets the weight 1, and each squared error the weight 1/(2σ²β). The mean over "
        "the D values gives each squared error the weight F/D. The two must be equal; solve for "
        "F. Mind the ½ of the Gaussian: the mean squared error does not have it. And mind what "
        "the third argument is, the variance σ² and not σ.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "return ... / (2 * ... * noise_var)\n"
        "```\n\n"
        "The gaps are `dim` and `beta`. Three tests by thought. Twice the β must give half the "
        "factor: the code is to become dearer, so the reconstruction has to count less. Twice as "
        "many values must give twice the factor, because the mean divides by more. And with β = 1, "
        "σ² = ½ and D values the factor must be D, which turns the mean of squares back into their "
        "plain sum. If you get 2D there, the variance entered as a standard deviation or the ½ is "
        "on the wrong side.",
    ),
)


def _sine(
    factor: float, beta: float, noise_var: float, error: Tensor, slope: Tensor
) -> tuple[float, float]:
    """Sine of the angle between the two gradients, and the β that the factor trains with.

    Args:
        factor: What stands before the mean.
        beta: What was wanted.
        noise_var: σ².
        error: Reconstruction errors (N, D); twice them is the slope of a squared error.
        slope: Slope of the divergence for the encoder's output, (N, M).
    """
    dim = error.shape[1]
    built = torch.cat((factor * 2 * error / dim, slope), dim=1).flatten()
    wanted = torch.cat((error / noise_var, beta * slope), dim=1).flatten()
    cosine = torch.nn.functional.cosine_similarity(built, wanted, dim=0).clamp(-1, 1)
    trained = dim / (2 * noise_var * factor) if factor else float("inf")
    return float((1 - cosine**2).sqrt() if cosine > 0 else 1.0), trained


@RECONSTRUCTION_WEIGHT.check
def trains_with_this_beta(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives the loss the gradient of a β-VAE, up to its length, for any β, D and noise."""
    low, high, tiny = (-2, -0.5), (0.7, 2), (-6, -5)  # logarithms; with `high` twice F is below 1
    for dim, *ranges in ((784, low, tiny), (12, low, high), (3, high, high), (4096, high, low)):
        beta, noise_var = (float(np.exp(rng.uniform(*ends))) for ends in ranges)
        what = f"reconstruction_weight({beta:.4g}, {dim}, {noise_var:.4g})"
        factor = expect.number(candidate.call(beta, dim, noise_var), what)
        error = torch.from_numpy(rng.normal(size=(3, dim)) * noise_var)
        slope = torch.from_numpy(rng.normal(size=(3, 2))) * error.norm() / noise_var / beta
        sine, trained = _sine(factor, beta, noise_var, error, slope)
        expect.true(
            sine < 1e-4 and abs(trained - beta) < 1e-4 * beta,
            f"{what} is {factor:.6g}; the loss then trains with β = {trained:.4g} instead of "
            f"{beta:.4g}",
        )


@RECONSTRUCTION_WEIGHT.check
def known_cases(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is D for the plain bound with a variance of one half, and D/2 with a variance of one."""
    dim = int(rng.integers(5, 2000))
    for noise_var, right in ((0.5, float(dim)), (1.0, dim / 2)):
        what = f"reconstruction_weight(1, {dim}, {noise_var})"
        value = expect.number(candidate.call(1.0, dim, noise_var), what)
        expect.close(value, torch.tensor(right), what)
