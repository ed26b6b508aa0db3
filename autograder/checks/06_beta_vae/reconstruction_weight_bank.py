"""Wrong and right answers to `reconstruction_weight`."""

import math

import torch

from .reconstruction_weight import RECONSTRUCTION_WEIGHT, reference

misconception = RECONSTRUCTION_WEIGHT.misconception
variant = RECONSTRUCTION_WEIGHT.variant


@misconception(
    "You put β itself in front of the reconstruction. There a larger number makes the code "
    "cheaper: the wanted β stands below the fraction, and D and 2σ² are missing."
)
def beta_itself(beta, dim, noise_var):
    return beta


@misconception(
    "You multiply by β where you should divide: a larger β has to make the reconstruction count "
    "less."
)
def multiplied_by_beta(beta, dim, noise_var):
    return beta * dim / (2 * noise_var)


@misconception(
    "The Gaussian's ½ is missing: a squared error costs e²/(2σ²), and the mean squared error has "
    "no ½ of its own. Your loss trains with β/2."
)
def half_forgotten(beta, dim, noise_var):
    return dim / (beta * noise_var)


@misconception("The ½ of the Gaussian is in your factor twice. Your loss trains with 2β.")
def half_twice(beta, dim, noise_var):
    return dim / (4 * beta * noise_var)


@misconception("You multiply by 2 where the Gaussian's ½ asks you to divide by it.")
def half_upside_down(beta, dim, noise_var):
    return 2 * dim / (beta * noise_var)


@misconception(
    "You forgot that the mean divides by D. Your loss trains with D times the β that is wanted."
)
def dim_forgotten(beta, dim, noise_var):
    return 1 / (2 * beta * noise_var)


@misconception(
    "You divide by D once more. The mean does that already, so the factor has to undo it: multiply "
    "by D."
)
def divided_by_dim(beta, dim, noise_var):
    return 1 / (2 * beta * noise_var * dim)


@misconception(
    "You left the noise out. The distortion is Σ e²/(2σ²): the noise decides how much an error "
    "costs."
)
def noise_ignored(beta, dim, noise_var):
    return dim / (2 * beta)


@misconception("You squared the noise once more. The argument is the variance σ² already, not σ.")
def variance_taken_for_scale(beta, dim, noise_var):
    return dim / (2 * beta * noise_var**2)


@misconception("You took the root of the variance: the distortion has σ² below, not σ.")
def scale_for_variance(beta, dim, noise_var):
    return dim / (2 * beta * math.sqrt(noise_var))


@misconception("You multiply by the noise. An error costs less where the noise is large: divide.")
def multiplied_by_noise(beta, dim, noise_var):
    return dim * noise_var / (2 * beta)


@misconception("You left β out: your factor belongs to the plain bound.")
def beta_ignored(beta, dim, noise_var):
    return dim / (2 * noise_var)


@misconception(
    "Your factor is upside down. That is the β which a factor gives, but the factor is asked for."
)
def upside_down(beta, dim, noise_var):
    return 2 * beta * noise_var / dim


@misconception(
    "You return the answer for the cross-entropy, D/β. A squared error needs the 2σ² of the "
    "Gaussian."
)
def of_the_cross_entropy(beta, dim, noise_var):
    return dim / beta


@misconception("Your β is squared.")
def beta_squared(beta, dim, noise_var):
    return dim / (2 * beta**2 * noise_var)


@misconception("You took the root of D. The mean divides by D itself.")
def root_of_dim(beta, dim, noise_var):
    return math.sqrt(dim) / (2 * beta * noise_var)


@misconception("Your factor is negative, so the loss rewards errors.")
def negative(beta, dim, noise_var):
    return -reference(beta, dim, noise_var)


@variant
def step_by_step(beta, dim, noise_var):
    weight_of_an_error = 1 / (2 * noise_var)
    return dim * weight_of_an_error / beta


@variant
def by_the_effective_noise(beta, dim, noise_var):
    return 0.5 * dim / (noise_var * beta)


@variant
def by_precision(beta, dim, noise_var):
    precision = noise_var**-1
    return 0.5 * precision * dim * beta**-1


@variant
def as_a_tensor(beta, dim, noise_var):
    return torch.tensor(dim / (2.0 * beta * noise_var))


@variant
def by_a_gradient(beta, dim, noise_var):
    error = torch.ones(dim, dtype=torch.float64, requires_grad=True)
    (mean,) = torch.autograd.grad((error**2).mean(), error)
    return error.detach()[0] / noise_var / beta / mean[0]
