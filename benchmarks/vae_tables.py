r"""The sections of benchmarks/README.md on variational autoencoders."""

import statistics

from markdown_text import conditions_line, spread, table

NAMES = {
    "vae": "VAE, standard normal prior",
    "iwae": "IWAE, five draws",
    "mixture": "VAE, mixture prior",
    "vamp": "VAE, VampPrior",
}
DISENTANGLED = {"vae": "VAE", "beta-vae": "β-VAE", "beta-tcvae": "β-TCVAE"}
MEASURES = {
    "mig": "MIG",
    "factor_vae": "FactorVAE score",
    "disentanglement": "DCI disentanglement",
    "completeness": "DCI completeness",
    "rate": "rate (nats)",
    "distortion": "distortion (nats)",
    "seconds": "seconds",
}


def vae_section(result: dict) -> str:
    r"""The conditions, one table per problem, and the curve of the two-dimensional model."""
    parts = [conditions_line(result["conditions"])]
    if result["missing"]:
        parts.append(f"Not installed, so not measured: {', '.join(result['missing'])}.")
    if not result["amx"]:
        parts.append("This CPU does not multiply bfloat16 matrices, so that row is left out.")
    parts += [_problem(problem) for problem in result["problems"]]
    return "\n\n".join([*parts, _two_dimensional(result["two_dimensional"])])


def _problem(problem: dict) -> str:
    title = f"**{problem['name']}.** Medians of {problem['rounds']} rounds, quartiles in brackets."
    header = ["variant", "milliseconds", "time over ours", "goal", "loss (nats per image)"]
    has_half = any(row["time_over_ours_bf16"] for row in problem["rows"])
    if has_half:
        header.insert(3, "time over ours in bf16")
    rows = []
    for row in problem["rows"]:
        cells = [
            row["variant"],
            spread(row["milliseconds"]),
            spread(row["time_over_ours"]),
            "" if row["goal"] is None else f"≥ {row['goal']:g}",
            f"{row['loss']:.1f}",
        ]
        if has_half:
            cells.insert(3, spread(row["time_over_ours_bf16"][0]))
        rows.append(cells)
    return title + "\n\n" + table(header, rows)


def _two_dimensional(part: dict) -> str:
    title = (
        f"**Two latent dimensions.** 784-400-2, {part['images']} images, binarised afresh in every "
        f"batch. The goal is −ELBO ≤ {part['goal']:g} nats on the test images within "
        f"{part['goal_seconds']} s of training."
    )
    rows = [
        [str(entry["step"]), f"{entry['seconds']:g}", f"{entry['negative_elbo']:.2f}"]
        for entry in part["curve"]
    ]
    return title + "\n\n" + table(["steps", "seconds of training", "−ELBO (nats)"], rows)


def nll_section(result: dict) -> str:
    r"""The conditions, a row for each model and length, and the curves thinned to ten points."""
    header = ["model", "epochs", "minutes", "−ELBO", "NLL", "draws, images", "active", "published"]
    rows = [
        [
            NAMES[row["model"]]
            + (f", {row['num_components']} components" if row["num_components"] else ""),
            str(row["epochs"]),
            f"{row['train_seconds'] / 60:.1f}",
            f"{row['negative_elbo']:.2f}",
            f"{row['nll']:.2f} ± {row['nll_standard_error']:.2f}",
            f"{row['eval_samples']}, {row['eval_images']}",
            str(row["active_units"]),
            "" if row["published"] is None else f"{row['published']:.2f}",
        ]
        for row in result["rows"]
    ]
    note = (
        "**Curves.** −ELBO on 2 000 validation images, one draw each, after a tenth, two tenths, … "
        "of the steps."
    )
    curves = [
        [f"{NAMES[row['model']]}, {row['epochs']} epochs", *_tenths(row["curve"])]
        for row in result["rows"]
    ]
    tenths = [f"{tenth}/10" for tenth in range(1, 11)]
    parts = [conditions_line(result["conditions"]), table(header, rows), note]
    return "\n\n".join([*parts, table(["model", *tenths], curves)])


def _tenths(curve: list[dict]) -> list[str]:
    last = curve[-1]["step"]
    found = []
    for tenth in range(1, 11):
        until = [entry for entry in curve if entry["step"] <= last * tenth / 10]
        found.append(f"{until[-1]['validation']:.1f}" if until else "")
    return found


def beta_vae_section(result: dict) -> str:
    r"""The conditions, the spread of each measure over seeds, MIG along the way, and rendering."""
    settings, rendering = result["settings"], result["rendering"]
    title = (
        f"{settings['steps']} steps of {settings['batch']} pictures, width {settings['width']}, "
        f"learning rate {settings['learning_rate']:g} ({settings['schedule']}), "
        f"{settings['precision']}. Median over seeds, smallest and largest in brackets. The goal "
        f"is a median MIG of at least {result['goal_mig']:g} for the β-TCVAE, within "
        f"{result['goal_seconds']} s."
    )
    by_model: dict[tuple[str, float], list[dict]] = {}
    for row in result["rows"]:
        by_model.setdefault((row["model"], row["beta"]), []).append(row)
    rows, curves = [], []
    for (model, beta), runs in by_model.items():
        name = f"{DISENTANGLED[model]}, β = {beta:g}"
        values = [[run[measure] for run in runs] for measure in MEASURES]
        rows.append([name, str(len(runs)), *map(_range, values)])
        along = zip(*[[entry["mig"] for entry in run["curve"]] for run in runs], strict=True)
        curves.append([name, *(f"{statistics.median(migs):.3f}" for migs in along)])
    steps = [str(entry["step"]) for entry in result["rows"][0]["curve"]]
    note = "**Along the way.** Median MIG after so many steps."
    drawn = (
        f"**Rendering.** All {rendering['count']} pictures in {spread(rendering['seconds'])} s "
        f"(goal: {rendering['goal']:g}), "
        f"{rendering['count'] / rendering['seconds']['median']:.0f} pictures per second."
    )
    parts = [conditions_line(result["conditions"]), title]
    parts += [table(["model", "seeds", *MEASURES.values()], rows), note]
    return "\n\n".join([*parts, table(["model", *steps], curves), drawn])


def _range(values: list[float]) -> str:
    return f"{statistics.median(values):.3g} ({min(values):.3g}–{max(values):.3g})"
