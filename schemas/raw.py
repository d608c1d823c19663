"""What `articles.raw` accepts as JSON. Only the JSON Schema is made from this; the stage `prepare` does the reading."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def _describe(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"required": ["text"]}, {"required": ["html"]}]
    for field in schema["properties"].values():
        del field["default"]  # null is this class's way to say "absent", not a value that stands in for a body


class RawArticleDocument(BaseModel):
    """A scraped article as JSON: everything is optional but its body, `text` or `html`.

    The types are what producers should send. A value of another type does not refuse the article: the field becomes
    null and an entry in `article.warnings` keeps the value. Fields not named here are carried along untouched under
    `article.metadata`. Plain text and HTML are accepted instead of JSON, see the AsyncAPI document.
    """

    model_config = ConfigDict(frozen=True, extra="allow", json_schema_extra=_describe)

    id: str | None = Field(None, description="The article's id; made from the URL or the text where none is given.")
    url: str | None = Field(None, description="The article's address.")
    title: str | None = Field(None, description="The title, without the body.")
    text: str | None = Field(None, description="The body as plain text, paragraphs separated by line feeds.")
    html: str | None = Field(None, description="The body as an HTML page or fragment.")
    language: str | None = Field(None, description="Language of the text (ISO 639-1); detected where none is given.")
    published_at: str | None = Field(None, description="When it was published, RFC 3339 with an offset.")
    fetched_at: str | None = Field(None, description="When it was scraped, RFC 3339 with an offset.")
    source: str | None = Field(None, description="The outlet.")
    author: str | None = Field(None, description="The author.")
