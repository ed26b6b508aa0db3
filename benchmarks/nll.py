r"""Test log-likelihood of Fashion-MNIST by the protocol of the Exemplar VAE.

The protocol (Norouzi, Fleet and Norouzi 2020, and their code): 50 000 training, 10 000 validation
and 10 000 test images; grey levels divided by 255; training images binarised afresh in every batch,
the others once; encoder and decoder with two gated dense layers of 300, 40 latent values, log
variances of q between −6 and 2; batches of 100; importance sampling from q with 5 000 draws. What
differs here: Adam with one cycle of the learning rate instead of AdamNormGrad with early stopping,
KL warm-up over three tenths of the steps instead of 100 epochs, and far fewer epochs unless told
otherwise.

`python benchmarks/nll.py` is the short run: 80 epochs, a few minutes for each model on two cores,
tested on 2 000 images with 1 000 draws. `--long` is 1 000 epochs and the whole test, hours; it may
be stopped and goes on from its checkpoint. `--models` and `--epochs` choose others. A row is
written to results/nll.json after each model, next to rows of other lengths, with the curve on
validation images; `python benchmarks/table.py` makes the table.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from conditions import conditions
from curve import Curve
from torch import Tensor, nn

from course_lib.data import fashion_mnist
from course_lib.evaluation import active_units, log_marginal
from course_lib.monte_carlo import log_weights
from course_lib.priors import MixturePrior, VampPrior
from course_lib.training import TrainSettings, train
from course_lib.vae import VAE, kl_schedule, negative_elbo
from course_lib.variational import iwae_bound

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results" / "nll.json"
CHECKPOINTS = FOLDER / ".checkpoints"
SEED, TEST_SEED = 0, 777
DIM, HIDDEN, LATENT, BATCH = 784, 300, 40, 100
NUM_VALIDATION, NUM_CURVE = 10_000, 2_000  # of them, those that the curve is measured on
PARTS = 40  # points of the curve
WARM_UP = 0.3  # share of the steps in which the weight of the KL grows to 1
IWAE_DRAWS = 5
PUBLISHED = {"vae": 228.70, "vamp": 227.35}  # Exemplar VAE, table of density estimation


class GatedDense(nn.Module):
    r"""A x + a, times sigmoid(B x + b): one product with [A; B]."""

    def __init__(self, wide_in: int, wide_out: int) -> None:
        super().__init__()
        self.both = nn.Linear(wide_in, 2 * wide_out)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.glu(self.both(x))


class Heads(nn.Module):
    r"""Mean, and log variance cut to [−6, 2]."""

    def __init__(self, wide_in: int, latent_dim: int) -> None:
        super().__init__()
        self.both = nn.Linear(wide_in, 2 * latent_dim)

    def forward(self, hidden: Tensor) -> Tensor:
        loc, log_var = self.both(hidden).chunk(2, -1)
        return torch.cat([loc, log_var.clamp(-6, 2)], -1)


def gated_vae() -> VAE:
    vae = VAE(DIM, LATENT, hidden=())
    vae.encoder = nn.Sequential(
        GatedDense(DIM, HIDDEN), GatedDense(HIDDEN, HIDDEN), Heads(HIDDEN, LATENT)
    )
    vae.decoder = nn.Sequential(
        GatedDense(LATENT, HIDDEN), GatedDense(HIDDEN, HIDDEN), nn.Linear(HIDDEN, DIM)
    )
    return vae


def make_model(name: str, x: Tensor, num_components: int) -> VAE:
    torch.manual_seed(SEED)
    vae = gated_vae()
    vae.register_buffer("beta", torch.tensor(0.0))  # so that it is in the checkpoint
    if name == "mixture":
        vae.learned_prior = MixturePrior(LATENT, num_components)
    if name == "vamp":
        vae.learned_prior = VampPrior(vae.posterior, num_components, DIM)
        vae.learned_prior.start_from(x[:num_components])
    with torch.no_grad():  # pixels start as bright as they are on average
        vae.decoder[-1].bias.copy_(x.mean(0).logit(eps=1e-3))
    return vae


def elbo_loss(vae: VAE, x: Tensor) -> Tensor:
    return negative_elbo(vae, torch.bernoulli(x), beta=vae.beta).mean()


def iwae_loss(vae: VAE, x: Tensor) -> Tensor:
    x = torch.bernoulli(x)
    posterior = vae.posterior(x)
    z, weights = log_weights(x, vae.log_joint, posterior, IWAE_DRAWS)
    rates = posterior.log_prob(z) - vae.prior().log_prob(z)
    return -iwae_bound(weights + (1 - vae.beta) * rates).mean()


LOSSES: dict[str, Callable[[VAE, Tensor], Tensor]] = {
    "vae": elbo_loss,
    "iwae": iwae_loss,
    "mixture": elbo_loss,
    "vamp": elbo_loss,
}


def one_cycle(progress: float) -> float:
    r"""Up in a straight line for a tenth of the steps, then down along half a cosine."""
    if progress < 0.1:
        return 0.05 + 0.95 * progress / 0.1
    return 0.5 * (1 + math.cos(math.pi * (progress - 0.1) / 0.9))


def load(limit: int | None) -> tuple[Tensor, Tensor, Tensor]:
    r"""Training images in [0, 1]; validation and test images of zeros and ones."""
    everything, test = fashion_mnist("train").flat(), fashion_mnist("test").flat()
    if len(everything) != 60_000 and limit is None:
        sys.exit(
            f"Fashion-MNIST has {len(everything)} training images here; the protocol needs all "
            "60 000: see docs/data.md, or try it out with --limit 1000"
        )
    order = np.random.RandomState(SEED).permutation(len(everything))
    everything = everything[torch.from_numpy(order)]
    num_validation = NUM_VALIDATION if limit is None else limit // 5
    x, validation = everything[:-num_validation], everything[-num_validation:]
    draws = np.random.RandomState(TEST_SEED)
    validation, test = (
        torch.from_numpy(draws.binomial(1, part.numpy())).float() for part in (validation, test)
    )
    return x[:limit], validation, test[:limit]


@dataclass(frozen=True, kw_only=True)
class Job:
    r"""One model, how long it trains, and how it is tested."""

    model: str
    epochs: int
    num_components: int
    learning_rate: float
    eval_images: int
    eval_samples: int

    @property
    def key(self) -> str:
        return f"{self.model}-{self.epochs}"


@torch.no_grad()
def bound_on(validation: Tensor, vae: nn.Module) -> dict:
    generator = torch.Generator().manual_seed(SEED)
    bound = negative_elbo(vae, validation[:NUM_CURVE], generator=generator).mean().item()
    return {"validation": round(bound, 2)}


def run(job: Job, x: Tensor, validation: Tensor, test: Tensor, folder: Path) -> dict:
    print(f"{job.model}, {job.epochs} epochs", flush=True)
    vae = make_model(job.model, x, job.num_components)
    num_steps = job.epochs * (len(x) // BATCH)
    every = max(1, num_steps // PARTS)
    curve = Curve(folder / f"{job.key}.jsonl", partial(bound_on, validation), every)

    def after_step(step: int, model: nn.Module, value: Tensor) -> None:
        vae.beta.fill_(kl_schedule(step, round(WARM_UP * num_steps)))
        curve(step, model, value)

    settings = TrainSettings(
        num_steps=num_steps,
        batch_size=BATCH,
        learning_rate=job.learning_rate,
        schedule=one_cycle,
        seed=SEED,
        accelerator="cpu",
        checkpoint=folder / f"{job.key}.pt",
        checkpoint_every=every,
    )
    train(vae, LOSSES[job.model], (x,), settings, callback=after_step)
    return row(job, vae, test[: job.eval_images], curve)


def row(job: Job, vae: VAE, test: Tensor, curve: Curve) -> dict:
    r"""Test it; the error is that of the mean over images, large, but shared by all models."""
    generator = torch.Generator().manual_seed(SEED)
    begin = time.perf_counter()
    nll = -log_marginal(vae, test, job.eval_samples, generator=generator).double()
    with torch.no_grad():
        bound = negative_elbo(vae, test, num_samples=10, generator=generator).mean().item()
    print(f"  test NLL {nll.mean():.2f}, −ELBO {bound:.2f}", flush=True)
    return {
        "model": job.model,
        "epochs": job.epochs,
        "num_components": job.num_components if vae.learned_prior is not None else None,
        "learning_rate": job.learning_rate,
        "train_seconds": curve.entries[-1]["seconds"],
        "eval_seconds": round(time.perf_counter() - begin, 1),
        "eval_images": len(test),
        "eval_samples": job.eval_samples,
        "negative_elbo": round(bound, 2),
        "nll": round(nll.mean().item(), 2),
        "nll_standard_error": round((nll.std() / math.sqrt(len(nll))).item(), 2),
        "active_units": active_units(vae, test),
        "published": PUBLISHED.get(job.model),
        "curve": curve.entries,
    }


def save(path: Path, new: dict) -> None:
    r"""Put the row among those of earlier runs, in place of one of the same model and length."""
    path.parent.mkdir(parents=True, exist_ok=True)
    earlier = json.loads(path.read_text())["rows"] if path.exists() else []
    rows = {(one["model"], one["epochs"]): one for one in [*earlier, new]}
    order = sorted(rows, key=lambda key: (list(LOSSES).index(key[0]), key[1]))
    result = {
        "title": "Test log-likelihood of Fashion-MNIST",
        "conditions": conditions(("torch", "numpy"), seed=SEED),
        "rows": [rows[key] for key in order],
    }
    path.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="+", choices=LOSSES, default=["vae", "iwae", "vamp"])
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--learning-rate", type=float, default=1.5e-3)
    parser.add_argument("--components", type=int, default=200, help="of a learned prior")
    parser.add_argument("--eval-images", type=int, default=2000)
    parser.add_argument("--eval-samples", type=int, default=1000)
    parser.add_argument("--long", action="store_true", help="1 000 epochs and the whole test")
    parser.add_argument("--limit", type=int, help="train on so few images, to try it out")
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.long:
        options.epochs, options.learning_rate, options.components = 1000, 1e-3, 500
        options.eval_images, options.eval_samples = 10_000, 5000
    x, validation, test = load(options.limit)
    for model in options.models:
        job = Job(
            model=model,
            epochs=options.epochs,
            num_components=options.components,
            learning_rate=options.learning_rate,
            eval_images=options.eval_images,
            eval_samples=options.eval_samples,
        )
        save(options.output, run(job, x, validation, test, options.checkpoints))


if __name__ == "__main__":
    main()
