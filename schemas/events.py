"""The events of the line, stage by stage. Names here are public and fixed: other teams' consumers read them.

All models are strict (no coercion) and frozen. Offsets are Unicode code points into `article.text`, end exclusive;
times are RFC 3339 strings in UTC ending in `Z`. No model holds a wall clock: the same raw record gives the same bytes.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

SCHEMA_VERSION = "1.0.0"
"""Version of the events' shape (semantic versioning): a new optional field raises the second number."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256, lower-case hexadecimal.")]
UtcTime = Annotated[
    str,
    Field(
        # [0-9], not \d: engines differ on whether \d is also a digit of another script.
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$",
        description="RFC 3339 time in UTC, e.g. 2024-11-08T10:00:00Z.",
    ),
]
_OPEN: dict[str, JsonValue] = {"x-newsflow-open": True}
"""For lists whose readers must expect values that they do not know: new ones come without a new major version."""
Language = Annotated[Literal["ru", "uk", "en", "be", "bg", "sr", "mk"], Field(json_schema_extra=_OPEN)]


class _Contract(BaseModel):
    """What all parts of an event share: strict, immutable, no field that the contract does not name."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        # What we write holds every field, also those with a default; the schema of the output promises that.
        json_schema_serialization_defaults_required=True,
    )


class RemovalReason(StrEnum):
    """Why a paragraph was taken out of the text."""

    REPEATED_PARAGRAPH = "repeated_paragraph"
    MEDIA_CAPTION = "media_caption"
    MEDIA_DURATION = "media_duration"
    PHOTO_CREDIT = "photo_credit"
    ADVERTISEMENT = "advertisement"
    SUBSCRIPTION_PROMPT = "subscription_prompt"
    SHARE_PROMPT = "share_prompt"
    RELATED_LINK = "related_link"
    NAVIGATION = "navigation"
    REPEATED_TITLE = "repeated_title"


class EntityType(StrEnum):
    """Type of an entity: person, location (countries are always LOC), organisation."""

    PER = "PER"
    LOC = "LOC"
    ORG = "ORG"


class RemovedParagraph(_Contract):
    """A paragraph that is not part of the article."""

    reason: RemovalReason = Field(description="Why it was removed; more reasons will come.", json_schema_extra=_OPEN)
    text: str = Field(description="The paragraph as it stood after cleaning.")


class Warning_(_Contract):  # noqa: N801  # `Warning` is a built-in exception; the schemas call it InputWarning
    """Something about the input that was put right or set to null instead of refusing the article."""

    field: str = Field(description="The field of the raw article that the warning is about, e.g. `published_at`.")
    reason: str = Field(description="What was wrong, as a code, e.g. `not_a_timestamp`.")
    value: JsonValue = Field(description="The raw value as it arrived; null where it cannot be shown.")


class LanguagePart(_Contract):
    """A stretch of whole paragraphs in one language."""

    start: int = Field(ge=0, description="First character, in Unicode code points into `article.text`.")
    stop: int = Field(gt=0, description="One past the last character, in Unicode code points into `article.text`.")
    language: Language | None = Field(description="Its language; null where it is none that the line knows.")


class Article(_Contract):
    """The article itself: identified, decoded, cleaned."""

    id: str = Field(min_length=1, description="The given id, else a UUIDv5 of the URL, else of the cleaned text.")
    source: str | None = Field(description="The outlet, as given.")
    url: str | None = Field(description="The article's address, as given.")
    title: str | None = Field(description="The title as given; null where none was given (none is invented).")
    author: str | None = Field(description="The author as given.")
    published_at: UtcTime | None = Field(description="When it was published.")
    fetched_at: UtcTime | None = Field(description="When it was scraped.")
    language: Language | None = Field(
        description="Language of the text (ISO 639-1); null where it is none of these; more will come."
    )
    language_parts: tuple[LanguagePart, ...] = Field(
        default=(),
        description="Where the article mixes languages: its stretches in their order, from the first character to the "
        "last; empty where it is in one language. Enrichment follows `language` alone.",
    )
    text: str = Field(min_length=1, description="The cleaned text, NFC; paragraphs are separated by one line feed.")
    text_sha256: Sha256 = Field(description="SHA-256 of `text` in UTF-8.")
    removed: tuple[RemovedParagraph, ...] = Field(description="Paragraphs taken out of the text, in their order.")
    warnings: tuple[Warning_, ...] = Field(description="What was wrong with the input and was not fatal.")
    metadata: dict[str, JsonValue] = Field(
        description="Every field of the raw article that the contract does not name."
    )


class ModelReference(_Contract):
    """A model or table that a stage used."""

    name: str = Field(min_length=1, description="Name with version, e.g. `slovnet_ner_news_v1`.")
    sha256: Sha256 = Field(description="SHA-256 of its content.")


class Provenance(_Contract):
    """What one stage did to the article."""

    stage: str = Field(min_length=1, description="Name of the stage.")
    version: str = Field(min_length=1, description="Version of the stage's code.")
    models: tuple[ModelReference, ...] = Field(description="Models and tables that were used, sorted by name.")
    input_sha256: Sha256 = Field(
        description="SHA-256 of what the stage read: the raw body for `prepare`, the text in UTF-8 for the others."
    )


class Mention(_Contract):
    """One place where the text names an entity; `text[start:stop] == mention.text`."""

    start: int = Field(ge=0, description="First character, in Unicode code points into `article.text`.")
    stop: int = Field(gt=0, description="One past the last character, in Unicode code points into `article.text`.")
    text: str = Field(min_length=1, description="The mention as it stands in the text.")
    normal: str = Field(min_length=1, description="The mention in the nominative.")
    confidence: float = Field(
        ge=0,
        le=1,
        description="Probability by the sequence model that these are the bounds and the type of a name; 1 for a name "
        "that the tables are certain of.",
    )


class EntityName(_Contract):
    """Name of an entity in the languages of the line; null where it is not known."""

    en: str | None = Field(description="In English.")
    ru: str | None = Field(description="In Russian.")
    uk: str | None = Field(description="In Ukrainian.")


class Coordinates(_Contract):
    """Where a place lies, WGS 84."""

    latitude: float = Field(ge=-90, le=90, description="Decimal degrees, north positive.")
    longitude: float = Field(ge=-180, le=180, description="Decimal degrees, east positive.")


class Entity(_Contract):
    """A person, place or organisation with everything the text says of it."""

    id: str = Field(
        min_length=1,
        description="Wikidata id (`Q212`) where `linked`, else `urn:newsflow:entity:…`, the same for the same normal "
        "form and type everywhere.",
    )
    type: EntityType = Field(description="What kind of entity it is.")
    name: EntityName = Field(description="Its name, language by language.")
    country: str | None = Field(
        pattern=r"^[A-Z]{2}$",
        description="ISO 3166-1 alpha-2 code of the country that it is, lies in or belongs to; null where it has none "
        "or that is not known.",
    )
    coordinates: Coordinates | None = Field(description="Where it lies; null where that is not known.")
    linked: bool = Field(description="Whether `id` is a Wikidata id.")
    confidence: float = Field(ge=0, le=1, description="The highest confidence of its mentions.")
    salience: float = Field(
        ge=0,
        le=1,
        description="Its share of the article: each mention counts 1 + 1 / (1 + start / 500), so that the first lines "
        "count up to twice, over the sum of all entities' mentions. An article's saliences sum to 1 (to 0.0001).",
    )
    mentions: tuple[Mention, ...] = Field(min_length=1, description="In order of their start.")


class Passage(_Contract):
    """A stretch of the article that a label rests on."""

    part: Literal["title", "text"] = Field(description="Where it stands: `article.title` or `article.text`.")
    start: int = Field(ge=0, description="First code point of the passage in that part.")
    stop: int = Field(gt=0, description="Code point after the last one.")
    text: str = Field(min_length=1, description="The passage as it stands there.")


TopicCode = Annotated[str, Field(pattern=r"^medtop:[0-9]{8}$", description="Concept code, e.g. `medtop:16000000`.")]


class Topic(_Contract):
    """One IPTC Media Topic that the article is about."""

    code: TopicCode
    name: str = Field(min_length=1, description="English name of the concept.")
    score: float = Field(
        ge=0, le=1, description="Calibrated probability that the topic applies; at level 2 never above its parent's."
    )
    level: int = Field(ge=1, le=2, description="Level in the IPTC tree; 1 is the broadest.")
    parent: TopicCode | None = Field(
        default=None, description="At level 2 the topic of level 1 above it, which is there too."
    )
    evidence: tuple[Passage, ...] = Field(
        default=(),
        max_length=5,
        description="What speaks most for the topic, strongest first: without it the score is, as a rule, lower.",
    )


class MainEvent(_Contract):
    """What happens between actors in the article, as the event ontology PLOVER types it."""

    type: (
        Annotated[
            Literal[
                "AGREE",
                "CONSULT",
                "SUPPORT",
                "CONCEDE",
                "COOPERATE",
                "AID",
                "RETREAT",
                "INVESTIGATE",
                "DEMAND",
                "DISAPPROVE",
                "REJECT",
                "THREATEN",
                "PROTEST",
                "SANCTION",
                "MOBILIZE",
                "COERCE",
                "ASSAULT",
                "FIGHT",
            ],
            Field(json_schema_extra=_OPEN),
        ]
        | None
    ) = Field(description="PLOVER type of the event; null where only its class is certain enough.")
    score: float | None = Field(ge=0, le=1, description="Calibrated probability of the type; null where there is none.")
    quad_class: Literal["verbal_cooperation", "material_cooperation", "verbal_conflict", "material_conflict"] = Field(
        description="PLOVER's quad class of the event."
    )
    quad_score: float = Field(ge=0, le=1, description="Calibrated probability of the class.")
    sentence: Passage = Field(description="The sentence that reports the event.")


class PreparedEvent(_Contract):
    """`articles.prepared`: an article that can be enriched."""

    schema_version: str = Field(default=SCHEMA_VERSION, description="Version of this contract.")
    article: Article = Field(description="The article itself.")
    skipped: dict[str, str] = Field(
        description="Stage to the reason why its annotation is empty or null; `stage.field` for a second annotation."
    )
    provenance: tuple[Provenance, ...] = Field(description="One entry per stage, in the order they ran.")


class AnnotatedEvent(PreparedEvent):
    """`articles.annotated`: a prepared article with its entities."""

    entities: tuple[Entity, ...] = Field(description="In order of their first mention.")


class EnrichedEvent(AnnotatedEvent):
    """`articles.enriched`: the public event."""

    topics: tuple[Topic, ...] = Field(description="Highest score first; empty where none is certain enough.")
    main_event: MainEvent | None = Field(
        default=None, description="The article's main event; null where none is reported."
    )


def encode(event: PreparedEvent) -> bytes:
    """Return the event as UTF-8 JSON; field order is the model's, so equal events give equal bytes."""
    return event.model_dump_json().encode()
