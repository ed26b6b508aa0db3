r"""Disentanglement of sprites: VAE, β-VAE and β-TCVAE from several seeds; the rate of rendering.

All 92 160 pictures of 32 × 32 pixels; `DeepConvVAE` with ten latent dimensions and a Bernoulli
likelihood; Adam with batches of 128. The three measures are `course_lib.disentanglement`'s, which a
test holds to disentanglement_lib's definitions: MIG from histograms with 20 bins, the FactorVAE
score from 10 000 votes of 64 points, DCI from random forests (there: boosted trees, so this column
cannot be laid beside published ones); posterior means of 10 000 points, five factors. The clock
stops while a model is measured.

`python benchmarks/beta_vae.py` is 15 runs of 3800 steps (17 ms a step on two cores); it may be
stopped, and goes on from its checkpoints. `--models`, `--seeds`, `--steps` and the like choose
others. A row is written to results/beta_vae.json after each run. Runs that are there with the same
settings are not done again (remove the file for that); other settings start a new table.
`python benchmarks/table.py` makes the tables.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from conditions import conditions, quartiles
from curve import Curve
from torch import Tensor, nn
from vae import has_amx

from course_lib.beta_vae import DeepConvVAE, beta_tc_loss, rate_distortion
from course_lib.data import FactorSet, sprites
from course_lib.disentanglement import dci, factor_vae_score, mig
from course_lib.training import TrainSettings, constant, cosine, train
from course_lib.vae import negative_elbo

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results" / "beta_vae.json"
CHECKPOINTS = FOLDER / ".checkpoints"
PACKAGES = ("torch", "numpy", "scikit-learn")
SEED, LATENT, PARTS = 0, 10, 8  # points of a curve
NUM_TRAIN, NUM_TEST = 10_000, 5_000  # points that the measures see
GOAL_MIG, GOAL_SECONDS, RENDER_GOAL = 0.2, 70, 5.0
MODELS = {"vae": (1.0, False), "beta-vae": (4.0, False), "beta-tcvae": (5.0, True)}
SCHEDULES = {"constant": constant, "cosine": cosine}


@dataclass(frozen=True, kw_only=True)
class Settings:
    r"""What the runs of a table share."""

    steps: int
    width: int
    batch: int
    learning_rate: float
    schedule: str
    precision: str


def loss_of(model: str, num_points: int) -> Callable[[DeepConvVAE, Tensor], Tensor]:
    beta, is_total_correlation = MODELS[model]

    def loss(vae: DeepConvVAE, pixels: Tensor) -> Tensor:
        x = pixels.float() / 255  # a quarter of the memory, if the data stays in bytes
        if is_total_correlation:
            return beta_tc_loss(vae, x, num_points, beta=beta).mean()
        return negative_elbo(vae, x, beta=beta).mean()

    return loss


@torch.no_grad()
def encode(vae: DeepConvVAE, data: FactorSet) -> Tensor:
    return torch.cat([vae.encode(part / 255) for part in data.images.flatten(1).split(1000)])


def mig_of(vae: nn.Module, data: FactorSet) -> dict:
    return {"mig": round(mig(encode(vae, data), data.factors), 4)}


def measures(vae: DeepConvVAE, points: FactorSet, test: FactorSet) -> dict:
    r"""All three measures, and where the model stands between rate and distortion."""
    codes, test_codes = encode(vae, points), encode(vae, test)
    generator = torch.Generator().manual_seed(SEED)
    score = factor_vae_score(codes, points.factors, generator=generator)
    parts = dci(codes, points.factors, test_codes, test.factors, seed=SEED)
    rate, distortion = rate_distortion(vae, points.flat(), generator=generator)
    found = {"mig": mig(codes, points.factors), "factor_vae": score, **parts._asdict()}
    return {name: round(value, 4) for name, value in found.items()} | {
        "rate": round(rate, 2),
        "distortion": round(distortion, 2),
    }


def run(model: str, seed: int, settings: Settings, data: FactorSet, folder: Path) -> dict:
    print(f"{model}, seed {seed}", flush=True)
    generator = torch.Generator().manual_seed(SEED)
    order = torch.randperm(len(data), generator=generator)
    points = data.take(order[:NUM_TRAIN])
    test = data.take(order[NUM_TRAIN : NUM_TRAIN + NUM_TEST])
    torch.manual_seed(seed)
    vae = DeepConvVAE(LATENT, size=32, width=settings.width)
    every = max(1, settings.steps // PARTS)
    shared = (settings.width, settings.batch, settings.learning_rate, settings.schedule)
    key = "-".join(map(str, (model, seed, settings.steps, *shared, settings.precision)))
    curve = Curve(folder / f"{key}.jsonl", partial(mig_of, data=points), every)
    train(
        vae,
        loss_of(model, len(data)),
        (data.images.flatten(1),),
        TrainSettings(
            num_steps=settings.steps,
            batch_size=settings.batch,
            learning_rate=settings.learning_rate,
            schedule=SCHEDULES[settings.schedule],
            precision=settings.precision,
            seed=seed,
            accelerator="cpu",
            checkpoint=folder / f"{key}.pt",
            checkpoint_every=every,
            progress=False,
        ),
        callback=curve,
    )
    found = measures(vae, points, test)
    print(f"  {found}", flush=True)
    return {
        "model": model,
        "beta": MODELS[model][0],
        "seed": seed,
        "seconds": curve.entries[-1]["seconds"],
        "curve": curve.entries,
        **found,
    }


def measure_rendering(rounds: int) -> dict:
    seconds = []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        count = len(sprites())
        seconds.append(time.perf_counter() - begin)
    return {
        "count": count,
        "rounds": rounds,
        "seconds": quartiles(seconds[1:], 3),  # the first warms up
        "goal": RENDER_GOAL,
    }


def load(path: Path, settings: Settings) -> dict:
    r"""What an earlier call with the same settings has written, or the frame for it."""
    frame = {
        "title": "Disentanglement of sprites",
        "settings": asdict(settings),
        "goal_mig": GOAL_MIG,
        "goal_seconds": GOAL_SECONDS,
        "rows": [],
    }
    before = json.loads(path.read_text()) if path.exists() else {}
    return before if before.get("settings") == frame["settings"] else frame


def save(path: Path, result: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--steps", type=int, default=3800)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--schedule", choices=SCHEDULES, default="constant")
    precision = "bf16-mixed" if has_amx() else "32-true"
    parser.add_argument("--precision", default=precision)
    parser.add_argument("--rounds", type=int, default=15, help="of rendering")
    parser.add_argument("--limit", type=int, help="train on so few images, to try it out")
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    names = Settings.__dataclass_fields__
    settings = Settings(**{name: getattr(options, name) for name in names})
    result = load(options.output, settings)
    result["conditions"] = conditions(PACKAGES, seed=SEED)
    result["rendering"] = measure_rendering(options.rounds)
    data = sprites(options.limit)
    for seed in options.seeds:
        for model in options.models:
            if any((one["model"], one["seed"]) == (model, seed) for one in result["rows"]):
                print(f"{model}, seed {seed}: measured before", flush=True)
                continue
            row = run(model, seed, settings, data, options.checkpoints)
            result["rows"].append(row)
            result["rows"].sort(key=lambda one: (list(MODELS).index(one["model"]), one["seed"]))
            save(options.output, result)


if __name__ == "__main__":
    main()
