r"""The section of benchmarks/README.md on the gated PixelCNN."""

from markdown_text import conditions_line, spread, table


def pixelcnn_section(result: dict) -> str:
    r"""What was measured, each part under its own conditions."""
    parts = {"step": _step, "sampling": _sampling, "prior": _prior}
    texts = [
        f"{text(result[name])}\n\n{conditions_line(result[name]['conditions'])}"
        for name, text in parts.items()
        if name in result
    ]
    return "\n\n".join(texts)


def _step(part: dict) -> str:
    title = (
        f"**A training step on 128 maps.** Medians of {part['rounds']} rounds, quartiles in "
        "brackets."
    )
    has_half = any(row["time_over_ours_bf16"] for row in part["rows"])
    half = ["time over ours in bf16"] if has_half else []
    rows = [
        [
            row["variant"],
            spread(row["milliseconds"]),
            spread(row["time_over_ours"]),
            *map(spread, row["time_over_ours_bf16"]),
            _at_least(row["goal"]),
            "" if row["distance"] is None else f"{row['distance']:.0e}",
        ]
        for row in part["rows"]
    ]
    header = ["variant", "milliseconds", "time over ours", *half, "goal", "largest difference"]
    without = "" if has_half else " This CPU does not multiply bfloat16, so that row is left out."
    return title + without + "\n\n" + table(header, rows)


def _sampling(part: dict) -> str:
    title = (
        f"**Drawing {part['maps']} maps.** Medians of {part['rounds']} rounds, quartiles in "
        "brackets."
    )
    rows = [
        [
            row["variant"],
            spread(row["milliseconds_each"]),
            spread(row["time_over_ours"]),
            _at_least(row["goal"]),
            f"{row['maps_as_ours']} of {part['maps']}",
        ]
        for row in part["rows"]
    ]
    header = ["variant", "milliseconds for one map", "time over ours", "goal", "same maps"]
    return title + "\n\n" + table(header, rows)


def _prior(part: dict) -> str:
    vq_vae = part["vq_vae"]
    title = (
        f"**The prior of a VQ-VAE.** Codes of Fashion-MNIST from {vq_vae['steps']} steps of a "
        f"VQ-VAE ({vq_vae['seconds']:g} s, NMSE {vq_vae['nmse']:g}). Nats per test map, in "
        f"float32; trained with {part['precision']}. The goal is {part['goal']:g} nats within "
        f"{part['goal_seconds']} s. {part['maps']} maps were drawn in "
        f"{part['sampling_seconds']:g} s afterwards."
    )
    rows = [[name, "", "", f"{nats:.1f}"] for name, nats in part["nats"].items()]
    rows += [
        ["PixelCNN", str(entry["step"]), f"{entry['seconds']:g}", f"{entry['nats']:.1f}"]
        for entry in part["curve"]
    ]
    return title + "\n\n" + table(["prior", "steps", "seconds", "nats per map"], rows)


def _at_least(goal: float | None) -> str:
    return "" if goal is None else f"≥ {goal:g}"
