r"""The section of benchmarks/README.md on vector quantisation."""

from markdown_text import conditions_line, spread, table

KINDS = {"averages": "moving averages", "gradient": "gradient"}


def vq_section(result: dict) -> str:
    r"""The conditions, the two tables of times, the memory, and the training."""
    parts = [conditions_line(result["conditions"])]
    if result["missing"]:
        parts.append(f"Not installed, so not measured: {', '.join(result['missing'])}.")
    size = result["size"]
    title = (
        f"**Forward and backward, N = {size['points']}, M = {size['dim']}, K = {size['codes']}.** "
        f"Medians of {result['rounds']} rounds, quartiles in brackets."
    )
    kept = "**The same, with memory kept between steps** (`MALLOC_TRIM_THRESHOLD_` and its like)."
    parts += [title, _speed(result["speed"]), kept, _speed(result["speed_memory_kept"])]
    memory = (
        f"**Memory.** Peak of one step over what was there before it, {result['memory_points']} "
        "vectors, in MB."
    )
    rows = [[row["variant"], str(row["peak_mb"])] for row in result["memory"]]
    parts += [memory, table(["in a fresh process", "peak memory (MB)"], rows)]
    return "\n\n".join([*parts, _training(result["training"])])


def _speed(rows: list[dict]) -> str:
    header = ["variant", "codebook", "milliseconds", "time over ours", "goal", "same code"]
    cells = [
        [
            row["variant"],
            KINDS[row["kind"]],
            spread(row["milliseconds"]),
            spread(row["time_over_ours"]),
            "" if row["goal"] is None else f"≥ {row['goal']:g}",
            f"{100 * row['agreement']:.2f} %",
        ]
        for row in rows
    ]
    return table(header, cells)


def _training(part: dict) -> str:
    goals = part["goals"]
    title = (
        f"**VQ-VAE, 28 × 28 → 7 × 7 codes.** {part['images']} images, batches of "
        f"{part['batch_size']}. The goal is an NMSE of at most {goals['nmse']:g} on the test "
        f"images with at least {goals['codes_in_use']} codes in use within {goals['seconds']} s of "
        "training."
    )
    rows = [
        [
            str(entry["step"]),
            f"{entry['seconds']:g}",
            f"{entry['nmse']:.4f}",
            f"{entry['perplexity']:.0f}",
            str(entry["codes_in_use"]),
        ]
        for entry in part["curve"]
    ]
    header = ["steps", "seconds of training", "NMSE", "perplexity", "codes in use"]
    return title + "\n\n" + table(header, rows)
