"""Puts numbers, lists and nothing where a notebook has text and dictionaries."""

KIND = "notebook"
GAINS = "stop"


def edit(notebook: dict) -> None:
    odd = [None, 7, [], {}, [[["x"]]], True]
    for number, cell in enumerate(notebook["cells"]):
        key = ("source", "metadata", "cell_type", "outputs", "id")[number % 5]
        cell[key] = odd[number % len(odd)]
