"""The contract of every topic: one pydantic model per event, and what is generated from them.

`events.py` and `raw.py` hold the models, `headers.py` the names of topics and headers, `generate.py` writes the JSON
Schemas and the AsyncAPI document that lie beside it, `compatibility.py` refuses a change that would break a consumer.
"""

from schemas.dead_letters import DeadLetterReason
from schemas.events import (
    SCHEMA_VERSION,
    AnnotatedEvent,
    Article,
    Coordinates,
    EnrichedEvent,
    Entity,
    EntityName,
    EntityType,
    LanguagePart,
    MainEvent,
    Mention,
    ModelReference,
    Passage,
    PreparedEvent,
    Provenance,
    RemovalReason,
    RemovedParagraph,
    Topic,
    Warning_,
    encode,
)
from schemas.raw import RawArticleDocument

__all__ = [
    "SCHEMA_VERSION",
    "AnnotatedEvent",
    "Article",
    "Coordinates",
    "DeadLetterReason",
    "EnrichedEvent",
    "Entity",
    "EntityName",
    "EntityType",
    "LanguagePart",
    "MainEvent",
    "Mention",
    "ModelReference",
    "Passage",
    "PreparedEvent",
    "Provenance",
    "RawArticleDocument",
    "RemovalReason",
    "RemovedParagraph",
    "Topic",
    "Warning_",
    "encode",
]
