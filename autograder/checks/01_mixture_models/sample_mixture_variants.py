"""Right answers to `sample_mixture`, written in other ways."""

import numpy as np
import torch
from torch.distributions import Categorical, MultivariateNormal

from .sample_mixture import draw_labels, normal_noise, times
from .sample_mixture_bank import SAMPLE_MIXTURE


@SAMPLE_MIXTURE.variant
def with_multinomial_and_einsum(num_samples, weights, loc, scale_tril, generator):
    labels = draw_labels(num_samples, weights, generator)
    noise = normal_noise(num_samples, loc, generator)
    return loc[labels] + torch.einsum("nij,nj->ni", scale_tril[labels], noise), labels


@SAMPLE_MIXTURE.variant
def noise_first(num_samples, weights, loc, scale_tril, generator):
    noise = normal_noise(num_samples, loc, generator)
    labels = torch.searchsorted(
        weights.cumsum(0), torch.rand(num_samples, generator=generator, dtype=weights.dtype)
    ).clamp_max(len(weights) - 1)
    return [loc[labels] + times(scale_tril[labels], noise), labels.int()]


@SAMPLE_MIXTURE.variant
def gumbel_maximum(num_samples, weights, loc, scale_tril, generator):
    uniform = torch.rand(num_samples, len(weights), generator=generator, dtype=weights.dtype)
    labels = (weights.log() - (-uniform.log()).log()).argmax(1)
    every = loc + times(
        scale_tril, torch.randn(num_samples, *loc.shape, generator=generator, dtype=loc.dtype)
    )
    return every[torch.arange(num_samples), labels], labels


@SAMPLE_MIXTURE.variant
def component_by_component_then_shuffled(num_samples, weights, loc, scale_tril, generator):
    labels = draw_labels(num_samples, weights, generator).sort().values
    parts = [
        loc[k] + normal_noise(int((labels == k).sum()), loc, generator) @ scale_tril[k].T
        for k in range(len(weights))
    ]
    order = torch.randperm(num_samples, generator=generator)
    return torch.cat(parts)[order], labels[order]


@SAMPLE_MIXTURE.variant
def one_point_at_a_time_for_small_draws(num_samples, weights, loc, scale_tril, generator):
    if num_samples > 500:
        return with_multinomial_and_einsum(num_samples, weights, loc, scale_tril, generator)
    rows, labels = [], []
    for _ in range(num_samples):
        k = torch.multinomial(weights, 1, generator=generator).item()
        rows.append(loc[k] + scale_tril[k] @ normal_noise(1, loc, generator)[0])
        labels.append(k)
    return torch.stack(rows), torch.tensor(labels)


@SAMPLE_MIXTURE.variant
def with_numpy_seeded_from_the_generator(num_samples, weights, loc, scale_tril, generator):
    seed = torch.randint(2**31, (1,), generator=generator).item()
    rng = np.random.default_rng(seed)
    labels = rng.choice(len(weights), size=num_samples, p=weights.numpy())
    noise = rng.standard_normal((num_samples, loc.shape[1]))
    return loc.numpy()[labels] + np.einsum("nij,nj->ni", scale_tril.numpy()[labels], noise), labels


@SAMPLE_MIXTURE.variant
def with_distributions_and_the_generators_seed(num_samples, weights, loc, scale_tril, generator):
    torch.manual_seed(torch.randint(2**31, (1,), generator=generator).item())
    labels = Categorical(weights).sample((num_samples,))
    return MultivariateNormal(loc[labels], scale_tril=scale_tril[labels]).sample(), labels
