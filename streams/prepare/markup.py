"""HTML to text and to what the page says of itself. Pages that would hang or crash a parser are flattened instead."""

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import trafilatura
from lxml import etree, html  # type: ignore[import-untyped]  # lxml ships no types

_MAX_ELEMENTS = 20_000
_MAX_DEPTH = 200
_MANY_TAGS = 200_000
"""A page of so many is read for its blocks alone: a tree of all its tags would take most of a gigabyte."""
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
_READ_TAGS = _BLOCKS | _NO_TEXT | {"meta", "link"}
_BLOCK_TAG = re.compile(rf"</?(?:{'|'.join(sorted(_BLOCKS - {'br'}))})(?![A-Za-z0-9-])", re.IGNORECASE)
_PARAGRAPH_TAG = re.compile(r"<p(?![A-Za-z0-9-])", re.IGNORECASE)
_BREAK_TAG = re.compile(r"<br(?![A-Za-z0-9-])", re.IGNORECASE)
_BLANK_LINE = re.compile(r"(?:\r?\n|\r)[ \t\u00a0]*(?:\r?\n|\r)")
_NEWLINE = re.compile(r"[\r\n]+")
_AFTER_SENTENCE = re.compile(
    r"(?<=[.!?…])[ \t]*[\r\n]+|(?<=[.!?…][»”\")])[ \t]*[\r\n]+|(?:\r?\n|\r)[ \t\u00a0]*(?:\r?\n|\r)"
)
_WRAPPER = re.compile(
    r"</?(?:div|span|section|font|b|i|em|strong|a|center|ul|ol|li|table|tbody|tr|td)\b[^<>]*>", re.IGNORECASE
)
_WHOLE_PAGE = re.compile(r"<(?:html|body)\b", re.IGNORECASE)
_SHORT = 250
"""A fragment of a page has nothing around the article; below this trafilatura would guess at it."""
_MAYBE_SPLIT = 5000
"""Where trafilatura finds little it gives every link and bold word a line of its own."""
_SENTENCE = 40
"""A line of so many characters says where the article is; a shorter one may stand anywhere in the page."""
_MAX_ATTRIBUTES = 1000
"""More in one tag are left out: libxml2 takes quadratic time over them, and no page has so many."""
_ATTRIBUTE = (
    r"[\t\n\f\r /]*+[^\t\n\f\r />][^\t\n\f\r />=]*+"
    r"(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:\"[^\"]*+\"?|'[^']*+'?|[^\t\n\f\r >]*+))?+"
)
_ATTRIBUTES = re.compile(_ATTRIBUTE)
# A comment, an element whose content is no markup, or a tag; as HTML 5 reads them. Every character is looked at once.
_TOKEN = re.compile(
    r"<(?:!--(?:-?>|.*?(?:--!?>|\Z))|[!?][^>]*+>?"
    r"|(?:(?P<raw>script|style|title|textarea|xmp|iframe|noembed|noframes)(?=[\t\n\f\r />])"
    rf"|(?P<name>/?+[A-Za-z][^\t\n\f\r />]*+))(?P<attributes>(?:{_ATTRIBUTE})*+)"
    r"(?(raw)[\t\n\f\r /]*+>?.*?(?:(?=</(?P=raw)[\t\n\f\r />])|\Z)|[\t\n\f\r /]*+>?))",
    re.DOTALL | re.IGNORECASE,
)
_BETWEEN_CELLS = " | "
_CELL_LENGTH = 100
_CELLS = 30
"""Rows whose cells are longer, or more, are left as paragraphs, one a cell."""
_INVALID = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Page:
    """A page's article, a line per paragraph (blank where it has none), and its own metadata as it stands in the page.

    `captions` are the lines of the text that are captions of its pictures; `published` is unparsed.
    """

    text: str
    captions: tuple[str, ...] = ()
    title: str | None = None
    author: str | None = None
    url: str | None = None
    source: str | None = None
    published: str | None = None


def read_page(markup: str) -> Page:
    """Return the page's article and metadata. Never raises for bad markup: what cannot be read is left out."""
    markup = _bounded(markup)
    tree, complete = _tree(markup)
    if tree is None:
        return Page("")
    if not complete:
        flat = _WRAPPER.sub("<br>", _without_scripts(markup))
        flat_tree, _ = _tree(flat)
        return Page(_text(_lines(tree if flat_tree is None else flat_tree)))
    whole_page = _WHOLE_PAGE.search(markup) is not None
    if not whole_page and (line_end := _own_line_end(markup)):
        return _page(_lines(tree, line_end), tree)
    text = _article(tree) if _is_moderate(tree) else ""
    lines = _lines(tree)
    if not text.strip() or (len(text) < _SHORT and not whole_page):
        return _page(lines, tree)
    if len(text) < _MAYBE_SPLIT:
        text = _rejoined(text, lines)
    return _page(_with_tables_and_captions(text, lines), tree)


def _own_line_end(markup: str) -> re.Pattern[str] | None:
    """Return what ends a paragraph in a fragment that relies on line feeds, None where its tags do it all."""
    if not _BLOCK_TAG.search(markup) and not _BREAK_TAG.search(markup):
        return _NEWLINE
    is_wrapped = _PARAGRAPH_TAG.search(markup) or (_BLOCK_TAG.search(markup) and not _BLANK_LINE.search(markup.strip()))
    # Among other tags a line feed may be a mere wrap, unless it follows a sentence.
    return None if is_wrapped else _AFTER_SENTENCE


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


def _bounded(markup: str) -> str:
    """Return the page with 1,000 attributes at most in a tag, and without inline tags where it has too many tags."""
    kept: list[str] = []
    begin = 0
    tags = 0
    for token in _TOKEN.finditer(markup):
        tags += 1
        start, end = token.span("attributes")
        if end - start <= 2 * _MAX_ATTRIBUTES:
            continue
        last = next(islice(_ATTRIBUTES.finditer(markup, start, end), _MAX_ATTRIBUTES, None), None)
        if last is not None:
            kept.append(markup[begin : last.start()])
            begin = end
    markup = "".join([*kept, markup[begin:]]) if kept else markup
    return _TOKEN.sub(_block_only, markup) if tags > _MANY_TAGS else markup


def _block_only(token: re.Match[str]) -> str:
    """Return a tag as it is, nothing for one that starts or ends no block."""
    name = token["name"]
    if name is None or name.lower().removeprefix("/") in _READ_TAGS:
        return token[0]
    return ""


def _without_scripts(markup: str) -> str:
    return _TOKEN.sub(lambda token: "" if (token["raw"] or "").lower() in {"script", "style"} else token[0], markup)


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


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a page: the block that it stands in, the table around it, whether it is a caption or beside it all."""

    text: str
    block: html.HtmlElement | None = None
    table: html.HtmlElement | None = None
    is_caption: bool = False
    is_beside: bool = False


def _squeezed(text: str) -> str:
    """Return what extraction leaves of a text: it splits lines and sets "- " before the items of a list."""
    return "".join(text.split()).replace("-", "")


def _text(lines: Iterable[_Line]) -> str:
    return "\n".join(line.text for line in lines)


def _rejoined(text: str, lines: list[_Line]) -> str:
    """Return the lines that make up the extracted text, whose own may be split; the text where they do not."""
    squeezed = _squeezed(text)
    found = [line.text for line in lines if _squeezed(line.text) in squeezed]
    return "\n".join(found) if _squeezed("".join(found)) == squeezed else text


def _with_tables_and_captions(text: str, lines: list[_Line]) -> list[_Line]:
    """Return the extracted text's lines and, in their places, the tables and captions that extraction leaves out."""
    extracted = [line for line in text.split("\n") if line.strip()]
    places: dict[str, list[int]] = {}
    for i, line in enumerate(lines):
        places.setdefault(_squeezed(line.text), []).append(i)
    at = -1
    matched: list[int] = []
    found: list[tuple[int, str]] = []
    for text_line in extracted:
        candidates = places.get(_squeezed(text_line), [])
        nth = bisect_left(candidates, at + 1)
        if nth < len(candidates):
            at = candidates[nth]
            matched.append(at)
        found.append((at, lines[at].text if nth < len(candidates) else text_line))
    sure = [lines[i] for i in matched if len(lines[i].text) >= _SENTENCE] or [lines[i] for i in matched]
    scope = _common_block([line.block for line in sure if line.block is not None])
    if scope is None:
        return [_Line(text_line) for text_line in extracted]
    if scope.tag not in {"article", "main"}:
        scope = next(scope.iterancestors("article", "main"), scope)
    data = set(scope.iter("table")) - {line.table for line in sure}
    known = {_squeezed(text_line) for text_line in extracted}
    result: list[_Line] = []
    taken = 0
    for i, line in enumerate(lines):
        while taken < len(found) and found[taken][0] < i:
            result.append(_Line(found[taken][1]))
            taken += 1
        if line.block is None or line.is_beside:
            continue
        is_data = line.table in data
        row = _row(line.block) if is_data else None
        if row is not None and result and result[-1].block is row:
            result[-1] = _Line(f"{result[-1].text}{_BETWEEN_CELLS}{line.text.strip()}", row)
        elif is_data:
            result.append(_Line(line.text.strip(), row))
        elif line.is_caption and _squeezed(line.text) not in known and _is_within(line.block, scope):
            result.append(line)
    return [*result, *(_Line(text_line) for _, text_line in found[taken:])]


def _row(block: html.HtmlElement) -> html.HtmlElement | None:
    """Return the table row around the block, None where it is no row of a few short cells."""
    row = block if block.tag == "tr" else next(block.iterancestors("tr"), None)
    if row is None or len(row) > _CELLS:
        return None
    return row if all(sum(map(len, cell.itertext())) <= _CELL_LENGTH for cell in row) else None


def _common_block(blocks: list[html.HtmlElement]) -> html.HtmlElement | None:
    """Return the innermost element that holds all the blocks; what holds it where there is only one."""
    if not blocks:
        return None
    shared = _path(blocks[0])
    for block in blocks[1:]:
        path = _path(block)
        shared = [a for a, b in zip(shared, path, strict=False) if a is b]
    return shared[-2] if len(shared) > 1 and shared[-1] is blocks[0] else shared[-1]


def _path(element: html.HtmlElement) -> list[html.HtmlElement]:
    return [*reversed(list(element.iterancestors())), element]


def _is_within(element: html.HtmlElement, scope: html.HtmlElement) -> bool:
    return element is scope or any(ancestor is scope for ancestor in element.iterancestors())


def _lines(tree: html.HtmlElement, line_end: re.Pattern[str] | None = None) -> list[_Line]:
    """Return all text of the page, a line per block, without scripts, forms, navigation and the like.

    Args:
        tree: the page.
        line_end: what in a text ends a line, None where only tags do.
    """
    lines: list[_Line] = []
    buffer: list[str] = []
    blocks: list[html.HtmlElement] = []
    tables: list[html.HtmlElement] = []
    captions = beside = preformatted = 0

    def add(text: str) -> None:
        parts = _NEWLINE.split(text) if preformatted else line_end.split(text) if line_end else [text]
        for n, part in enumerate(parts):
            if n:
                end()
            # As a browser shows it: a line end inside a paragraph is a space.
            buffer.append(_NEWLINE.sub(" ", part))

    def end() -> None:
        if not buffer:
            return
        text = "".join(buffer)
        buffer.clear()
        if text and not text.isspace():
            block, table = (blocks[-1] if blocks else None), (tables[-1] if tables else None)
            lines.append(_Line(text, block, table, captions > 0, beside > 0))

    walk = etree.iterwalk(tree, events=("start", "end"))
    for event, element in walk:
        tag = element.tag
        step = 1 if event == "start" else -1  # into an element or out of it
        if event == "start" and tag in _NO_TEXT:
            walk.skip_subtree()
            continue
        if tag in _BLOCKS:
            end()
            if event == "start":
                blocks.append(element)
            elif tag not in _NO_TEXT:
                blocks.pop()
            if tag == "table":
                tables.append(element) if event == "start" else tables.pop()
            elif tag == "figcaption":
                captions += step
            elif tag == "aside":
                beside += step
            elif tag == "pre":
                preformatted += step
        text = element.text if event == "start" else element.tail
        if text:
            add(text)
    end()
    return lines


def _page(lines: list[_Line], tree: html.HtmlElement) -> Page:
    ordinary = {line.text for line in lines if not line.is_caption}
    captions = tuple(line.text for line in lines if line.is_caption and line.text not in ordinary)
    return _with_metadata(_text(lines), captions, tree)


def _with_metadata(text: str, captions: tuple[str, ...], tree: html.HtmlElement) -> Page:
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
        captions=captions,
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
