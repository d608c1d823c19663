"""HTML to text and to what the page says of itself. Pages that would hang or crash a parser are flattened instead."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import trafilatura
from lxml import etree, html  # type: ignore[import-untyped]  # lxml ships no types

_MAX_ELEMENTS = 20_000
_MAX_DEPTH = 200
_BLOCKS = frozenset(
    (
        "address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "div", "dl", "dt",
        "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
        "html", "li", "main", "nav", "ol", "option", "p", "pre", "section", "table", "tbody", "td", "tfoot", "th",
        "thead", "tr", "ul",
    )
)  # fmt: skip
_NO_TEXT = frozenset(
    (
        "applet", "audio", "button", "canvas", "embed", "form", "footer", "head", "iframe", "input", "math", "menu",
        "nav", "noscript", "object", "script", "select", "style", "svg", "template", "textarea", "title", "video",
    )
)  # fmt: skip
_SCRIPT = re.compile(r"<(script|style)\b[^<>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_WRAPPER = re.compile(
    r"</?(?:div|span|section|font|b|i|em|strong|a|center|ul|ol|li|table|tbody|tr|td)\b[^<>]*>", re.IGNORECASE
)
_WHOLE_PAGE = re.compile(r"<(?:html|body)\b", re.IGNORECASE)
_SHORT = 250
"""A fragment of a page has nothing around the article; below this trafilatura would guess at it."""
_MAYBE_SPLIT = 5000
"""Where trafilatura finds little it gives every link and bold word a line of its own."""
_INVALID = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Page:
    """A page's article, a line per paragraph (blank where it has none), and its own metadata as it stands in the page.

    `published` is unparsed.
    """

    text: str
    title: str | None = None
    author: str | None = None
    url: str | None = None
    source: str | None = None
    published: str | None = None


def read_page(markup: str) -> Page:
    """Return the page's article and metadata. Never raises for bad markup: what cannot be read is left out."""
    tree, complete = _tree(markup)
    if tree is None:
        return Page("")
    if not complete:
        flat = _WRAPPER.sub("<br>", _SCRIPT.sub("", markup) if "</" in markup else markup)
        flat_tree, _ = _tree(flat)
        return Page(_blocks(tree if flat_tree is None else flat_tree))
    text = _article(tree) if _is_moderate(tree) else ""
    if not text.strip() or (len(text) < _SHORT and not _WHOLE_PAGE.search(markup)):
        text = _blocks(tree)
    elif len(text) < _MAYBE_SPLIT:
        text = _rejoined(text, _blocks(tree))
    return _with_metadata(text, tree)


def _tree(markup: str) -> tuple[html.HtmlElement | None, bool]:
    """Return the tree, None where there is nothing in it, and whether the parser read all of it."""
    # A fresh parser for each page: parsers keep an error log, and pages come from several threads.
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False, huge_tree=True)
    try:
        tree = html.document_fromstring(_INVALID.sub("", markup).encode(), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return None, True
    # Only running into a limit ends the reading early; the other errors are the ordinary faults of HTML.
    return tree, not any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log)


def _is_moderate(tree: html.HtmlElement) -> bool:
    depth = elements = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        if event == "start":
            depth += 1
            elements += 1
            if depth > _MAX_DEPTH or elements > _MAX_ELEMENTS:
                return False
        else:
            depth -= 1
    return True


def _article(tree: html.HtmlElement) -> str:
    try:
        text = trafilatura.extract(
            tree,
            include_comments=False,
            include_tables=False,
            include_images=False,
            include_links=False,
            include_formatting=False,
            deduplicate=False,  # it remembers earlier pages; repeats are ours to report anyway
            output_format="txt",
            with_metadata=False,  # its dates are guesses that depend on today
        )
    except Exception:  # noqa: BLE001 - a page that trafilatura trips over is still a page; the blocks are the way out
        return ""
    return text or ""


def _rejoined(text: str, blocks: str) -> str:
    """Return the blocks that make up the extracted text, whose own lines may be split; the text where they do not."""
    squeezed = "".join(text.split())
    lines = [line for line in blocks.split("\n") if line.strip() and "".join(line.split()) in squeezed]
    return "\n".join(lines) if "".join("".join(lines).split()) == squeezed else text


def _blocks(tree: html.HtmlElement) -> str:
    """Return all text of the page, a line per block, without scripts, forms, navigation and the like."""
    return "".join(_pieces(tree))


def _pieces(tree: html.HtmlElement) -> Iterator[str]:
    walk = etree.iterwalk(tree, events=("start", "end"))
    for event, element in walk:
        tag = element.tag
        if event == "start":
            if tag in _NO_TEXT:
                walk.skip_subtree()
                continue
            if tag in _BLOCKS:
                yield "\n"
            if element.text:
                yield _flow(element.text)
        else:
            if tag in _BLOCKS:
                yield "\n"
            if element.tail:
                yield _flow(element.tail)


def _flow(text: str) -> str:
    """Return text as a browser shows it: a line end inside a paragraph is a space."""
    return re.sub(r"[\r\n]+", " ", text)


def _with_metadata(text: str, tree: html.HtmlElement) -> Page:
    metas: dict[str, str] = {}
    for meta in tree.iter("meta"):
        name = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").strip().lower()
        content = (meta.get("content") or "").strip()
        if name and content:
            metas.setdefault(name, content)

    def first(*names: str) -> str | None:
        return next((metas[n] for n in names if n in metas), None)

    canonical = next(
        (link.get("href") for link in tree.iter("link") if (link.get("rel") or "").strip().lower() == "canonical"), None
    )
    addresses = (canonical, metas.get("og:url"))
    author = first("author", "article:author")
    return Page(
        text=text,
        title=first("og:title", "twitter:title") or _own_title(tree),
        # `article:author` is often the address of a profile.
        author=None if author and "://" in author else author,
        url=next((a.strip() for a in addresses if a and re.match(r"\s*https?://", a)), None),
        source=first("og:site_name"),
        published=first("article:published_time", "datepublished"),
    )


def _own_title(tree: html.HtmlElement) -> str | None:
    headings = [h for h in (_inline(e) for e in tree.iter("h1")) if h]
    if len(headings) == 1:
        return headings[0]
    return next((t for t in (_inline(e) for e in tree.iter("title")) if t), None)


def _inline(element: html.HtmlElement) -> str:
    return " ".join("".join(element.itertext()).split())
