"""Right answers to `sample_mixture`, written in other ways."""

import numpy as np
import torch
from torch.distributions import Categorical, MultivariateNormal

from .sample_mixture_bank import normal_noise
from .sample_mixture_noise_bank import SAMPLE_MIXTURE


@SAMPLE_MIXTURE.variant
def by_indexing(num_samples, weights, loc, scale_tril, generator):
    labels = torch.multinomial(weights, num_samples, replacement=True, generator=generator)
    noise = torch.randn(num_samples, loc.shape[1], 1, generator=generator, dtype=loc.dtype)
    return loc[labels] + (scale_tril[labels] @ noise).squeeze(-1), labels


@SAMPLE_MIXTURE.variant
def noise_before_labels(num_samples, weights, loc, scale_tril, generator):
    noise = torch.randn(num_samples, loc.shape[1], generator=generator)
    uniform = torch.rand(num_samples, 1, generator=generator)
    labels = (uniform > weights.cumsum(0)[:-1]).sum(1)
    return loc[labels] + (scale_tril[labels] * noise[:, None]).sum(-1), labels.int()


@SAMPLE_MIXTURE.variant
def loop_over_rows(num_samples, weights, loc, scale_tril, generator):
    rows, labels = [], []
    for _ in range(num_samples):
        k = torch.multinomial(weights, 1, generator=generator).item()
        rows.append(loc[k] + scale_tril[k] @ normal_noise(1, loc, generator)[0])
        labels.append(k)
    return torch.stack(rows), torch.tensor(labels)


@SAMPLE_MIXTURE.variant
def component_by_component(num_samples, weights, loc, scale_tril, generator):
    """Right: the rows come sorted by component, and their numbers are random."""
    drawn = torch.multinomial(weights, num_samples, replacement=True, generator=generator)
    counts = torch.bincount(drawn, minlength=len(weights))
    x = [
        loc[k] + normal_noise(int(count), loc, generator) @ scale_tril[k].T
        for k, count in enumerate(counts)
    ]
    return torch.cat(x), torch.repeat_interleave(torch.arange(len(weights)), counts)


@SAMPLE_MIXTURE.variant
def by_distributions(num_samples, weights, loc, scale_tril, generator):
    torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
    labels = Categorical(weights).sample((num_samples,))
    return MultivariateNormal(loc[labels], scale_tril=scale_tril[labels]).sample(), labels


@SAMPLE_MIXTURE.variant
def one_candidate_from_each_component(num_samples, weights, loc, scale_tril, generator):
    noise = torch.randn(num_samples, *loc.shape, generator=generator, dtype=loc.dtype)
    candidates = loc + torch.einsum("kij,skj->ski", scale_tril, noise)
    gumbel = -torch.empty(num_samples, len(weights)).exponential_(generator=generator).log()
    labels = (weights.log() + gumbel).argmax(1)
    return candidates[torch.arange(num_samples), labels], labels


@SAMPLE_MIXTURE.variant
def with_numpy(num_samples, weights, loc, scale_tril, generator):
    rng = np.random.default_rng(generator.initial_seed())
    labels = rng.choice(len(weights), size=num_samples, p=weights.numpy())
    noise = rng.standard_normal((num_samples, loc.shape[1]))
    x = loc.numpy()[labels] + np.einsum("sij,sj->si", scale_tril.numpy()[labels], noise)
    return x.astype(np.float32), labels
