r"""Importance-weighted bounds and likelihoods, side by side with pythae, and the memory they take.

The network is 784-400-20 with a Bernoulli likelihood, in float32, the same weights in every
variant; one row shows what bfloat16 would bring and cost, and one table what it brings to
differentiate one of the ten draws, as the authors of IWAE propose. A step is forward, backward and
Adam on one batch that lies ready; a likelihood is the estimate of log p(x) from 500 draws for each
of 20 images. Variants take turns within a round, in one process, and each ratio is the median of
the ratios within rounds. Before the clock starts, both sides are given the same draws, and the
distance between their gradients and between their likelihoods is written down.

The memory is the peak of a fresh process that estimates log p(x) of 10 000 points, and of one that
only imports. `python benchmarks/estimators.py` writes results/estimators.json; `python
benchmarks/table.py` makes the table.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from conditions import conditions, quartiles
from torch import Tensor, nn
from torch.distributions import Independent, MultivariateNormal, Normal
from torch.nn import functional
from tqdm import tqdm

from course_lib.linear_gaussian import LinearGaussian
from course_lib.monte_carlo import importance_log_marginal, log_weights
from course_lib.variational import iwae_bound, one_draw_iwae_bound

RESULTS = Path(__file__).parent / "results" / "estimators.json"
PACKAGES = ("torch", "numpy", "pythae")
SEED = 0
DIM, HIDDEN, LATENT = 784, 400, 20
OURS, PYTHAE = "course_lib", "pythae"
CHUNK = 2_500  # pairs of a draw and an image: 8 MB of logits
MEMORY_BOUND_MB = 1000
MEMORY_RUNS = {  # what the fresh process estimates: points, draws
    "imports only": (0, 0),
    "linear-Gaussian, 784 values, 20 hidden": (10_000, 5_000),
    "decoder 20-400-784": (10_000, 100),
}


class Network(nn.Module):
    r"""A VAE's encoder and decoder; `forward` gives q(z | x), `log_joint` the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(DIM, HIDDEN), nn.ReLU())
        self.loc, self.log_var = nn.Linear(HIDDEN, LATENT), nn.Linear(HIDDEN, LATENT)
        self.decoder = nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, DIM))

    def forward(self, x: Tensor) -> Independent:
        hidden = self.encoder(x)
        loc, log_var = self.loc(hidden).float(), self.log_var(hidden).float()  # under autocast
        return Independent(Normal(loc, (0.5 * log_var).exp()), 1)

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        logits = self.decoder(z).float()
        log_likelihood = -functional.binary_cross_entropy_with_logits(
            logits, x.expand_as(logits), reduction="none"
        ).sum(-1)
        log_prior = Normal(0.0, 1.0, validate_args=False).log_prob(z).sum(-1)
        return log_likelihood + log_prior


def make_network() -> Network:
    torch.manual_seed(SEED)
    return Network()


def make_images(num_images: int) -> Tensor:
    r"""Binary images with as many ones as handwritten digits have; their content is no matter."""
    generator = torch.Generator().manual_seed(SEED)
    return torch.bernoulli(torch.full((num_images, DIM), 0.13), generator=generator)


def make_pythae(network: Network, num_samples: int) -> nn.Module:
    r"""pythae's IWAE around the same layers."""
    from pythae.models import IWAE, IWAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.loc, self.log_var = network.encoder, network.loc, network.log_var

        def forward(self, x: Tensor) -> ModelOutput:
            hidden = self.body(x)
            return ModelOutput(embedding=self.loc(hidden), log_covariance=self.log_var(hidden))

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.body = network.decoder

        def forward(self, z: Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=self.body(z).sigmoid())

    config = IWAEConfig(
        input_dim=(DIM,),
        latent_dim=LATENT,
        number_samples=num_samples,
        reconstruction_loss="bce",
    )
    return IWAE(config, Encoder(), Decoder())


def our_loss(network: Network, x: Tensor, half: bool = False) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        _, log_w = log_weights(x, network.log_joint, network(x), 10)
    return -iwae_bound(log_w).mean()


def one_draw_loss(network: Network, x: Tensor) -> Tensor:
    return -one_draw_iwae_bound(x, network.log_joint, network(x), 10).mean()


def pythae_loss(model: nn.Module, x: Tensor) -> Tensor:
    return model({"data": x}).loss


def step(loss: Callable[..., Tensor], model: nn.Module, x: Tensor, **adam: bool) -> Callable:
    r"""What to time: a training step of a model of its own."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, **adam)

    def run() -> None:
        optimizer.zero_grad()
        loss(model, x).backward()
        optimizer.step()

    return run


@torch.no_grad()
def our_likelihood(network: Network, x: Tensor) -> float:
    options = {"num_samples": 500, "chunk_size": CHUNK}
    return importance_log_marginal(x, network.log_joint, network(x), **options).mean().item()


@torch.no_grad()
def pythae_likelihood(model: nn.Module, x: Tensor, batch_size: int = 100) -> float:
    return model.get_nll(x, n_samples=500, batch_size=batch_size)


def make_problems() -> list[dict]:
    r"""Each variant: what to run, the goal, and how far its answer is from ours or pythae's."""
    batch, images = make_images(128), make_images(20)
    fixed, fixed_peer = make_network(), make_pythae(make_network(), 500)
    nll, nll_500 = (partial(pythae_likelihood, fixed_peer, images, size) for size in (100, 500))
    distance = likelihood_disagreement(images)
    half_loss = partial(our_loss, half=True)
    peer = make_pythae(make_network(), 10)
    peer_step = step(pythae_loss, peer, batch)
    return [
        {
            "name": "IWAE step: 10 draws for each of 128 images",
            "distance": "gradient: largest difference to pythae's at the same draws, relative",
            "variants": {
                OURS: (step(our_loss, make_network(), batch, fused=True), None, _distance(batch)),
                f"{OURS}, matrix products in bfloat16": (
                    step(half_loss, make_network(), batch, fused=True),
                    None,
                    _distance(batch, half=True),
                ),
                PYTHAE: (peer_step, 1.8, 0.0),
            },
        },
        {
            "name": "IWAE step: 10 draws for each of 128 images, one of them differentiated",
            "distance": "gradient: standard deviation over the draws, relative to its length",
            "variants": {
                f"{OURS}, one_draw_iwae_bound": (
                    step(one_draw_loss, make_network(), batch, fused=True),
                    None,
                    _noise(one_draw_loss, make_network(), batch),
                ),
                f"{PYTHAE}, all ten differentiated": (
                    peer_step,
                    1.8,
                    _noise(pythae_loss, make_pythae(make_network(), 10), batch),
                ),
            },
        },
        {
            "name": "Likelihood: 500 draws for each of 20 images",
            "distance": "log p(x): largest difference to pythae's at the same draws, nats",
            "variants": {
                OURS: (partial(our_likelihood, fixed, images), None, distance),
                f"{PYTHAE}, get_nll": (nll, 2.0, 0.0),
                f"{PYTHAE}, get_nll in batches of 500": (nll_500, None, 0.0),
            },
        },
    ]


def _noise(loss: Callable[..., Tensor], model: nn.Module, x: Tensor, repeats: int = 50) -> float:
    r"""How much the gradient of one batch varies with the draws, relative to its length."""
    torch.manual_seed(SEED)
    parameters = list(model.parameters())
    found = torch.stack(
        [
            torch.cat([g.flatten() for g in torch.autograd.grad(loss(model, x), parameters)])
            for _ in range(repeats)
        ]
    )
    return (found.var(0).sum().sqrt() / found.mean(0).norm()).item()


def _distance(x: Tensor, half: bool = False) -> float:
    r"""Between our gradient and pythae's, at the same weights and the same draws."""
    network = make_network()
    torch.manual_seed(SEED)
    ours = torch.autograd.grad(our_loss(network, x, half), list(network.parameters()))
    model = make_pythae(network, 10)
    torch.manual_seed(SEED)
    noise = torch.randn(10, len(x), LATENT).movedim(0, 1)  # what our draws were made of
    model._sample_gauss = lambda mu, std: (mu + noise * std, noise)
    theirs = torch.autograd.grad(model({"data": x}).loss, list(network.parameters()))
    differences = [(a - b).abs().max() / b.abs().max() for a, b in zip(ours, theirs, strict=True)]
    return max(differences).item()


@torch.no_grad()
def likelihood_disagreement(x: Tensor) -> float:
    r"""Both likelihoods of every image at the same draws."""
    network = make_network()
    model, q = make_pythae(network, 500), network(x)
    z, log_w = log_weights(x, network.log_joint, q, 500)
    differences = []
    for n, ours in enumerate(iwae_bound(log_w).tolist()):
        model._sample_gauss = lambda mu, std, n=n: (z[:, n], None)
        differences.append(abs(ours - model.get_nll(x[n : n + 1], 500, 500)))
    return max(differences)


def time_in_turns(variants: list[Callable[[], object]], rounds: int, name: str) -> np.ndarray:
    r"""Seconds, shape (rounds, variants), after three rounds that are not counted."""
    seconds = np.empty((rounds + 3, len(variants)))
    for row in tqdm(seconds, desc=name, unit="round"):
        for column, run in enumerate(variants):
            begin = time.perf_counter()
            run()
            row[column] = time.perf_counter() - begin
    return seconds[3:]


def measure(problem: dict, rounds: int) -> dict:
    runs = [run for run, *_ in problem["variants"].values()]
    seconds = time_in_turns(runs, rounds, problem["name"].partition(":")[0])
    rows = [
        {
            "variant": name,
            "milliseconds": quartiles(1e3 * seconds[:, column], 3),
            "time_over_ours": quartiles(seconds[:, column] / seconds[:, 0], 2),
            "goal": goal,
            "distance": distance,
        }
        for column, (name, (_, goal, distance)) in enumerate(problem["variants"].items())
    ]
    kept = {key: problem[key] for key in ("name", "distance")}
    return kept | {"rounds": rounds, "rows": rows}


def estimate(name: str, share: float) -> dict:
    r"""Run in a fresh process: one entry of MEMORY_RUNS, with a share of its draws."""
    num_points, num_samples = MEMORY_RUNS[name]
    num_samples = round(share * num_samples)
    result = {"name": name, "points": num_points, "draws": num_samples}
    begin = time.perf_counter()
    if name.startswith("linear"):
        torch.manual_seed(SEED)
        model = LinearGaussian(0.2 * torch.randn(DIM, LATENT), torch.zeros(DIM), 0.5)
        x, _ = model.sample(num_points)
        posterior = model.posterior(x)
        proposal = MultivariateNormal(posterior.loc, scale_tril=1.1 * posterior.scale_tril)
        found = importance_log_marginal(x, model.log_joint, proposal, num_samples)
        result["largest_error_nats"] = (found - model.log_marginal(x)).abs().max().item()
    elif num_points:
        network, x = make_network().requires_grad_(False), make_images(num_points)
        options = {"num_samples": num_samples, "chunk_size": CHUNK}
        importance_log_marginal(x, network.log_joint, network(x), **options)
    return result | {"seconds": round(time.perf_counter() - begin, 1), "peak_mb": peak_mb()}


def peak_mb() -> int:
    r"""The largest resident memory of this process so far (Linux), since it began its program.

    `resource.getrusage` would count what the parent had at the fork.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("VmHWM")]
    return round(int(line.split()[1]) * 1024 / 1e6)


def measure_memory(share: float) -> list[dict]:
    rows = []
    for name in tqdm(MEMORY_RUNS, desc="memory", unit="process"):
        command = [sys.executable, __file__, "--estimate", name, "--memory-share", str(share)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--memory-share", type=float, default=1.0, help="share of the draws")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--estimate", choices=MEMORY_RUNS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.estimate:
        print(json.dumps(estimate(options.estimate, options.memory_share)))
        return
    result = {
        "title": "Importance sampling and IWAE",
        "conditions": conditions(PACKAGES, seed=SEED),
        "problems": [measure(problem, options.rounds) for problem in make_problems()],
        "memory_bound_mb": MEMORY_BOUND_MB,
        "memory": measure_memory(options.memory_share),
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
