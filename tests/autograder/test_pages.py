"""Feedback and formgrader's pages, as `nbgrader_config.py` configures them, act on nothing."""

import base64
import re
from collections import Counter
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import PyFileConfigLoader

from autograder.nbgrader.pages import clean_html
from autograder.report import Report
from autograder.verdict import Finding, Verdict

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT/x>alert(1)</SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<img src='https://spy.example/x.png'>",
    "<img src='/logout'>",
    "<img src='data:image/svg+xml;base64,AAAA'>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "[x](javascript:alert(1))",
    "[x](data:text/html;base64,AAAA)",
    "![x](javascript:alert(1))",
    "![x](attachment:gone.png)",
    "<javascript:alert(1)>",
    "<style>* { display: none }</style>",
    "<div style='position:fixed;top:0;background:url(javascript:alert(1))'>x</div>",
    "<meta http-equiv='refresh' content='0;url=https://spy.example'>",
    "<base href='https://spy.example'>",
    "<form action='https://spy.example'><input name=x><button>x</button></form>",
    "<link rel=stylesheet href='https://spy.example/x.css'>",
    "<object data='https://spy.example'></object><embed src=x>",
    "<details ontoggle=alert(1) open>x</details>",
    "<p id=check-bic name=nodes class=modal>x</p>",
    "</div></div></body><script>alert(1)</script>",
    "<!--><img src=x onerror=alert(1)>-->",
    "```mermaid\n</pre><img src=x onerror=alert(1)>\n```",
    "```html\n<script>alert(1)</script>\n```",
    "$</script><img src=x onerror=alert(1)>$",
    "$$<img src=x onerror=alert(1)>$$",
    "`<script>alert(1)</script>`",
    "x <script\n>alert(1)</script\n>",
    "> " * 2000 + "<script>alert(1)</script>",
]
MARK = {"grade_id": "why", "grade": True, "solution": True, "locked": False, "points": 4}
MARK |= {"schema_version": 3, "task": False, "comment": "", "score": 0}
ACTIVE = {"iframe", "svg", "meta", "base", "form", "object", "embed", "style", "math", "noscript"}
ACTIVE |= {"script", "link", "input", "button", "textarea"}
SAFE_URL = re.compile(r"https?://|mailto:|#|data:image/(png|jpeg|gif);|[\w./-]*$")


@pytest.fixture(scope="module", params=["feedback", "formgrade"])
def render(request):
    """Renders a notebook as nbgrader does for students, or for graders."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    config.HTMLExporter.template_name = request.param
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    static = Path(handlers.static_path, "node_modules/bootstrap/dist/css")
    config.HTMLExporter.extra_template_paths = [str(static)]
    exporter = HTMLExporter(config=config)
    names = {"notebook": "x", "score": 0, "max_score": 1, "late_penalty": 0}

    def render(*cells: NotebookNode) -> str:
        resources = {"nbgrader": names, "index": 0, "total": 1}
        page, _ = exporter.from_notebook_node(new_notebook(cells=list(cells)), resources=resources)
        return page

    render.harmless = render(*hostile_cells("x"))
    return render


def hostile_cells(text: str) -> list[NotebookNode]:
    """The text wherever a notebook can hold it."""
    tags = [text.replace(",", ";")]
    markdown = new_markdown_cell(text, metadata={"tags": tags})
    answer = new_markdown_cell(text, metadata={"nbgrader": MARK | {"comment": text}})
    data = dict.fromkeys(("text/html", "text/markdown", "text/latex", "text/plain"), text)
    data |= {"application/javascript": text, "image/svg+xml": text, "image/png": text}
    size = {"image/png": {"width": text}, "text/html": {"isolated": True}}
    outputs = [
        *(new_output("display_data", data={k: v}, metadata=size) for k, v in data.items()),
        new_output("stream", text=text),
        new_output("error", ename=text, evalue=text, traceback=[text]),
    ]
    code = new_code_cell(text, outputs=outputs, metadata={"magics_language": text, "tags": tags})
    raws = [new_raw_cell(text, metadata={"raw_mimetype": kind}) for kind in ("", "text/html")]
    cells = [markdown, answer, code, *raws]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    return cells


def elements(page: str) -> Counter[tuple[str, str]]:
    """Every element of a page with its attributes, and how often it is there."""
    return Counter(
        (tag.name, str(tag.attrs)) for tag in BeautifulSoup(page, "html.parser").find_all(True)
    )


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:40])
def test_nothing_acts(render, text):
    page = render(*hostile_cells(text))
    added = elements(page) - elements(render.harmless)
    assert not [name for name, _ in added if name in ACTIVE]
    for tag in BeautifulSoup(page, "html.parser").find_all(True):
        if (tag.name, str(tag.attrs)) in added:
            assert not [name for name in tag.attrs if name.startswith("on")]
            assert not {"id", "name", "action", "http-equiv"} & tag.attrs.keys()
            assert SAFE_URL.match(tag.attrs.get("href", ""))
            assert SAFE_URL.match(tag.attrs.get("src", ""))
            assert "spy" not in tag.attrs.get("src", "").partition(",")[0]
            assert not {"position", "background", "url"} & set(
                re.findall(r"\w+", tag.attrs.get("style", ""))
            )


def test_formulas_and_formatting_stay(render):
    formula = r"$$\begin{aligned}x&=y\end{aligned}$$"
    table = "| a |\n|:-:|\n| 1 |"
    text = f"# Title\n\n**bold** `code` $a_i < b$\n\n{formula}\n\n{table}"
    page = render(new_markdown_cell(text))
    for expected in (
        "<h1>Title</h1>",
        "<strong>bold</strong> <code>code</code> $a_i &lt; b$",
        formula.replace("&", "&amp;"),
        "text-align: center",
        "MathJax",
    ):
        assert expected in page.replace("text-align:center", "text-align: center")


def test_attached_and_shown_images_stay(render):
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(8)).decode()
    images = {"a.png": {"image/png": png}}
    attached = new_markdown_cell("![x](attachment:a.png)", attachments=images)
    shown = new_code_cell("x", outputs=[new_output("display_data", data={"image/png": png})])
    assert render(attached, shown).count(f"data:image/png;base64,{png}") == 2


def test_our_own_reports_pass_unchanged(exercise):
    findings = (Finding("Is <right>", "a & b\n  <c>"), Finding("Is finite"))
    report = Report(Verdict(exercise, "wrong", findings, None, 0), "Note `x`.").to_html()
    clean = clean_html(report)
    assert re.sub(r"[\s;]", "", clean) == re.sub(r"[\s;]", "", report)
