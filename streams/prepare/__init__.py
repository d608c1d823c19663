"""The stage `prepare`: a raw article, in whatever form it was scraped, becomes a clean and identified one.

`kind.py` and `charset.py` find out what the bytes are, `raw_json.py` and `markup.py` take them apart, `fields.py`
checks the known fields, `cleaning.py` puts the characters right, `paragraphs.py` takes out what is not the article,
`language.py`, `identity.py` and `timestamps.py` say what their names say.
"""

import re
from dataclasses import dataclass

from pydantic import JsonValue

from schemas import Article, DeadLetterReason, ModelReference, PreparedEvent
from schemas.events import Language
from streams.errors import ArticleRejected
from streams.prepare import raw_json
from streams.prepare.charset import decode
from streams.prepare.cleaning import clean, clean_line
from streams.prepare.fields import KNOWN, Fields
from streams.prepare.identity import article_id, text_sha256
from streams.prepare.kind import Kind, declared_kind, looks_like_markup, sniffed_kind
from streams.prepare.language import LanguageDetector, given_language
from streams.prepare.markup import Page, read_page
from streams.prepare.paragraphs import separate
from streams.stage import RawArticle, Stage

__all__ = ["Prepare"]

_MARKUP_PER_TEXT = 10
"""HTML may be so many times longer than the text that is allowed in it."""
_SHORT = 300
"""The title helps to tell the language of a shorter text."""
_BREAK = re.compile(r"<br\s{0,9}/?>", re.IGNORECASE)
_TAG = re.compile(r"<[A-Za-z/!][^<>]*>")


@dataclass(frozen=True, slots=True)
class _Body:
    """The uncleaned text of an article, and the page it was taken from where it was HTML."""

    text: str
    page: Page | None = None


class Prepare(Stage[RawArticle, PreparedEvent]):
    """Decodes, cleans and identifies a raw article, and says which language it is in."""

    name = "prepare"
    version = "2"
    writes = "articles.prepared"
    event = PreparedEvent

    def __init__(self, *, max_text_length: int = 1_000_000, max_json_depth: int = 100) -> None:
        """Set the limits: characters (code points) of an article's text, levels of nesting in raw JSON."""
        self._max_text_length = max_text_length
        self._max_json_depth = max_json_depth
        self._detector: LanguageDetector | None = None

    def load(self) -> None:
        """Load the language model: about a second, 50 MB."""
        if self._detector is None:
            self._detector = LanguageDetector()

    def models(self) -> tuple[ModelReference, ...]:
        """Return the language model's reference."""
        return (self._loaded().model,)

    def enrich(self, event: RawArticle) -> PreparedEvent:
        """Return the prepared article.

        Raises:
            ArticleRejected: UNDECODABLE, BROKEN_JSON, JSON_NOT_OBJECT, TOO_DEEP, EMPTY or TOO_LARGE.
        """
        kind, charset = declared_kind(event.content_type)
        decoded = decode(event.value, charset)
        if not decoded.text or decoded.text.isspace():
            raise _empty("The body is empty or blank.")
        kind = kind or sniffed_kind(decoded.text)
        raw: dict[str, JsonValue] = {}
        warnings = list(decoded.warnings)
        if kind is Kind.JSON:
            raw, repairs = raw_json.parse(decoded.text, self._max_json_depth)
            warnings += repairs
        fields = Fields(raw, warnings)
        body = self._json_body(fields) if kind is Kind.JSON else self._body(decoded.text, markup=kind is Kind.HTML)
        article = self._article(fields, body)
        skipped = {} if article.language else {self.name: "language_undetermined"}
        return PreparedEvent(article=article, skipped=skipped, provenance=(self.provenance(event.value),))

    def _json_body(self, fields: Fields) -> _Body:
        """Return the body of a JSON article: `text`, or `html` where there is no usable text."""
        text, markup = fields.body("text"), fields.body("html")
        if text is not None:
            return self._body(text, markup=looks_like_markup(text))
        if markup is not None:
            return self._body(markup, markup=True)
        wrong = [w.field for w in fields.warnings if w.reason == "not_a_string"]
        if wrong:
            raise _empty(f"There is no text: {' and '.join(wrong)} must be a string.")
        raise _empty("There is no text: neither `text` nor `html` has any.")

    def _body(self, text: str, *, markup: bool) -> _Body:
        self._check_length(text, self._max_text_length * (_MARKUP_PER_TEXT if markup else 1))
        if not markup:
            if "<" in text and not _TAG.sub("", text).strip():
                raise _empty("There is nothing but markup.")
            return _Body(_BREAK.sub("\n", text))
        page = read_page(text)
        self._check_length(page.text, self._max_text_length)
        return _Body(page.text, page)

    def _check_length(self, text: str, allowed: int) -> None:
        if len(text) > allowed:
            message = f"The text has {len(text):,} characters, more than the {allowed:,} that are allowed."
            raise ArticleRejected(DeadLetterReason.TOO_LARGE, message)

    def _article(self, fields: Fields, body: _Body) -> Article:
        given_id, url, title = fields.identifier(), fields.address(), fields.line("title")
        source, author = fields.line("source"), fields.line("author")
        published_at, fetched_at = fields.time("published_at"), fields.time("fetched_at")
        if page := body.page:
            url = url or page.url
            title = title or (fields.cleaned("title", page.title) if page.title else None)
            author = author or (fields.cleaned("author", page.author) if page.author else None)
            source = source or (fields.cleaned("source", page.source) if page.source else None)
            if page.published and not published_at and fields.raw.get("published_at") is None:
                published_at = Fields({"published_at": page.published}, fields.warnings).time("published_at")
        cleaned, controls = clean(body.text)
        if controls:
            fields.warn("text", "control_characters")
        # Entities such as `&#x3c;` can lengthen nothing, but normalisation can: some characters compose to two.
        self._check_length(cleaned, self._max_text_length)
        captions = {clean_line(caption)[0] for caption in body.page.captions} if body.page else set()
        text, removed = separate(cleaned, title, captions)
        if not text:
            raise _empty("Nothing is left of the text." if removed else "There is no text.")
        language = self._language(fields, title, text)
        return Article(
            id=article_id(given_id, url, text),
            source=source,
            url=url,
            title=title,
            author=author,
            published_at=published_at,
            fetched_at=fetched_at,
            language=language,
            language_parts=self._loaded().parts(text, language),
            text=text,
            text_sha256=text_sha256(text),
            removed=removed,
            warnings=tuple(fields.warnings),
            metadata={name: value for name, value in fields.raw.items() if name not in KNOWN},
        )

    def _language(self, fields: Fields, title: str | None, text: str) -> Language | None:
        """Return the language of title and text; the given one only where they are too short to tell."""
        raw = fields.line("language")
        given = given_language(raw) if raw else None
        verdict = self._loaded().detect(f"{title}\n{text}" if title and len(text) < _SHORT else text, raw)
        if not verdict.sure:
            return given
        if raw and given != verdict.language:
            fields.warn("language", "language_differs", raw)
        return verdict.language

    def _loaded(self) -> LanguageDetector:
        assert self._detector is not None, "call load() first"
        return self._detector


def _empty(message: str) -> ArticleRejected:
    return ArticleRejected(DeadLetterReason.EMPTY, message)
