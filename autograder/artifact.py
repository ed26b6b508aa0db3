"""Grades a trained model: reads the weights beside a notebook, rebuilds the model, asks it.

Nothing of the student's runs for this. The file is read as safetensors and compared with the
architecture here; the model is rebuilt from the grader's own text in a process where no cell of the
student's ran, so what that process computes can be believed.
"""

import hashlib
import inspect
import os
import stat
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from torch import Tensor, nn

from autograder import registry
from autograder.candidate import LocalCandidate, LocalModule
from autograder.exercise import Artifact, Exercise
from autograder.faults import AnswerError
from autograder.jail.proxy import JailedModule
from autograder.jail.session import Session
from autograder.jail.text import clean
from autograder.verdict import WRONG, Finding, Verdict, examine
from autograder.weights import MAX_BYTES, WeightsError, read_weights

LOADS = "The file of weights can be read and fits the model"
State = dict[str, Tensor]


def path_beside(notebook: Path, exercise: Exercise) -> Path:
    """Where the weights lie that belong to a notebook.

    Beside it, under their own name. Notebooks in one folder that are called after their students
    share that folder, so there the student's name comes first: `ada.ipynb` and `ada.NAME`.
    """
    file = exercise.artifact.file
    return notebook.with_name(file if notebook.stem == exercise.unit else f"{notebook.stem}.{file}")


def read_state(path: Path, artifact: Artifact) -> State:
    """The weights in a file, if they are those of the architecture.

    Raises:
        WeightsError: If the file is missing, damaged or too large, or holds another model; the
            message says what to do.
    """
    if not os.path.lexists(path):
        raise WeightsError(
            f"there is no file {path.name} beside the notebook; train the model, save its weights "
            "with safetensors.torch.save_file(model.state_dict(), path), and hand the file in with "
            "the notebook"
        )
    state = read_weights(path)
    wanted = _shapes(artifact.model)
    for problem, names in (
        ("lacks", [name for name in wanted if name not in state]),
        ("holds the unknown", [name for name in state if name not in wanted]),
    ):
        if names:
            listed = ", ".join(clean(name)[:60] for name in names[:3])
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise WeightsError(
                f"{path.name} {problem} {listed}{more}; save the state_dict of a "
                f"{artifact.model.__name__}() built without arguments"
            )
    for name, shape in wanted.items():
        if tuple(state[name].shape) != shape:
            raise WeightsError(
                f"{name} in {path.name} has the shape {tuple(state[name].shape)}; expected {shape}"
                f": save the state_dict of a {artifact.model.__name__}() built without arguments"
            )
    return state


def local_candidate(exercise: Exercise, answer: Callable) -> LocalCandidate:
    """What the checks of an exercise meet, in this process: a function, or a model with weights."""
    if exercise.artifact is None:
        return LocalCandidate(answer)
    return rebuilt(exercise.artifact, answer())


def rebuilt(artifact: Artifact, state: State) -> LocalModule:
    """The model with these weights, in this process."""
    module = LocalCandidate(artifact.model).construct()
    module.load(state)
    return module


def rebuilt_in(session: Session, artifact: Artifact, state: State) -> JailedModule:
    """The model with these weights in a fresh jailed process.

    Raises:
        AnswerError: If the process does not survive it.
    """
    text = inspect.getsource(sys.modules[artifact.model.__module__])
    if error := session.execute("architecture", text):
        raise RuntimeError(f"the architecture does not run in the jail: {error}")
    module = session.candidate(artifact.model.__name__).construct()
    module.load(state)
    return module


def examine_weights(
    exercise: Exercise, path: Path, seed: int | None = None, session: Session | None = None
) -> Verdict:
    """The verdict on a file of weights.

    Args:
        exercise: What the file answers.
        path: The file.
        seed: Seed of the data; fresh from the operating system without one.
        session: Where the model is evaluated: a jailed process in which nothing ran yet. Without
            one it is this process, for self-checks.
    """
    artifact = exercise.artifact
    try:
        state = read_state(path, artifact)
        if session is None:
            candidate = rebuilt(artifact, state)
        else:
            candidate = rebuilt_in(session, artifact, state)
    except (WeightsError, AnswerError) as error:
        return Verdict(exercise, WRONG, (Finding(LOADS, str(error)),), None, seed or 0)
    return examine(exercise, candidate, seed)


def fingerprint(notebook: Path, unit: str) -> dict[str, str]:
    """SHA-256 of every file of weights that belongs to a notebook, by exercise.

    What cannot be graded (no file, a link, a device, one that is too large) has no digest, but a
    word that says so.
    """
    if unit not in registry.units():
        return {}
    wanted = [exercise for exercise in registry.exercises(unit) if exercise.artifact]
    return {exercise.name: _digest(path_beside(notebook, exercise)) for exercise in wanted}


def _digest(path: Path) -> str:
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            return "refused"
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "none"


@cache
def _shapes(model: type[nn.Module]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in model().state_dict().items()}
