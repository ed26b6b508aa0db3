r"""A vector quantiser, side by side with pythae, lucidrains and the one-hot code of many notebooks.

All quantise the same 8 192 vectors of 64 values with the same 512 codes, in float32, forward and
backward, in training mode: the straight-through gradient of a fixed upstream one, the losses, and
the moving averages where the codebook is one. Ours is `course_lib.quantizer`, checks and revival
included. Variants take turns within a round, in one process; each ratio is the median of the ratios
within rounds, to ours of the same kind of codebook. The whole is measured twice, as it comes and
with glibc told to keep the memory it once had. The last column says how many vectors got the code
that double precision would choose.

Memory is the peak of a fresh process over what it had before the first step, with sixteen times
as many vectors. The last part trains a VQ-VAE and says after how many seconds of training how good
it was. `python benchmarks/vq.py` writes results/vq.json; `python benchmarks/table.py` makes the
table. A peer that is not installed is left out, and named.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from conditions import conditions, quartiles
from estimators import peak_mb
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from course_lib.data import fashion_mnist
from course_lib.quantizer import EMAQuantizer, Quantizer, codes_in_use, perplexity
from course_lib.training import TrainSettings, cosine, train
from course_lib.vq_vae import VQVAE, encode_dataset, nmse, vq_vae_loss

RESULTS = Path(__file__).parent / "results" / "vq.json"
MODULES = {"pythae": "pythae", "vector-quantize-pytorch": "vector_quantize_pytorch"}
SEED = 0
NUM_POINTS, DIM, NUM_CODES = 8192, 64, 512
BETA, DECAY = 0.25, 0.99
MEMORY_FACTOR = 16
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
    "MALLOC_TOP_PAD_": str(2**28),
}
NUM_STEPS, BATCH_SIZE, LEARNING_RATE = 1200, 64, 2e-3
GOAL_NMSE, GOAL_USED, GOAL_SECONDS = 0.05, 500, 45
Run = Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]  # z (N, M) to z_q, indices, loss


class OneHot(nn.Module):
    r"""The common code: all distances at once, a one-hot matrix, two products with it."""

    def __init__(self, codebook: Tensor, *, ema: bool) -> None:
        super().__init__()
        self.ema, self.codebook = ema, nn.Parameter(codebook.clone(), requires_grad=not ema)
        self.register_buffer("size", torch.ones(len(codebook)))
        self.register_buffer("sums", codebook.clone())

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        distances = z.square().sum(1, keepdim=True) + self.codebook.square().sum(1)
        distances = distances - 2 * z @ self.codebook.T
        indices = distances.argmin(1)
        one_hot = functional.one_hot(indices, len(self.codebook)).to(z.dtype)
        z_q = one_hot @ self.codebook
        loss = BETA * functional.mse_loss(z_q.detach(), z)
        if self.ema:
            with torch.no_grad():
                self.size.mul_(DECAY).add_(one_hot.sum(0), alpha=1 - DECAY)
                self.sums.mul_(DECAY).add_(one_hot.T @ z, alpha=1 - DECAY)
                self.codebook.copy_(self.sums / self.size.unsqueeze(1))
        else:
            loss = loss + functional.mse_loss(z_q, z.detach())
        return z + (z_q - z).detach(), indices, loss


def ours(kind: type[Quantizer], codebook: Tensor) -> Run:
    quantizer = kind(NUM_CODES, DIM, beta=BETA, start_from_data=False)
    with torch.no_grad():
        quantizer.codebook.copy_(codebook)

    def run(z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        z_q, indices, loss = quantizer(z)
        return z_q, indices, loss.mean() / DIM  # the others average over the values, too

    return run


def pythae(codebook: Tensor, *, ema: bool) -> Run:
    from pythae.models import VQVAEConfig
    from pythae.models.vq_vae.vq_vae_utils import Quantizer as Gradient
    from pythae.models.vq_vae.vq_vae_utils import QuantizerEMA

    config = VQVAEConfig(input_dim=(1, 8, 8), latent_dim=DIM, num_embeddings=NUM_CODES)
    config.embedding_dim, config.commitment_loss_factor, config.decay = DIM, BETA, DECAY
    quantizer = (QuantizerEMA if ema else Gradient)(config)
    with torch.no_grad():
        weights = quantizer.embeddings if ema else quantizer.embeddings.weight
        weights.copy_(codebook)
        if ema:  # it starts with sizes of 0
            quantizer.ema_embed.copy_(codebook)
            quantizer.cluster_size.fill_(1.0)

    def run(z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        output = quantizer(z.reshape(-1, 8, 8, DIM))  # it puts the values of a vector second
        z_q = output.quantized_vector.permute(0, 2, 3, 1).reshape(z.shape)
        return z_q, output.quantized_indices.flatten(), output.loss

    return run


def lucidrains(codebook: Tensor, **options: bool) -> Run:
    from vector_quantize_pytorch import VectorQuantize

    settings = {"decay": DECAY, "commitment_weight": BETA} | options
    quantizer = VectorQuantize(DIM, NUM_CODES, **settings)
    with torch.no_grad():
        held = quantizer._codebook
        held.embed.copy_(codebook)
        held.embed_avg.copy_(codebook)
        held.cluster_size.fill_(1.0)

    def run(z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        z_q, indices, loss = quantizer(z[None])
        return z_q[0], indices[0], loss.sum()

    return run


def make_variants(codebook: Tensor) -> dict[str, tuple[Callable[[], Run], str, float | None]]:
    r"""How to make each, the kind of its codebook, and the ratio that we mean to reach."""
    learnable = {"learnable_codebook": True, "ema_update": False, "rotation_trick": False}
    variants = {
        "course_lib, EMAQuantizer": (lambda: ours(EMAQuantizer, codebook), "averages", None),
        "one-hot, averages": (lambda: OneHot(codebook, ema=True), "averages", 3.0),
        "pythae, QuantizerEMA": (lambda: pythae(codebook, ema=True), "averages", 3.0),
        "lucidrains, VectorQuantize": (lambda: lucidrains(codebook), "averages", 5.0),
        "lucidrains, without rotation trick": (
            lambda: lucidrains(codebook, rotation_trick=False),
            "averages",
            5.0,
        ),
        "course_lib, Quantizer": (lambda: ours(Quantizer, codebook), "gradient", None),
        "one-hot, gradient": (lambda: OneHot(codebook, ema=False), "gradient", 3.0),
        "pythae, Quantizer": (lambda: pythae(codebook, ema=False), "gradient", 3.0),
        "lucidrains, learnable codebook": (
            lambda: lucidrains(codebook, **learnable),
            "gradient",
            5.0,
        ),
    }
    words = {"pythae": "pythae", "lucidrains": "vector_quantize_pytorch"}
    return {
        name: variant
        for name, variant in variants.items()
        if installed(words.get(name.partition(",")[0], "torch"))
    }


def problem(factor: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    r"""Vectors, codes, and an upstream gradient."""
    generator = torch.Generator().manual_seed(SEED)
    shapes = ((factor * NUM_POINTS, DIM), (NUM_CODES, DIM), (factor * NUM_POINTS, DIM))
    z, codebook, upstream = (torch.randn(shape, generator=generator) for shape in shapes)
    return z.requires_grad_(), codebook, upstream / len(z)


def step(run: Run, z: Tensor, upstream: Tensor) -> Tensor:
    r"""Forward and backward; returns the indices."""
    z.grad = None
    z_q, indices, loss = run(z)
    torch.autograd.backward([z_q, loss], [upstream, None])
    return indices


def measure_speed(rounds: int) -> list[dict]:
    z, codebook, upstream = problem()
    exact = torch.cdist(z.detach().double(), codebook.double()).argmin(1)
    variants = make_variants(codebook)
    runs = {name: make() for name, (make, _, _) in variants.items()}
    agreement = {
        name: (step(run, z, upstream) == exact).double().mean() for name, run in runs.items()
    }
    found = np.empty((rounds + 2, len(runs)))  # two rounds are not counted
    for row in tqdm(found, desc="speed", unit="round"):
        for column, run in enumerate(runs.values()):
            begin = time.perf_counter()
            step(run, z, upstream)
            row[column] = time.perf_counter() - begin
    seconds = dict(zip(runs, found[2:].T, strict=True))
    own = {kind: name for name, (_, kind, goal) in variants.items() if goal is None}
    return [
        {
            "variant": name,
            "kind": kind,
            "milliseconds": quartiles(1e3 * seconds[name], 3),
            "time_over_ours": quartiles(seconds[name] / seconds[own[kind]], 2),
            "goal": goal,
            "agreement": round(agreement[name].item(), 5),
        }
        for name, (_, kind, goal) in variants.items()
    ]


def measure_memory(name: str) -> dict:
    r"""In a fresh process: the peak of one step, over what importing and the data take."""
    z, codebook, upstream = problem(MEMORY_FACTOR)
    run = make_variants(codebook)[name][0]()
    small = slice(0, 64)
    step(run, z.detach()[small].clone().requires_grad_(), upstream[small])  # libraries load late
    before = peak_mb()
    step(run, z, upstream)
    return {"variant": name, "peak_mb": peak_mb() - before}


def apart(*arguments: str, environment: dict[str, str] | None = None) -> list | dict:
    r"""What this program prints in a process of its own."""
    command = [sys.executable, __file__, *arguments]
    variables = os.environ | (environment or {})
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=variables)
    return json.loads(done.stdout.splitlines()[-1])


def train_model(num_steps: int) -> dict:
    r"""Train, and every eighth of the way say how long it took and how good the model is."""
    x, test = (fashion_mnist(split).flat() for split in ("train", "test"))
    torch.manual_seed(SEED)
    model, curve = VQVAE(NUM_CODES, latent_dim=DIM), []
    clock = {"seconds": 0.0, "since": time.perf_counter()}

    def note(step: int, model: VQVAE, value: Tensor) -> None:
        if step % max(1, num_steps // 8) and step != num_steps:
            return
        clock["seconds"] += time.perf_counter() - clock["since"]  # evaluation is not training
        codes = encode_dataset(model, test)
        entry = {
            "step": step,
            "seconds": round(clock["seconds"], 1),
            "nmse": round(nmse(model, test), 4),
            "perplexity": round(perplexity(codes, NUM_CODES), 1),
            "codes_in_use": codes_in_use(codes, NUM_CODES),
        }
        curve.append(entry)
        clock["since"] = time.perf_counter()

    settings = TrainSettings(
        num_steps=num_steps,
        batch_size=BATCH_SIZE,
        learning_rate=LEARNING_RATE,
        schedule=cosine,
        accelerator="cpu",
    )
    clock["since"] = time.perf_counter()
    train(model, lambda model, x: vq_vae_loss(model, x).mean(), (x,), settings, callback=note)
    goals = {"nmse": GOAL_NMSE, "codes_in_use": GOAL_USED, "seconds": GOAL_SECONDS}
    return {"images": len(x), "batch_size": BATCH_SIZE, "goals": goals, "curve": curve}


def installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--steps", type=int, default=NUM_STEPS, help="of training the VQ-VAE")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--only-speed", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--only-memory", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_speed or options.only_memory:
        found = (
            measure_speed(options.rounds)
            if options.only_speed
            else measure_memory(options.only_memory)
        )
        print(json.dumps(found))
        return
    present = [name for name, module in MODULES.items() if installed(module)]
    rounds = ["--only-speed", "--rounds", str(options.rounds)]
    names = make_variants(torch.zeros(NUM_CODES, DIM))
    result = {
        "title": "A vector quantiser and a VQ-VAE",
        "conditions": conditions(["torch", "numpy", *present], seed=SEED),
        "missing": sorted(set(MODULES) - set(present)),
        "size": {"points": NUM_POINTS, "dim": DIM, "codes": NUM_CODES},
        "rounds": options.rounds,
        "speed": apart(*rounds),
        "speed_memory_kept": apart(*rounds, environment=KEEP_MEMORY),
        "memory_points": MEMORY_FACTOR * NUM_POINTS,
        "memory": [apart("--only-memory", name) for name in tqdm(names, desc="memory")],
        "training": train_model(options.steps),
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
