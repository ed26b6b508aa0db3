"""Right answers to `complete_image`."""

import numpy as np
import torch

from .complete_image import log_likelihoods, reference
from .complete_image_bank import COMPLETE_IMAGE


@COMPLETE_IMAGE.variant
def with_a_copy_of_x(x, mask, guesses, scale, num_completions, generator):
    log_weights = -((guesses[:, mask] - x[mask]) ** 2).sum(1) / (2 * scale**2)
    weights = (log_weights - log_weights.max()).exp()
    chosen = torch.multinomial(weights, num_completions, True, generator=generator)
    rows = x.repeat(num_completions, 1)
    rows[:, ~mask] = guesses[chosen][:, ~mask]
    return rows


@COMPLETE_IMAGE.variant
def with_normal_distributions(x, mask, guesses, scale, num_completions, generator):
    log_prob = torch.distributions.Normal(guesses[:, mask], scale).log_prob(x[mask]).sum(-1)
    shares = torch.softmax(log_prob, 0)
    places = torch.rand(num_completions, generator=generator, dtype=x.dtype)
    chosen = torch.searchsorted(shares.cumsum(0), places).clamp(max=len(guesses) - 1)
    return torch.where(mask, x, guesses[chosen])


@COMPLETE_IMAGE.variant
def with_gumbel_noise(x, mask, guesses, scale, num_completions, generator):
    log_weights = log_likelihoods(x, mask, guesses, scale)
    shape = num_completions, len(guesses)
    u = torch.rand(shape, generator=generator, dtype=x.dtype).clamp(min=1e-300)
    chosen = (log_weights - (-u.log()).log()).argmax(1)
    return torch.where(mask, x, guesses[chosen])


@COMPLETE_IMAGE.variant
def with_systematic_resampling(x, mask, guesses, scale, num_completions, generator):
    """One random number for all rows: right on average, with less scatter."""
    shares = torch.softmax(log_likelihoods(x, mask, guesses, scale), 0)
    start = torch.rand(1, generator=generator, dtype=x.dtype)
    places = (torch.arange(num_completions, dtype=x.dtype) + start) / num_completions
    chosen = torch.searchsorted(shares.cumsum(0), places).clamp(max=len(guesses) - 1)
    return torch.where(mask, x, guesses[chosen])


@COMPLETE_IMAGE.variant
def with_numpy_rows(x, mask, guesses, scale, num_completions, generator):
    visible, known = mask.numpy(), x.numpy()
    table = guesses.numpy()
    exponent = -0.5 * (((known - table)[:, visible]) / scale) ** 2
    log_weights = exponent.sum(1)
    shares = np.exp(log_weights - log_weights.max())
    seed = int(torch.randint(2**31, (1,), generator=generator))
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(table), size=num_completions, p=shares / shares.sum())
    return np.where(visible, known, table[chosen])


@COMPLETE_IMAGE.variant
def in_single_precision(x, mask, guesses, scale, num_completions, generator):
    return reference(x.float(), mask, guesses.float(), scale, num_completions, generator)
