"""A student's visit in a real browser: the lecture, an exercise answered wrong and right, a map.

Needs Chromium on the machine; without it these tests are skipped. Screenshots go to the folder that
`BROWSER_SHOTS` names, else to the test's temporary one.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
UNIT = "01_mixture_models"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
TOKEN = "browser-test"
MINUTE = 60_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),  # one server for all
    pytest.mark.skipif(
        CHROMIUM is None, reason="needs Chromium (Debian: apt-get install chromium)"
    ),
]

WRONG = """def log_gaussian(x, loc, log_scale):
    variance = torch.exp(log_scale)
    return (-0.5 * ((x - loc) ** 2 / variance + log_scale + math.log(2 * math.pi))).sum(dim=-1)"""
RIGHT = WRONG.replace("torch.exp(log_scale)", "torch.exp(2 * log_scale)").replace(
    "+ log_scale +", "+ 2 * log_scale +"
)

EXPLORER = """import torch
from course_lib.latent_explorer import latent_explorer

def decode(z):
    return z[:, :1, None, None].expand(-1, 1, 8, 8)  # as bright as the first number

explorer = latent_explorer(decode, limits=(0.0, 1.0), grid_size=3, start=(0.2, 0.2))
explorer"""


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """A copy of what a student opens, so that the test changes nothing here."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("lectures", "exercises"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".*"))
    return folder


@pytest.fixture(scope="module")
def server(course: Path, tmp_path_factory) -> Iterator[str]:
    """JupyterLab on a free port of this machine; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    private = tmp_path_factory.mktemp("jupyter")
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    environment = os.environ | {name: str(private / name.lower()) for name in folders}
    command = [
        sys.executable,
        "-m",
        "jupyter",
        "lab",
        "--no-browser",
        "--allow-root",
        f"--port={port}",
    ]
    command += [
        "--ip=127.0.0.1",
        f"--IdentityProvider.token={TOKEN}",
        "--LabApp.expose_app_in_browser=True",
    ]
    with (private / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=course, env=environment, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/api?token={TOKEN}", process, private / "log")
        yield address
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not start for root in a container; only our own pages are
        # opened
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def page(browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(MINUTE)
    yield page
    context.close()


@pytest.fixture
def shots(tmp_path) -> Path:
    folder = Path(os.environ.get("BROWSER_SHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_the_lecture_runs_whole(server, page, shots):
    open_notebook(page, server, f"lectures/{UNIT}.ipynb")
    command(page, "notebook:run-all-cells")
    wait_until_idle(page, 4 * MINUTE)
    counts = cell_counts(page)
    assert counts["errors"] == 0
    assert counts["unrun"] == 0
    assert counts["figures"] >= 8
    page.screenshot(path=shots / "lecture.png")


def test_an_untouched_exercise_runs_without_an_error(server, page, shots):
    open_notebook(page, server, f"exercises/{UNIT}/{UNIT}.ipynb")
    command(page, "notebook:run-all-cells")
    wait_until_idle(page, 2 * MINUTE)
    assert cell_counts(page)["errors"] == 0
    page.screenshot(path=shots / "exercise_untouched.png")


def test_an_exercise_answered_wrong_and_then_right(server, page, shots):
    open_notebook(page, server, f"exercises/{UNIT}/{UNIT}.ipynb")
    run_cell(page, "from autograder import check")
    answer(page, "def log_gaussian(x", WRONG)
    run_cell(page, "check(log_gaussian)")
    output = output_of(page, "check(log_gaussian)")
    expect(output).to_contain_text("log_gaussian is not right yet")
    expect(output).to_contain_text("as the logarithm of the variance")
    page.screenshot(path=shots / "answer_wrong.png")
    answer(page, "def log_gaussian(x", RIGHT)
    run_cell(page, "check(log_gaussian)")
    expect(output_of(page, "check(log_gaussian)")).to_contain_text("log_gaussian is right")
    page.screenshot(path=shots / "answer_right.png")


def test_the_latent_explorer_moves_by_mouse_keys_and_kernel(server, course, page, shots):
    cells = [nbformat.v4.new_code_cell(source) for source in (EXPLORER, "explorer.live()")]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}  # asks for none
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.write(notebook, course / "explorer.ipynb")
    open_notebook(page, server, "explorer.ipynb")
    command(page, "notebook:run-all-cells")
    wait_until_idle(page, MINUTE)
    place, image = page.locator("dd").first, page.locator("canvas")
    expect(place).to_have_text("(0.20, 0.20)")
    before = brightness(image)
    box = page.locator("svg[role=img]").bounding_box()
    unit = box["width"] / 360  # the map begins 46 to the right and 12 down, and is 300 wide
    page.mouse.click(box["x"] + (46 + 240) * unit, box["y"] + (12 + 60) * unit)
    expect(place).to_have_text(re.compile(r"\(0\.(79|80|81), 0\.(79|80|81)\)"))
    assert brightness(image) > before + 100
    page.screenshot(path=shots / "explorer_clicked.png")
    for _ in range(60):  # JupyterLab must not take the key: it would go to the next cell
        page.keyboard.press("ArrowDown")
    expect(place).to_have_text(re.compile(r"\(0\.(79|80|81), 0\.(49|50|51)\)"))
    page.get_by_label("z₁").first.press("Home")
    expect(place).to_have_text(re.compile(r"\(0\.00, "))
    assert brightness(image) == 0
    live = page.locator(".jupyter-widgets img")
    before = live.get_attribute("src")
    page.locator(".noUi-handle").first.press("ArrowRight")
    expect(live).not_to_have_attribute("src", before)


def brightness(image: Locator) -> int:
    """Red value of the first pixel of a canvas."""
    return image.evaluate("canvas => canvas.getContext('2d').getImageData(0, 0, 1, 1).data[0]")


def open_notebook(page: Page, server: str, path: str) -> None:
    page.goto(f"{server}/lab/tree/{path}?token={TOKEN}&reset")
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext?.isReady")
    page.wait_for_function(
        "jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"
    )


def command(page: Page, name: str) -> None:
    page.evaluate("name => { jupyterapp.commands.execute(name); }", name)


def wait_until_idle(page: Page, timeout: int) -> None:
    """Until no code cell waits for its turn."""
    page.wait_for_timeout(500)
    page.wait_for_function(
        """() => {
            const panel = jupyterapp.shell.currentWidget;
            const busy = panel.content.widgets.some(
                cell => cell.model.type === 'code' && cell.model.executionState === 'running');
            return !busy && panel.sessionContext.session.kernel.status === 'idle';
        }""",
        timeout=timeout,
    )


def cell_counts(page: Page) -> dict[str, int]:
    return page.evaluate(
        """() => {
            const cells = jupyterapp.shell.currentWidget.content.widgets
                .filter(cell => cell.model.type === 'code').map(cell => cell.model.toJSON());
            const outputs = cells.flatMap(cell => cell.outputs);
            return {
                errors: outputs.filter(output => output.output_type === 'error').length,
                unrun: cells.filter(cell => cell.execution_count === null).length,
                figures: outputs.filter(output => output.data?.['image/png']).length,
            };
        }"""
    )


def activate(page: Page, text: str) -> None:
    """Select and show the code cell that holds `text`."""
    found = page.evaluate(
        """text => {
            const notebook = jupyterapp.shell.currentWidget.content;
            const index = notebook.widgets.findIndex(
                cell => cell.model.type === 'code' &&
                cell.model.sharedModel.getSource().includes(text));
            if (index >= 0) {
                notebook.deselectAll();
                notebook.activeCellIndex = index;
                notebook.scrollToItem(index, 'start');
            }
            return index;
        }""",
        text,
    )
    assert found >= 0, f"no code cell holds {text!r}"
    page.wait_for_selector(".jp-Cell.jp-mod-active .cm-content")


def run_cell(page: Page, text: str) -> None:
    activate(page, text)
    page.locator(".jp-Cell.jp-mod-active").press("Shift+Enter")
    wait_until_idle(page, MINUTE)


def answer(page: Page, text: str, source: str) -> None:
    """Type an answer over the whole cell and run it, as a student does."""
    activate(page, text)
    page.locator(".jp-Cell.jp-mod-active .cm-content").click()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.insert_text(source)
    page.keyboard.press("Shift+Enter")
    wait_until_idle(page, MINUTE)


def output_of(page: Page, text: str):
    activate(page, text)
    return page.locator(".jp-Cell.jp-mod-active .jp-OutputArea").first


def _wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.3)
        else:
            return
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
