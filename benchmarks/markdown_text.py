r"""Markdown from the results: a table, a time with its spread, the conditions of a run."""


def conditions_line(given: dict) -> str:
    r"""One sentence on the machine, the versions and the seed."""
    versions = ", ".join(f"{name} {version}" for name, version in given["versions"].items())
    return (
        f"Measured on {given['date']}: {given['cpu']} ({given['cpu_capability']}), "
        f"{given['cores']} cores, {given['threads']} threads, load average "
        f"{given['load_average_before']} before; Python {given['python']}, {versions}; data seed "
        f"{given['data_seed']}."
    )


def table(header: list[str], rows: list[list[str]]) -> str:
    r"""A table whose columns but the first are numbers."""
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule, *rows])


def spread(quartiles: dict) -> str:
    r"""A median with its quartiles."""
    names = ("median", "lower_quartile", "upper_quartile")
    median, low, high = (
        f"{value:.0f}" if value >= 100 else f"{value:.3g}" for value in map(quartiles.get, names)
    )
    return f"{median} ({low}–{high})"
