r"""`python -m course_lib.data`: list the data sets, fetch what can be fetched, show pictures."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from course_lib.data import gallery
from course_lib.data.fashion_mnist import fashion_mnist, full_set_source
from course_lib.data.idx import DataError

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The data sets of the course.")
Name = Annotated[str, typer.Argument(help="A name that `list` gives.")]


@app.command("list")
def list_sets() -> None:
    """Say which data sets there are, and which of them are here."""
    where = _or_exit(full_set_source)
    full = f"all 70000, from {where}" if where else "10000 + 2000 of them; `fetch` gets all 70000"
    table = Table("name", "what", "here?")
    for name, entry in gallery.SETS.items():
        here = "yes" if entry.here else "if you have it: --root FOLDER"
        table.add_row(name, entry.what, full if name == "fashion_mnist" else here)
    Console().print(table)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="Only fashion_mnist can be fetched.")],
) -> None:
    """Download a data set from its publisher into your cache (30 MB), unless it is here already."""
    if name != "fashion_mnist":
        raise typer.BadParameter(
            f"{name} cannot be fetched. Only fashion_mnist can: the others are in the package, or "
            "come under terms that you must accept yourself (docs/data.md says where they are)."
        )
    for split in ("train", "test"):
        data = _or_exit(lambda split=split: fashion_mnist(split, fetch=True))
        print(data.source)


@app.command()
def show(
    name: Name,
    split: Annotated[str, typer.Option(help="train or test.")] = "train",
    num: Annotated[int, typer.Option(min=1, max=400, help="How many examples.")] = 16,
    root: Annotated[
        Path | None, typer.Option(help="Folder of your own files: mnist, omniglot, celeba.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write a picture file instead, such as a .png.")
    ] = None,
) -> None:
    """Show the first examples of a data set, in the terminal or as a picture file."""
    if name not in gallery.SETS:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(gallery.SETS)}")
    if gallery.SETS[name].here is False and root is None:
        raise typer.BadParameter(f"{name} needs --root, the folder of your own files")
    images, source = _or_exit(lambda: gallery.examples(name, num, split=split, root=root))
    console = Console()
    if save is not None:
        columns = min(num, 8)
        sheet = gallery.contact_sheet(images, columns)
        _or_exit(lambda: gallery.save_picture(sheet, save))
        print(f"{save}: {source}")
    elif console.is_terminal and console.color_system:
        columns = max(1, min(num, console.width // (images.shape[-1] + gallery.GAP)))
        console.print(gallery.terminal_picture(gallery.contact_sheet(images, columns)))
        console.print(source, highlight=False)
    else:
        _stop("This is no terminal with colours; write a picture file with --save NAME.png.")


def _or_exit(action):
    r"""What the action returns; its problems as one message and exit code 1, without a trace."""
    try:
        return action()
    except (DataError, ValueError, OSError) as error:
        _stop(str(error))


def _stop(message: str) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app(prog_name="python -m course_lib.data")
