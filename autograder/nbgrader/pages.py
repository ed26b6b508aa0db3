"""Cleans every page that shows a submission: feedback for students, and formgrader for graders.

Both are nbconvert pages, so `nbgrader_config.py` gives both the filters below: markdown is cleaned
after it was turned into HTML, because a link such as `[x](javascript:…)` is no HTML before. What
our own reports use passes.
"""

import functools
import html
import re
from typing import Any

import bleach
from bleach.css_sanitizer import CSSSanitizer
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.markdown_mistune import (
    InvalidNotebook,
    IPythonRenderer,
    MarkdownWithMath,
)
from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbformat import NotebookNode
from traitlets import default

from autograder.nbgrader.sanitise import KEPT_METADATA, ImageBudget, clean_attachments

TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt"),
    *("em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "kbd", "li", "ol", "p", "pre"),
    *("s", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "th"),
    *("thead", "tr", "ul"),
}
STYLES = {
    *("border-left", "color", "font-weight", "list-style", "margin", "margin-top", "max-width"),
    *("opacity", "padding", "text-align", "white-space", "word-break"),
}
PLAIN = {"align", "alt", "colspan", "height", "rowspan", "start", "style", "title", "width"}
LINK = re.compile(r"(https?://|mailto:|#)\S*", re.IGNORECASE)
IMAGE = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*|(\w[\w-]*/)*\w[\w-]*\.\w+")
CODE_CLASS = re.compile(r"highlight( hl-\w+)?|[a-z]{1,3}\d?")  # what pygments writes


def is_allowed(tag: str, name: str, value: str) -> bool:
    """Whether an attribute may stay; identifiers may not, because scripts of the page use them."""
    if name == "href":
        return tag == "a" and LINK.fullmatch(value) is not None
    if name == "src":  # images from elsewhere would tell who looks at the page
        return tag == "img" and IMAGE.fullmatch(value) is not None
    if name == "class":
        return CODE_CLASS.fullmatch(value) is not None
    return name in PLAIN


def clean_html(text: Any) -> str:
    """HTML with harmless elements only; others are shown as text."""
    text = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
    return _cleaner().clean(text)


@pass_context
def clean_markdown(context: Context, source: str) -> str:
    """Markdown to HTML with harmless elements only; formulas stay as they are, for MathJax."""
    attachments = context.get("cell", {}).get("attachments", {})
    renderer = Renderer(escape=False, attachments=attachments, exclude_anchor_links=True)
    try:
        rendered = MarkdownWithMath(renderer=renderer).render(source)
    except RecursionError:  # a thousand quotations in each other
        return f"<pre>{html.escape(source)}</pre>"
    return clean_html(rendered)


class Renderer(IPythonRenderer):
    """Leaves out an attached image that is not there, where nbconvert refuses the whole page."""

    def image(self, text: str, url: str, title: str | None = None) -> str:
        try:
            return super().image(text, url, title)
        except InvalidNotebook:
            return super().image(text, "", title)


class CleanPage(SanitizeHTML):
    """Takes out of a notebook what a page would act on.

    Everything but images, text and our reports goes; then also the metadata that templates write
    into the page unquoted.
    """

    @default("safe_output_keys")
    def _safe_output_keys(self) -> set[str]:
        return {"text/plain", "image/png", "image/jpeg"}

    @default("sanitized_output_types")
    def _sanitized_output_types(self) -> set[str]:
        return {"text/html"}

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        nb.metadata = NotebookNode(language_info=NotebookNode(name="python"))
        return super().preprocess(nb, resources)

    def preprocess_cell(
        self, cell: NotebookNode, resources: Any, cell_index: int
    ) -> tuple[NotebookNode, Any]:
        kept = {name: cell.metadata[name] for name in KEPT_METADATA if name in cell.metadata}
        cell.metadata = NotebookNode(kept)
        if cell.cell_type == "raw":
            cell.source = html.escape(cell.source)
        elif cell.cell_type == "markdown":
            cell.attachments = clean_attachments(cell.get("attachments", {}), ImageBudget())
        else:
            cell.outputs = self.sanitize_code_outputs(cell.outputs)
        return cell, resources

    def sanitize_code_outputs(self, outputs: list[NotebookNode]) -> list[NotebookNode]:
        for output in outputs:
            if "metadata" in output:
                output.metadata = NotebookNode()
        clean = super().sanitize_code_outputs(outputs)
        return [output for output in clean if output.get("data") != {}]

    def sanitize_html_tags(self, html_str: str) -> str:
        return clean_html(html_str)


@functools.cache
def _cleaner() -> bleach.sanitizer.Cleaner:
    return bleach.sanitizer.Cleaner(
        tags=TAGS,
        attributes=is_allowed,
        protocols={"http", "https", "mailto", "data"},
        css_sanitizer=CSSSanitizer(allowed_css_properties=STYLES),
    )
