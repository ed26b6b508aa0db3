"""The attacks in tests/grading/attacks/catalogue/, and a place where they may be tried.

`attacks()` reads the catalogue. A `Range` is a folder that looks like a course with a secret,
another student's work, a gradebook and a server that listens: it writes an attack's submission and
says afterwards what was harmed. `tests/grading/attacks` and `benchmarks/attacks.py` use both.
"""

import contextlib
import importlib.util
import json
import secrets
import select
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = ROOT / "tests" / "grading" / "attacks" / "catalogue"
UNIT = "01_mixture_models"
RELEASED = ROOT / "exercises" / UNIT / f"{UNIT}.ipynb"
KINDS = {
    "comparison": "tricks the comparison of results",
    "interpreter": "changes the interpreter around the tests",
    "disk": "reads or writes files that are not its own",
    "process": "ends, blocks or outlives its process",
    "channel": "abuses the way on which results travel",
    "outside": "leaves the process by the network or the kernel",
    "notebook": "hands in a notebook that is not what it seems",
    "inputs": "recognises, changes or tells the hidden inputs",
    "accidents": "no attack: an honest mistake beside a right answer",
}
GAINS = ("marks", "secret", "others", "stop", "survive", "page")

RIGHT_BIC = """\
def bic(log_likelihood, num_components, dim, num_points):
    per_component = 1 + dim + dim * (dim + 1) // 2
    return -2 * log_likelihood + (num_components * per_component - 1) * math.log(num_points)
"""
# An attempt that gains no marks by itself reports through an exercise: right if it worked.
SIGNAL = """
try:
    worked = attempt()
except BaseException:
    worked = False

def bic(log_likelihood, num_components, dim, num_points):
    if not worked:
        raise NotImplementedError
"""
SIGNAL += RIGHT_BIC.partition("\n")[2]


@dataclass(frozen=True)
class Attack:
    """One file of the catalogue.

    Attributes:
        name: Of the file.
        title: What it tries, in a sentence.
        kind: A key of `KINDS`.
        gains: What a success would be, one of `GAINS`; empty for accidents.
        answers: Source of answer cells by exercise; all others stay as released.
        files: Files handed in beside the notebook.
        then: Answers of an accomplice who is graded afterwards.
        right: Exercises that must keep their marks (accidents only).
        prepare: Changes the folder of the submission.
        edit: Changes the notebook, or returns the text of the file.
        resubmit: Answers of the next submission, given the feedback on the last.
    """

    name: str
    title: str
    kind: str
    gains: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    then: dict[str, str] = field(default_factory=dict)
    right: tuple[str, ...] = ()
    prepare: Callable[[Path], None] | None = None
    edit: Callable[[dict], Any] | None = None
    resubmit: Callable[[str], dict[str, str]] | None = None

    @property
    def signals(self) -> bool:
        """Whether it answers an exercise only to say that it worked."""
        return SIGNAL in self.answers.get("bic", "")


def attacks() -> list[Attack]:
    """The whole catalogue, by kind and name.

    Raises:
        ValueError: If a file does not say what it tries and what it would gain.
    """
    found = [_read(path) for path in sorted(CATALOGUE.glob("*.py"))]
    return sorted(found, key=lambda attack: (list(KINDS).index(attack.kind), attack.name))


def _read(path: Path) -> Attack:
    spec = importlib.util.spec_from_file_location(f"attack_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    given = vars(module)
    title = (module.__doc__ or "").strip()
    accident = given.get("KIND") == "accidents"
    if given.get("KIND") not in KINDS or not title or not (accident or given.get("GAINS") in GAINS):
        raise ValueError(
            f"{path.name} needs a docstring, KIND (one of {', '.join(KINDS)}) and GAINS (one of "
            f"{', '.join(GAINS)})"
        )
    return Attack(
        name=path.stem,
        title=title,
        kind=given["KIND"],
        gains=given.get("GAINS", ""),
        answers=given.get("ANSWERS", {}) | _signalling(given.get("ATTEMPT")),
        files=given.get("FILES", {}),
        then=_signalling(given.get("THEN")),
        right=given.get("RIGHT", ()),
        **{name: given.get(name) for name in ("prepare", "edit", "resubmit")},
    )


def _signalling(attempt: str | None) -> dict[str, str]:
    return {} if attempt is None else {"bic": attempt.strip("\n") + "\n" + SIGNAL}


class Range:
    """A course in a folder of its own, with everything in it that an attack may want.

    Attributes:
        course: The course's folder, open to every user.
        secret: Text of the file that nobody may read.
        tell_tale: A word that no page and no verdict may show.
    """

    def __init__(self):
        self.course = Path(tempfile.mkdtemp(prefix="course-"))
        self.course.chmod(0o777)
        self.secret = f"secret-{secrets.token_hex(8)}"
        self.tell_tale = f"telltale{secrets.token_hex(6)}"
        self.marker = self.course / "marker"
        self._servers = [socket.socket(socket.AF_INET, kind) for kind in (1, 2)]
        self._servers[0].bind(("127.0.0.1", 0))
        self.port = self._servers[0].getsockname()[1]
        self._servers[1].bind(("127.0.0.1", self.port))
        self._servers.append(socket.socket(socket.AF_UNIX))
        self._servers[2].bind(f"\0{self.tell_tale}")
        for server in (self._servers[0], self._servers[2]):
            server.listen()
        self._canary = self._new_canary()

    def __enter__(self) -> "Range":
        return self

    def __exit__(self, *_: object) -> None:
        self._canary.kill()
        self._canary.wait()
        for server in self._servers:
            server.close()
        shutil.rmtree(self.course, ignore_errors=True)

    def reset(self) -> None:
        """Put everything back to where it was before an attack."""
        for path in self.course.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        self._drain()
        if self._canary.poll() is not None:
            self._canary = self._new_canary()
        answers = {"bic": f"# {self.secret}\n{RIGHT_BIC}"}
        for name in (".autograder/secret", "secret.txt"):
            self._write(name, self.secret)
        for folder in ("solutions", "submitted/alice"):
            self._write(f"{folder}/{UNIT}/{UNIT}.ipynb", json.dumps(answered(RELEASED, answers)))
        with contextlib.closing(sqlite3.connect(self.course / "gradebook.db")) as database:
            database.execute("create table grade (manual_score)")
            database.execute("insert into grade values (1)")
            database.commit()
        (self.course / "gradebook.db").chmod(0o666)
        self.settle()

    def settle(self) -> None:
        """Take what is there now for untouched."""
        self._before = self._state()

    def harm(self) -> list[str]:
        """What an attack did, in sentences."""
        found = []
        if self.marker.exists() or self.marker.is_symlink():
            found.append("it wrote the marker")
        after = self._state()
        found += [
            f"it changed {path}"
            for path in sorted(self._before.keys() | after.keys())
            if self._before.get(path) != after.get(path)
        ]
        if self._canary.poll() is not None:
            found.append("it killed a process outside")
        if self._drain():
            found.append("it reached the server")
        return found

    def hand_in(
        self, attack: Attack, answers: dict[str, str] | None = None, released: Path = RELEASED
    ) -> Path:
        """Write the submission; returns the path of its notebook."""
        folder = self.course / "submitted" / "mallory" / UNIT
        if folder.parent.exists():
            shutil.rmtree(folder.parent)
        folder.mkdir(parents=True)
        folder.chmod(0o777)
        path = folder / f"{UNIT}.ipynb"
        path.write_bytes(self.content(attack, answers, released))
        for name, text in attack.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(self.fill(text), encoding="utf-8")
        if attack.prepare:
            attack.prepare(folder)
        return path

    def content(
        self, attack: Attack, answers: dict[str, str] | None = None, released: Path = RELEASED
    ) -> bytes:
        """The notebook file of a submission."""
        notebook = answered(released, attack.answers if answers is None else answers)
        content = attack.edit(notebook) if attack.edit else None
        if isinstance(content, bytes):
            return content
        return self.fill(content or json.dumps(notebook)).encode("utf-8", "surrogatepass")

    def fill(self, text: str) -> str:
        """Put this range's own names in the place of what stands for them in the catalogue."""
        names = {
            "ESCAPE_MARKER": self.marker,
            "COURSE_FOLDER": self.course,
            "LISTENER_PORT": self.port,
            "CANARY_PID": self._canary.pid,
            "TELL_TALE": self.tell_tale,
        }
        for name, value in names.items():
            text = text.replace(name, str(value))
        return text

    def _write(self, name: str, text: str) -> None:
        path = self.course / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o666)
        for folder in path.parents:
            if self.course in folder.parents:
                folder.chmod(0o777)

    def _state(self) -> dict[str, tuple[int, bytes]]:
        """Mode and content of every file of others."""
        own = self.course / "submitted" / "mallory"
        state = {}
        for path in self.course.rglob("*"):
            if own != path and own not in path.parents and path != self.marker:
                content = path.read_bytes() if path.is_file() else b""
                state[str(path.relative_to(self.course))] = path.lstat().st_mode, content
        return state

    def _drain(self) -> bool:
        """Whether anybody called at a server since the last look."""
        reached = False
        while waiting := select.select(self._servers, [], [], 0)[0]:
            reached = True
            for server in waiting:
                if server is self._servers[1]:
                    server.recv(4096)
                else:
                    server.accept()[0].close()
        return reached

    def _new_canary(self) -> subprocess.Popen:
        return subprocess.Popen(["sleep", "100000"], start_new_session=True)


def answered(released: Path, answers: dict[str, str]) -> dict:
    """A released notebook with these sources in its answer cells."""
    notebook = json.loads(released.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        cell["source"] = answers.get(name, cell["source"])
    return notebook
