r"""EM for Gaussian mixtures, side by side with scikit-learn and pomegranate.

Every variant fits the same points from the same start for the same number of steps, with full
covariances and nothing added to them; the whole fit is timed, from the model's construction to its
parameters. Variants take turns within a round, in one process, and each ratio is the median of the
ratios within rounds, so that what disturbs the machine disturbs all of them. `python
benchmarks/gmm.py` writes results/gmm.json; `python benchmarks/table.py` makes the table.
"""

import argparse
import json
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from conditions import conditions, quartiles
from pomegranate.distributions import Normal
from pomegranate.gmm import GeneralMixtureModel
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as SklearnMixture
from torch import Tensor
from tqdm import tqdm

from course_lib.data import old_faithful
from course_lib.fast_em import fit_em_fast
from course_lib.mixture import MixtureParams, fit_em, init_params, log_likelihood

RESULTS = Path(__file__).parent / "results" / "gmm.json"
SEED = 0
SKLEARN = "scikit-learn GaussianMixture, float64"
POMEGRANATE = "pomegranate GeneralMixtureModel, float64"
POMEGRANATE_SINGLE = "pomegranate GeneralMixtureModel, float32"
FAST, READABLE = "course_lib.fast_em, float64", "course_lib.mixture (the readable EM), float64"


@dataclass(frozen=True, kw_only=True)
class Problem:
    r"""Points, a start, a number of steps, and how much faster than each peer we mean to be."""

    name: str
    x: Tensor
    start: MixtureParams
    num_steps: int
    rounds: int
    goals: dict[str, float]


def make_problems(small_rounds: int, large_rounds: int) -> list[Problem]:
    generator = torch.Generator().manual_seed(SEED)
    small = old_faithful()
    centres = 4 * torch.randn(10, 8, generator=generator, dtype=torch.float64)
    shape = torch.randn(10, 8, 8, generator=generator, dtype=torch.float64) / math.sqrt(8)
    labels = torch.randint(10, (100_000,), generator=generator)
    noise = torch.randn(100_000, 8, 1, generator=generator, dtype=torch.float64)
    large = centres[labels] + (shape[labels] @ noise)[..., 0] + 0.3 * noise.flip(1)[..., 0]
    return [
        Problem(
            name="Old Faithful: K = 2, 272 × 2, 50 steps",
            x=small,
            start=init_params(small, 2, generator=generator),
            num_steps=50,
            rounds=small_rounds,
            goals={SKLEARN: 4.0},
        ),
        Problem(
            name="Ten clusters: K = 10, 100 000 × 8, 10 steps",
            x=large,
            start=init_params(large, 10, generator=generator),
            num_steps=10,
            rounds=large_rounds,
            goals={SKLEARN: 10.0, POMEGRANATE: 6.0},
        ),
    ]


def fit_fast(problem: Problem) -> MixtureParams:
    options = {"max_steps": problem.num_steps, "tolerance": -math.inf}
    return fit_em_fast(problem.x, problem.start, **options).params


def fit_readable(problem: Problem) -> MixtureParams:
    options = {"max_steps": problem.num_steps, "tolerance": -math.inf, "min_variance": 0.0}
    return fit_em(problem.x, problem.start, **options).params


def run_sklearn(problem: Problem) -> SklearnMixture:
    start = problem.start
    model = SklearnMixture(
        start.num_components,
        tol=0.0,
        reg_covar=0.0,
        max_iter=problem.num_steps,
        weights_init=start.weights.numpy(),
        means_init=start.loc.numpy(),
        precisions_init=torch.linalg.inv(start.covariance).numpy(),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of steps is fixed
        return model.fit(problem.x.numpy())


def fit_sklearn(problem: Problem) -> MixtureParams:
    model = run_sklearn(problem)
    fields = (model.weights_, model.means_, model.covariances_)
    weights, loc, covariance = (torch.as_tensor(field) for field in fields)
    return MixtureParams(weights=weights, loc=loc, covariance=covariance)


def fit_pomegranate(problem: Problem, dtype: torch.dtype = torch.float64) -> MixtureParams:
    x, start = problem.x.to(dtype), problem.start.to(dtype)
    components = [
        Normal(loc, covariance, min_cov=0.0)
        for loc, covariance in zip(start.loc.clone(), start.covariance.clone(), strict=True)
    ]
    model = GeneralMixtureModel(
        components, priors=start.weights.clone(), max_iter=problem.num_steps, tol=-math.inf
    ).fit(x)
    return MixtureParams(
        weights=model.priors.detach().double(),
        loc=torch.stack([component.means for component in components]).detach().double(),
        covariance=torch.stack([component.covs for component in components]).detach().double(),
    )


VARIANTS: dict[str, Callable[[Problem], MixtureParams]] = {
    FAST: fit_fast,
    READABLE: fit_readable,
    SKLEARN: fit_sklearn,
    POMEGRANATE: fit_pomegranate,
    POMEGRANATE_SINGLE: partial(fit_pomegranate, dtype=torch.float32),
}


def time_in_turns(problem: Problem) -> np.ndarray:
    r"""Seconds, shape (rounds, variants), after one round that is not counted."""
    seconds = np.empty((problem.rounds + 1, len(VARIANTS)))
    for row in tqdm(seconds, desc=problem.name.partition(":")[0], unit="round"):
        for column, fit in enumerate(VARIANTS.values()):
            begin = time.perf_counter()
            fit(problem)
            row[column] = time.perf_counter() - begin
    return seconds[1:]


def measure(problem: Problem) -> dict:
    seconds = time_in_turns(problem)
    reference = _per_point(problem, fit_sklearn(problem))
    rows = []
    for column, (name, fit) in enumerate(VARIANTS.items()):
        ratio = quartiles(seconds[:, column] / seconds[:, 0], 2)
        rows.append(
            {
                "variant": name,
                "milliseconds": quartiles(1e3 * seconds[:, column], 3),
                "time_over_ours": ratio,
                "goal": problem.goals.get(name),
                "log_likelihood_minus_sklearns": _per_point(problem, fit(problem)) - reference,
            }
        )
    return {
        "name": problem.name,
        "rounds": problem.rounds,
        "lower_bound_difference_to_sklearn": _lower_bound_difference(problem),
        "rows": rows,
    }


def _per_point(problem: Problem, params: MixtureParams) -> float:
    return log_likelihood(problem.x, params).item() / len(problem.x)


def _lower_bound_difference(problem: Problem) -> float:
    r"""scikit-learn's `lower_bound_` belongs to the parameters before its last M step."""
    ours = fit_em_fast(
        problem.x, problem.start, max_steps=problem.num_steps - 1, tolerance=-math.inf
    )
    return ours.log_likelihoods[-1].item() / len(problem.x) - run_sklearn(problem).lower_bound_


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--small-rounds", type=int, default=25)
    parser.add_argument("--large-rounds", type=int, default=7)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    result = {"title": "EM for Gaussian mixtures", "conditions": conditions(seed=SEED)}
    result["problems"] = [
        measure(problem) for problem in make_problems(options.small_rounds, options.large_rounds)
    ]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
