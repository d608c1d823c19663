"""Writes what other teams read of the contract: a JSON Schema per topic and one AsyncAPI document of the whole line.

`python -m schemas.generate` writes the files beside this module; `--release` also copies the JSON Schemas to
`released/<SCHEMA_VERSION>/`, from where `compatibility.py` holds later versions to them.
"""

import argparse
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from schemas import headers
from schemas.compatibility import OPEN, RELEASED, Schema, release_problems
from schemas.dead_letters import DeadLetterReason
from schemas.events import SCHEMA_VERSION, AnnotatedEvent, EnrichedEvent, PreparedEvent
from schemas.raw import RawArticleDocument

HERE: Final = Path(__file__).parent
LINE: Final = (
    ("prepare", headers.RAW, headers.PREPARED),
    ("entities", headers.PREPARED, headers.ANNOTATED),
    ("classify", headers.ANNOTATED, headers.ENRICHED),
)
"""Each stage with the topic it reads and the one it writes."""

_EVENTS: Final[dict[str, type[PreparedEvent]]] = {
    headers.PREPARED: PreparedEvent,
    headers.ANNOTATED: AnnotatedEvent,
    headers.ENRICHED: EnrichedEvent,
}
_EVENT_NOTES: Final = (
    "Offsets (`start`, `stop`) are Unicode code points into `article.text`, not UTF-16 units and not bytes; `stop` is "
    "exclusive. Times are RFC 3339 in UTC. The same raw record gives the same bytes. This schema is of exactly this "
    "version and closed; a later minor version may add fields, so code that reads events ignores fields that it does "
    f"not know. Where `{OPEN}` stands beside an enum, it also expects values that it does not know."
)
_KEY: Final[Schema] = {"type": "string", "description": "The raw record's key; the article's id where it had none."}
_TRACING: Final[Schema] = {
    headers.TRACEPARENT: {"type": "string", "description": "W3C trace context, carried through from the raw record."},
    headers.TRACESTATE: {"type": "string", "description": "W3C trace state, carried through from the raw record."},
    headers.REPLAYS: {
        "type": "string",
        "pattern": "^[0-9]+$",
        "description": "How often `newsflow dead replay` sent the record back; absent means never.",
    },
}
_TIME: Final[Schema] = {"type": "string", "format": "date-time", "description": "Time of the raw record, RFC 3339."}


class _Generator(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002  # pydantic's internal type
        return False  # "Text Sha256" says nothing that the field's name does not


def documents() -> dict[str, bytes]:
    """Return the content of every generated file by its path relative to the package `schemas`."""
    written: dict[str, Schema] = {f"json/{name}": schema for name, schema in json_schemas().items()}
    written["asyncapi.json"] = asyncapi()
    return {path: _encode(document) for path, document in sorted(written.items())}


def json_schemas() -> dict[str, Schema]:
    """Return the JSON Schema of every topic by file name."""
    return {f"{topic}.json": schema for topic, schema in _topic_schemas()}


def _topic_schemas() -> Iterator[tuple[str, Schema]]:
    yield headers.RAW, _topic_schema(headers.RAW, RawArticleDocument, "Raw article as JSON", "")
    for topic, model in _EVENTS.items():
        yield topic, _topic_schema(topic, model, model.__name__, _EVENT_NOTES)
    yield headers.DEAD, _dead_letter_headers()


def _topic_schema(topic: str, model: type[BaseModel], title: str, notes: str) -> Schema:
    # What we read is described as we validate it, what we write as we serialise it: there every field is present.
    mode: JsonSchemaMode = "validation" if topic == headers.RAW else "serialization"
    schema = model.model_json_schema(mode=mode, schema_generator=_Generator)
    description = " ".join(f"{inspect.getdoc(model)} {notes}".split())
    # `Warning_` is the Python name only: `Warning` is a built-in exception.
    text = json.dumps({**_head(topic, title, description), **_without(schema, "title", "description")})
    document: Schema = json.loads(text.replace('"Warning_"', '"InputWarning"').replace("/Warning_", "/InputWarning"))
    return document


def _head(topic: str, title: str, description: str) -> Schema:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": headers.dataschema(topic),
        "title": title,
        "description": description,
    }


def _dead_letter_headers() -> Schema:
    text = {"type": "string"}
    number = {"type": "string", "pattern": "^[0-9]+$"}
    reasons = [reason.value for reason in DeadLetterReason]
    properties = {
        headers.REASON: {
            "type": "string",
            "enum": reasons,
            OPEN: True,
            "description": "Why it could not be processed.",
        },
        headers.ERROR_TOPIC: {**text, "description": "Topic of the record that failed."},
        headers.ERROR_PARTITION: {**number, "description": "Its partition."},
        headers.ERROR_OFFSET: {**number, "description": "Its offset."},
        headers.ERROR_STAGE: {**text, "description": "The stage that refused it: `prepare`, `entities` or `classify`."},
        headers.ERROR_CLASS: {**text, "description": "Class of that stage."},
        headers.ERROR_EXCEPTION_CLASS: {**text, "description": "Class of the exception."},
        headers.ERROR_EXCEPTION_MESSAGE: {**text, "description": "Message of the exception."},
        headers.ERROR_EXCEPTION_STACKTRACE: {**text, "description": "Stack trace, where there is one."},
        headers.REPLAYS: _TRACING[headers.REPLAYS],
        headers.TRUNCATED: {
            **text,
            "description": "On a dead letter that is not whole: length of the original in bytes, where the topic could "
            "not take all of it (it had come compressed); the limit in bytes, where a compressed batch inflates to "
            "more and was not read. Such a dead letter cannot be replayed.",
        },
    }
    optional = {headers.ERROR_EXCEPTION_STACKTRACE, headers.REPLAYS, headers.TRUNCATED}
    return {
        **_head(
            headers.DEAD,
            "Headers of a dead letter",
            "The value and the key of a dead letter are those of the record that failed, byte for byte. Its headers "
            "are the original ones, in their order, and after them these (UTF-8 text; names as in Kafka Connect's "
            "dead-letter queue), which replace original ones of the same name.",
        ),
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


def asyncapi() -> Schema:
    """Return the AsyncAPI 3.0 document of the line: topics, records with their headers, who sends and receives them."""
    messages = _messages()
    channels = _channels()
    return {
        "asyncapi": "3.0.0",
        "id": "urn:newsflow:line",
        "info": {
            "title": "Newsflow",
            "version": SCHEMA_VERSION,
            "description": "Raw news articles in, enriched events out. Every record between the raw topic and the "
            "public one is a CloudEvent in Kafka's binary mode. Read with isolation level `read_committed`: outputs, "
            "dead letters and offsets are written in one transaction, so each article is seen exactly once. Records "
            "of one key keep their order. A null value is a tombstone: the article of that key is deleted.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": headers.JSON,
        "servers": {
            "kafka": {
                "host": "{brokers}",
                "protocol": "kafka",
                "description": "The cluster that `NEWSFLOW_BROKERS` names.",
                "variables": {"brokers": {"default": "localhost:9092", "description": "Bootstrap servers."}},
            }
        },
        "channels": channels,
        "operations": _operations(channels),
        "components": {"messages": messages, "schemas": _component_schemas()},
    }


def _ref(*path: str) -> Schema:
    return {"$ref": "#/" + "/".join(path)}


def _channels() -> Schema:
    # Topic to its description and the names of its messages.
    topics = {
        headers.RAW: (
            "Articles as scraped, written by anyone: JSON, plain text or HTML, told apart by the header `content-type` "
            "or by the body where that is missing.",
            ["RawArticle", "RawText", "RawHtml", "RawTombstone"],
        ),
        headers.PREPARED: ("Articles decoded, cleaned and identified.", ["Prepared", "PreparedTombstone"]),
        headers.ANNOTATED: ("Articles with their entities.", ["Annotated", "AnnotatedTombstone"]),
        headers.ENRICHED: ("Articles with entities and topics: the public topic.", ["Enriched", "EnrichedTombstone"]),
        headers.DEAD: ("What could not be processed, byte for byte, with the reason in its headers.", ["DeadLetter"]),
    }
    return {
        topic: {
            "address": topic,
            "title": topic,
            "description": f"{description} `NEWSFLOW_TOPIC_PREFIX` is put before the name.",
            "servers": [_ref("servers", "kafka")],
            "messages": {name: _ref("components", "messages", name) for name in names},
        }
        for topic, (description, names) in topics.items()
    }


def _operations(channels: Schema) -> Schema:
    def operation(action: str, topic: str, summary: str) -> Schema:
        return {
            "action": action,
            "channel": _ref("channels", topic),
            "summary": summary,
            "messages": [_ref("channels", topic, "messages", name) for name in channels[topic]["messages"]],
        }

    operations = {"publisherSend": operation("send", headers.RAW, "Anyone publishes raw articles.")}
    for stage, reads, writes in LINE:
        operations[f"{stage}Receive"] = operation("receive", reads, f"The stage `{stage}` reads.")
        operations[f"{stage}Send"] = operation("send", writes, f"The stage `{stage}` writes.")
        operations[f"{stage}Reject"] = operation("send", headers.DEAD, f"The stage `{stage}` refuses a record.")
    operations["consumerReceive"] = operation("receive", headers.ENRICHED, "Any team consumes enriched articles.")
    return operations


def _messages() -> Schema:
    any_key = {"description": "Any key, or none. Records of one key keep their order; a tombstone needs one."}
    raw_headers = _ref("components", "schemas", "RawHeaders")
    bodies = {
        "RawArticle": ("Raw article as JSON", headers.JSON, _ref("components", "schemas", "RawArticleDocument")),
        "RawText": (
            "Raw article as plain text",
            "text/plain",
            {"type": "string", "description": "The body, no title."},
        ),
        "RawHtml": ("Raw article as HTML", "text/html", {"type": "string", "description": "A page or a fragment."}),
    }
    messages = {
        name: _message(name, title, raw_headers, payload, any_key, content_type)
        for name, (title, content_type, payload) in bodies.items()
    }
    messages["RawTombstone"] = _tombstone("RawTombstone", raw_headers)
    for _stage, _reads, topic in LINE:
        name = topic.removeprefix("articles.").capitalize()
        messages[name] = _message(
            name,
            f"Article, {name.lower()}",
            _ref("components", "schemas", f"{name}Headers"),
            _ref("components", "schemas", _EVENTS[topic].__name__),
            _KEY,
            headers.JSON,
        )
        tombstone = f"{name}Tombstone"
        messages[tombstone] = _tombstone(tombstone, _ref("components", "schemas", f"{tombstone}Headers"))
    messages["DeadLetter"] = _message(
        "DeadLetter",
        "Record that could not be processed",
        _ref("components", "schemas", "DeadLetterHeaders"),
        {"description": "The original value, byte for byte, null included; empty where the key was null as well."},
        {"description": "The original key, byte for byte; null where that was null."},
        "application/octet-stream",
    )
    return messages


def _message(name: str, title: str, header: Schema, payload: Schema, key: Schema, content_type: str | None) -> Schema:
    return {
        "name": name,
        "title": title,
        **({"contentType": content_type} if content_type else {}),
        "headers": header,
        "payload": payload,
        "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
    }


def _tombstone(name: str, header: Schema) -> Schema:
    key = {"type": "string", "description": "Key of the article that is deleted; a tombstone without one is refused."}
    payload = {"type": "null", "description": "A null value: the article of this key is deleted."}
    return _message(name, "Article deleted", header, payload, key, None)


def _component_schemas() -> Schema:
    """Return every schema of the document by name.

    AsyncAPI's own dialect stems from JSON Schema draft 7 and has no `$defs`, so definitions become components; an
    embedded `$id` would turn the references into others, so it goes.
    """
    names = {
        headers.RAW: RawArticleDocument.__name__,
        headers.DEAD: "DeadLetterHeaders",
        **{topic: model.__name__ for topic, model in _EVENTS.items()},
    }
    found: Schema = {"RawHeaders": _raw_headers()}
    for topic, schema in _topic_schemas():
        text = json.dumps(_without(schema, "$schema", "$id")).replace('"#/$defs/', '"#/components/schemas/')
        bundle = json.loads(text)
        found |= bundle.pop("$defs", {})
        found[names[topic]] = bundle
    for stage, _reads, topic in LINE:
        name = topic.removeprefix("articles.").capitalize()
        found[f"{name}Headers"] = _event_headers(stage, topic)
        found[f"{name}TombstoneHeaders"] = _tombstone_headers(stage)
    return dict(sorted(found.items()))


def _raw_headers() -> Schema:
    media_type = {"type": "string", "description": "Media type, with the character set where it is not UTF-8."}
    return {
        "type": "object",
        "description": "No header is needed.",
        "properties": {headers.CONTENT_TYPE: media_type, **_TRACING},
    }


def _cloud_event_attributes(stage: str, type_name: str) -> Schema:
    return {
        headers.CE_SPECVERSION: {"type": "string", "const": headers.SPECVERSION},
        headers.CE_ID: {
            "type": "string",
            "format": "uuid",
            "description": "UUIDv5, the same for the same article, content, stage and version of the line: a repeated "
            "id is a repeated event.",
        },
        headers.CE_SOURCE: {"type": "string", "const": headers.source(stage)},
        headers.CE_TYPE: {"type": "string", "const": type_name},
        headers.CE_TIME: _TIME,
    }


def _event_headers(stage: str, topic: str) -> Schema:
    required = {
        **_cloud_event_attributes(stage, headers.type_name(topic)),
        headers.CE_SUBJECT: {"type": "string", "description": "The article's id."},
        headers.CE_DATASCHEMA: {
            "type": "string",
            "const": headers.dataschema(topic),
            "description": "`$id` of the JSON Schema of the value.",
        },
        headers.CONTENT_TYPE: {"type": "string", "const": headers.JSON},
    }
    return {"type": "object", "properties": {**required, **_TRACING}, "required": list(required)}


def _tombstone_headers(stage: str) -> Schema:
    subject = {"type": "string", "description": "The key as text."}
    required = {**_cloud_event_attributes(stage, headers.TYPE_DELETED), headers.CE_SUBJECT: subject}
    return {
        "type": "object",
        "description": f"`{headers.CE_DATASCHEMA}` and `{headers.CONTENT_TYPE}` are of the topic's events and may be "
        "missing: there is no value.",
        "properties": {**required, **_TRACING},
        "required": list(required),
    }


def _without(schema: Schema, *keys: str) -> Schema:
    return {key: value for key, value in schema.items() if key not in keys}


def _encode(document: Schema) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def main() -> int:
    """Write the generated files; return 1 where the version number does not allow the changes."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description="Write the schemas.")
    parser.add_argument("--release", action="store_true", help=f"also release them as version {SCHEMA_VERSION}")
    release = parser.parse_args().release
    written = documents()
    for path, content in written.items():
        _write(HERE / path, content)
    problems = release_problems(json_schemas(), SCHEMA_VERSION)
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    if problems:
        return 1
    if release:
        for path, content in written.items():
            if path.startswith("json/"):
                _write(RELEASED / SCHEMA_VERSION / Path(path).name, content)
    return 0


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    sys.stdout.write(f"{path.relative_to(HERE.parent)}\n")


if __name__ == "__main__":
    sys.exit(main())
