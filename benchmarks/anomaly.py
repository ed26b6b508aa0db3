r"""Which images are unlike a class? A part of autoencoders.py.

Each class of Fashion-MNIST in turn is the normal one. Models see its 6000 training images and score
all 10 000 test images. The number is the area under the ROC curve, times 100, a mean over seeds for
what starts from random weights. One VAE gives three scores: the error of its reconstruction, the
negative ELBO, and the KL alone. Autoencoders start from torch's default weights, as those of the
earlier measurement did.
"""

from collections.abc import Callable
from functools import partial

import torch
from fashion import DIM, fit, images
from torch import Tensor, nn
from torch.distributions import MultivariateNormal
from tqdm import tqdm

from course_lib.anomaly import auroc, reconstruction_score
from course_lib.autoencoder import DenseAutoencoder, denoising_loss, pca, reconstruction_loss
from course_lib.vae import VAE, elbo_terms, negative_elbo

EPOCHS, LEARNING_RATE, NOISE, RIDGE = 30, 1e-3, 0.3, 0.01
NETWORK = {"latent_dim": 16, "hidden": (256, 128)}
Scores = dict[str, Callable[[Tensor], Tensor]]
# the same methods measured before, with other code on another machine, with one seed
REFERENCE = {
    "autoencoder": [90.6, 98.8, 88.6, 92.4, 89.6, 88.4, 82.8, 98.4, 84.4, 96.9],
    "denoising autoencoder": [90.4, 98.6, 88.6, 92.0, 89.4, 88.6, 82.7, 98.3, 83.0, 96.8],
    "PCA-32": [89.7, 98.5, 88.0, 91.6, 88.0, 88.0, 81.8, 98.5, 83.8, 97.1],
    "full Gaussian": [89.4, 98.5, 88.3, 90.6, 88.0, 89.6, 79.9, 98.7, 86.8, 97.9],
    "VAE, reconstruction": [89.7, 98.5, 88.2, 91.2, 90.1, 88.6, 82.9, 98.2, 80.8, 95.7],
    "VAE, −ELBO": [66.6, 97.5, 52.5, 90.3, 68.5, 92.8, 47.1, 96.1, 50.2, 84.8],
    "VAE, KL": [82.6, 70.4, 76.4, 69.9, 65.2, 86.4, 70.0, 93.9, 65.1, 81.0],
}
REFERENCE_MEANS = {"PCA-8": 89.8}


def measure_anomaly(share: float, num_seeds: int) -> dict:
    r"""A row per method, a column per class."""
    train_set, test_set = images("train"), images("test")
    x, x_test = train_set.flat(), test_set.flat()
    areas: dict[str, list[list[float]]] = {}  # method, class, seed
    for label in tqdm(range(10), desc="anomaly", unit="class"):
        normal, of_class = test_set.labels == label, x[train_set.labels == label]
        runs = [linear_scores(of_class)]
        runs += [network_scores(of_class, share, seed) for seed in range(num_seeds)]
        found: dict[str, list[float]] = {}
        for run in runs:
            for name, score in run.items():
                scores = score(x_test)
                found.setdefault(name, []).append(100 * auroc(scores[normal], scores[~normal]))
        for name, values in found.items():
            areas.setdefault(name, []).append(values)
    return {
        "classes": list(train_set.label_names),
        "epochs": round(share * EPOCHS, 2),
        "seeds": num_seeds,
        "rows": [_row(name, torch.tensor(areas[name])) for name in [*REFERENCE, *REFERENCE_MEANS]],
    }


def linear_scores(x: Tensor) -> Scores:
    r"""What gives each test image a score, learned from the images of one class: no randomness."""
    scores: Scores = {
        f"PCA-{latent_dim}": partial(reconstruction_score, pca(x, latent_dim))
        for latent_dim in (32, 8)
    }
    gaussian = MultivariateNormal(x.mean(0), x.mT.cov(correction=0) + RIDGE * torch.eye(DIM))
    return scores | {"full Gaussian": lambda x_test: -gaussian.log_prob(x_test)}


def network_scores(x: Tensor, share: float, seed: int) -> Scores:
    r"""The same from networks that start at random."""
    losses = {
        "autoencoder": reconstruction_loss,
        "denoising autoencoder": partial(denoising_loss, kind="gaussian", level=NOISE),
    }
    scores: Scores = {}
    options = {"seed": seed, "learning_rate": LEARNING_RATE, "progress": False}
    for name, loss in losses.items():
        torch.manual_seed(seed)
        model = DenseAutoencoder(DIM, **NETWORK)
        model.apply(_start_as_torch_does)
        fit(model, loss, x, share * EPOCHS, **options)
        scores[name] = partial(reconstruction_score, model)
    torch.manual_seed(seed)
    vae = VAE(DIM, **NETWORK)
    fit(vae, _vae_loss, x, share * EPOCHS, **options)
    return scores | {
        "VAE, reconstruction": lambda x_test: _vae_error(vae, x_test),
        "VAE, −ELBO": lambda x_test: sum(_vae_terms(vae, x_test, seed)),
        "VAE, KL": lambda x_test: _vae_terms(vae, x_test, seed)[0],
    }


def _start_as_torch_does(layer: nn.Module) -> None:
    if isinstance(layer, nn.Linear):
        layer.reset_parameters()


def _vae_loss(vae: VAE, x: Tensor) -> Tensor:
    return negative_elbo(vae, x).mean()  # grey pixels as the means of bits, as many people do


@torch.no_grad()
def _vae_error(vae: VAE, x: Tensor) -> Tensor:
    return (vae.decode(vae.encode(x)) - x).square().mean(-1)


@torch.no_grad()
def _vae_terms(vae: VAE, x: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return elbo_terms(vae, x, num_samples=10, generator=generator)


def _row(name: str, areas: Tensor) -> dict:
    r"""From areas of shape (classes, seeds); the spread is that of the seeds, not of their mean."""
    mean, before = areas.mean(1), REFERENCE.get(name)
    earlier = sum(before) / len(before) if before else REFERENCE_MEANS[name]
    random = areas.shape[1] > 1
    return {
        "method": name,
        "areas": [round(area, 1) for area in mean.tolist()],
        "mean": round(mean.mean().item(), 1),
        "largest_spread": round(areas.std(1).max().item(), 1) if random else None,
        "reference_mean": round(earlier, 1),
        "largest_difference": round((mean - torch.tensor(before)).abs().max().item(), 1)
        if before
        else None,
    }
