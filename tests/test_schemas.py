import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # has no types of its own; only tests use it
import pytest
from pydantic import ValidationError

from schemas import EnrichedEvent, RawArticleDocument, encode, headers
from schemas.compatibility import Schema, breaking_changes, release_problems
from schemas.dead_letters import DeadLetterReason
from schemas.events import SCHEMA_VERSION
from schemas.generate import HERE, LINE, asyncapi, documents, json_schemas

SHA = "0" * 64
TEXT = "😀 Киев"
EVENT: dict[str, Any] = {
    "schema_version": SCHEMA_VERSION,
    "article": {
        "id": "a-1",
        "source": "example.org",
        "url": None,
        "title": None,
        "author": None,
        "published_at": "2024-11-08T10:00:00.5Z",
        "fetched_at": None,
        "language": "ru",
        "language_parts": [],
        "text": TEXT,
        "text_sha256": SHA,
        "removed": [{"reason": "media_duration", "text": "00:49"}],
        "warnings": [{"field": "fetched_at", "reason": "not_a_timestamp", "value": ["yesterday", {"x": 1}]}],
        "metadata": {"tags": ["a", None, 1.5], "nested": {"title": "kept"}},
    },
    "skipped": {"classify": "too_short"},
    "provenance": [
        {
            "stage": "entities",
            "version": "1",
            "models": [{"name": "slovnet_ner_news_v1", "sha256": SHA}],
            "input_sha256": SHA,
        }
    ],
    "entities": [
        {
            "id": "Q1899",
            "type": "LOC",
            "name": {"en": "Kyiv", "ru": "Киев", "uk": None},
            "country": "UA",
            "coordinates": {"latitude": 50.45, "longitude": 30.52},
            "linked": True,
            "confidence": 0.9,
            "salience": 1.0,
            # An emoji is one code point, but two UTF-16 units and four bytes.
            "mentions": [{"start": 2, "stop": 6, "text": TEXT[2:6], "normal": "Киев", "confidence": 0.9}],
        }
    ],
    "topics": [
        {
            "code": "medtop:16000000",
            "name": "conflict, war and peace",
            "score": 0.75,
            "level": 1,
            "parent": None,
            "evidence": [{"part": "text", "start": 2, "stop": 6, "text": TEXT[2:6]}],
        }
    ],
    "main_event": {
        "type": None,
        "score": None,
        "quad_class": "material_conflict",
        "quad_score": 0.6,
        "sentence": {"part": "text", "start": 0, "stop": len(TEXT), "text": TEXT},
    },
}


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the event with the value at the path (`article.id`, `topics.0.score`) set."""
    event = copy.deepcopy(EVENT)
    *parents, last = path.split(".")
    place: Any = event
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place[part]
    place[last] = value
    return event


def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json_schemas()[name])


def walk(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from walk(child)
    elif isinstance(node, list):
        for child in node:
            yield from walk(child)


# -- the generated files ------------------------------------------------------------------------------------------


def test_the_committed_files_are_those_that_the_models_give() -> None:
    generated = documents()
    committed = {
        str(file.relative_to(HERE)): file.read_bytes() for file in [*HERE.glob("json/*"), HERE / "asyncapi.json"]
    }
    assert generated == committed, "run `python -m schemas.generate` and commit the result"
    assert all(content.endswith(b"}\n") for content in generated.values())


def test_generating_twice_gives_the_same_bytes() -> None:
    assert list(documents().items()) == list(documents().items())


@pytest.mark.parametrize("topic", headers.TOPICS)
def test_every_topic_has_a_valid_json_schema_that_names_itself(topic: str) -> None:
    schema = json_schemas()[f"{topic}.json"]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == headers.dataschema(topic) == f"urn:newsflow:schema:{topic}:{SCHEMA_VERSION}"
    assert schema["title"]
    assert schema["description"]
    jsonschema.Draft202012Validator.check_schema(schema)
    for node in walk(schema):
        if isinstance(reference := node.get("$ref"), str):
            assert reference.removeprefix("#/$defs/") in schema["$defs"]


@pytest.mark.parametrize("topic", [headers.PREPARED, headers.ANNOTATED, headers.ENRICHED])
def test_every_field_of_an_event_is_described_and_the_offsets_are_code_points(topic: str) -> None:
    schema = json_schemas()[f"{topic}.json"]
    assert "Unicode code points" in schema["description"]
    for part in [schema, *schema["$defs"].values()]:
        for name, field in part.get("properties", {}).items():
            assert field.get("description"), f"{part['title']}.{name}"
        assert set(part.get("required", ())) == set(part.get("properties", ()))


# -- events -------------------------------------------------------------------------------------------------------


def test_an_event_passes_the_schema_and_the_model_and_comes_back_unchanged() -> None:
    validator("articles.enriched.json").validate(EVENT)
    assert json.loads(encode(EnrichedEvent.model_validate_json(json.dumps(EVENT)))) == EVENT


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("extra", 1),
        ("article.extra", 1),
        ("topics.0.extra", 1),
        ("article.id", ""),
        ("article.id", 1),
        ("article.language", "de"),
        ("article.published_at", "2024-11-08 10:00"),
        ("article.published_at", "2024-11-08T10:00:00+03:00"),
        ("article.published_at", "٢٠٢٤-11-08T10:00:00Z"),
        ("article.text_sha256", "A" * 64),
        ("entities.0.type", "MISC"),
        ("entities.0.mentions", []),
        ("entities.0.mentions.0.start", -1),
        ("entities.0.country", "rus"),
        ("topics.0.score", 1.5),
        ("topics.0.code", "16000000"),
        ("skipped", {"classify": None}),
    ],
)
def test_the_schema_and_the_model_refuse_the_same(path: str, value: object) -> None:
    event = changed(path, value)
    assert not validator("articles.enriched.json").is_valid(event)
    with pytest.raises(ValidationError):
        EnrichedEvent.model_validate_json(json.dumps(event))


def test_an_event_that_lacks_a_field_is_refused() -> None:
    for name in EVENT:
        event = {key: value for key, value in EVENT.items() if key != name}
        assert not validator("articles.enriched.json").is_valid(event), name


@pytest.mark.parametrize(
    ("document", "valid"),
    [
        ({"text": "a"}, True),
        ({"html": "<p>a"}, True),
        ({"text": "a", "title": None, "tags": ["anything"]}, True),
        ({"title": "no body"}, False),
        ({"text": "a", "title": 1}, False),
        ([], False),
    ],
)
def test_the_raw_schema_asks_for_a_body_and_takes_other_fields(document: object, valid: bool) -> None:
    assert validator("articles.raw.json").is_valid(document) is valid


def test_the_raw_model_keeps_unknown_fields() -> None:
    assert RawArticleDocument.model_validate({"text": "a", "tags": [1]}).model_extra == {"tags": [1]}


def test_the_headers_of_a_dead_letter_are_those_of_kafka_connect_beside_the_original_ones() -> None:
    record = {
        "content-type": "text/plain",
        "newsflow.reason": "enricher_failed",
        "__connect.errors.topic": "articles.raw",
        "__connect.errors.partition": "0",
        "__connect.errors.offset": "17",
        "__connect.errors.stage": "prepare",
        "__connect.errors.class.name": "streams.prepare.Prepare",
        "__connect.errors.exception.class.name": "ValueError",
        "__connect.errors.exception.message": "",
        "__connect.errors.exception.stacktrace": "Traceback …",
        "newsflow.replays": "2",
        "newsflow.truncated": "20000000",
    }
    schema = json_schemas()["articles.dead.json"]
    assert set(schema["properties"]) == set(record) - {"content-type"}
    assert schema["properties"][headers.REASON]["enum"] == [reason.value for reason in DeadLetterReason]
    validator("articles.dead.json").validate(record)
    assert not validator("articles.dead.json").is_valid({**record, "newsflow.reason": "other"})
    assert not validator("articles.dead.json").is_valid({**record, "__connect.errors.offset": "-1"})


# -- AsyncAPI -----------------------------------------------------------------------------------------------------


def resolve(document: Schema, reference: str) -> Schema:
    assert reference.startswith("#/")
    for part in reference[2:].split("/"):
        document = document[part]
    return document


def test_the_asyncapi_document_has_what_version_3_requires_and_its_references_lead_somewhere() -> None:
    document = asyncapi()
    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= document["info"].keys()
    assert set(document["channels"]) == set(headers.TOPICS)
    for node in walk(document):
        assert "$id" not in node, "an `$id` would change what the references below it mean"
        if isinstance(reference := node.get("$ref"), str):
            assert resolve(document, reference) is not None
    for operation in document["operations"].values():
        assert operation["action"] in ("send", "receive")
        # An operation may only name messages of its own channel.
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{operation['channel']['$ref']}/messages/")


def test_every_stage_and_the_public_consumer_have_their_operations() -> None:
    operations = {
        name: (operation["action"], operation["channel"]["$ref"].removeprefix("#/channels/"))
        for name, operation in asyncapi()["operations"].items()
    }
    assert operations == {
        "publisherSend": ("send", "articles.raw"),
        "prepareReceive": ("receive", "articles.raw"),
        "prepareSend": ("send", "articles.prepared"),
        "prepareReject": ("send", "articles.dead"),
        "entitiesReceive": ("receive", "articles.prepared"),
        "entitiesSend": ("send", "articles.annotated"),
        "entitiesReject": ("send", "articles.dead"),
        "classifyReceive": ("receive", "articles.annotated"),
        "classifySend": ("send", "articles.enriched"),
        "classifyReject": ("send", "articles.dead"),
        "consumerReceive": ("receive", "articles.enriched"),
    }


@pytest.mark.parametrize(("stage", "topic"), [(stage, writes) for stage, _reads, writes in LINE])
def test_events_and_tombstones_carry_the_headers_of_a_cloud_event(stage: str, topic: str) -> None:
    document = asyncapi()
    event, tombstone = (
        resolve(document, message["$ref"]) for message in document["channels"][topic]["messages"].values()
    )
    name = topic.removeprefix("articles.")
    record = {
        "ce_specversion": "1.0",
        "ce_id": "0b2a5c1e-7a0f-5d53-8d7e-3f5d3a4c2b10",
        "ce_source": f"urn:newsflow:line:{stage}",
        "ce_type": f"newsflow.article.{name}",
        "ce_time": "2024-11-08T10:00:00Z",
        "ce_subject": "a-1",
        "ce_dataschema": f"urn:newsflow:schema:{topic}:{SCHEMA_VERSION}",
        "content-type": "application/json",
    }
    schema = resolve(document, event["headers"]["$ref"])
    assert schema["required"] == list(record)
    assert set(schema["properties"]) - set(record) == {"traceparent", "tracestate", "newsflow.replays"}
    jsonschema.validate(record, schema)
    deleted = {**record, "ce_type": "newsflow.article.deleted"}
    del deleted["ce_dataschema"], deleted["content-type"]
    jsonschema.validate(deleted, resolve(document, tombstone["headers"]["$ref"]))
    assert tombstone["payload"]["type"] == "null"
    assert event["bindings"]["kafka"]["key"]["description"]


def test_the_asyncapi_payload_accepts_and_refuses_as_the_json_schema_does() -> None:
    document = asyncapi()
    payload = {**document, "$ref": "#/components/schemas/EnrichedEvent"}
    checker = jsonschema.Draft202012Validator(payload)
    checker.validate(EVENT)
    assert not checker.is_valid(changed("article.extra", 1))


# -- compatibility ------------------------------------------------------------------------------------------------

BASE: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "title", "kind", "reason", "part", "parts"],
    "properties": {
        "id": {"type": "string", "minLength": 1, "pattern": "^a"},
        "title": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "kind": {"enum": ["PER", "LOC"], "type": "string"},
        "reason": {"enum": ["a", "b"], "type": "string", "x-newsflow-open": True},
        "part": {"$ref": "#/$defs/Part"},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "minItems": 1},
        "note": {"type": "string"},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "open": {"type": "object", "properties": {}},
        "tree": {"$ref": "#/$defs/Tree"},
        "any": {},
    },
    "$defs": {
        "Part": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"score": {"type": "number", "minimum": 0, "maximum": 1}, "level": {"type": "integer"}},
            "required": ["score"],
        },
        "Tree": {"type": "object", "properties": {"children": {"items": {"$ref": "#/$defs/Tree"}, "type": "array"}}},
    },
}
REMOVE = object()
REQUIRED = BASE["required"]


def edited(edits: dict[str, Any]) -> Schema:
    """Return BASE with the value at each path (parts separated by `/`) set or removed."""
    schema = copy.deepcopy(BASE)
    for path, value in edits.items():
        *parents, last = path.split("/")
        place: Any = schema
        for part in parents:
            place = place[int(part)] if isinstance(place, list) else place[part]
        if value is REMOVE:
            del place[last]
        else:
            place[last] = value
    return schema


REFUSED = [
    # What old records or old consumers cannot do, as a part of the message.
    ({"properties/note": REMOVE}, "$.note: field removed"),
    ({"properties/note": REMOVE, "properties/remark": {"type": "string"}}, "$.note: field removed"),
    ({"$defs/Part/properties/level": REMOVE}, "$.parts[*].level: field removed"),
    ({"properties/new": {"type": "string"}, "required": [*REQUIRED, "new"]}, "$.new: field is required and has no de"),
    ({"required": [*REQUIRED, "note"]}, "$.note: field is required and has no default"),
    ({"required": REQUIRED[1:]}, "$.id: field may now be missing"),
    ({"properties/id/type": "integer"}, "$.id: string is no longer allowed"),
    ({"properties/id/type": "integer"}, "$.id: may now be integer"),
    ({"$defs/Part/properties/score/type": "integer"}, "$.part.score: number is no longer allowed"),
    ({"$defs/Part/properties/level/type": "number"}, "$.part.level: may now be number"),
    ({"properties/id/type": ["string", "null"]}, "$.id: may now be null"),
    ({"properties/title": {"type": "string"}}, "$.title: null is no longer allowed"),
    ({"properties/title/anyOf": [{"type": "string"}]}, "$.title: null is no longer allowed"),
    ({"properties/note": {}}, "$.note: may now be any value"),
    ({"properties/any": {"type": "string"}}, "$.any: any value is no longer allowed"),
    ({"properties/any": False}, "$.any: not added"),
    ({"properties/kind/enum": ["PER"]}, '$.kind: values removed: "LOC"'),
    ({"properties/kind/enum": ["PER", "LOC", "ORG"]}, '$.kind: values added to a closed list: "ORG"'),
    ({"properties/kind/x-newsflow-open": True}, "$.kind: a closed list of values was declared open"),
    ({"properties/kind/enum": REMOVE}, "$.kind: values are no longer limited"),
    ({"properties/kind": {"const": "PER"}}, '$.kind: values removed: "LOC"'),
    ({"properties/note/enum": ["x"]}, "$.note: only listed values"),
    ({"properties/reason/enum": ["a"]}, '$.reason: values removed: "b"'),
    ({"properties/id/minLength": 2}, "$.id: minLength changed from 1 to 2; records"),
    ({"properties/id/minLength": REMOVE}, "$.id: minLength changed from 1 to none; consumers"),
    ({"properties/id/maxLength": 9}, "$.id: maxLength changed from none to 9; records"),
    ({"$defs/Part/properties/score/maximum": 2}, "$.parts[*].score: maximum changed from 1 to 2; consumers"),
    ({"$defs/Part/properties/score/minimum": 0.5}, "$.part.score: minimum changed from 0 to 0.5; records"),
    ({"properties/parts/minItems": 2}, "$.parts: minItems changed"),
    ({"properties/parts/items": {"type": "string"}}, "$.parts[*]: object is no longer allowed"),
    ({"properties/id/pattern": "^b"}, '$.id: pattern changed from "^a" to "^b"'),
    ({"properties/note/pattern": "^b"}, "$.note: pattern added"),
    ({"properties/id/pattern": REMOVE}, "$.id: pattern was taken away"),
    ({"properties/note/not": {"const": "x"}}, "$.note: not added"),
    ({"properties/map/additionalProperties": {"type": "integer"}}, "$.map.*: string is no longer allowed"),
    ({"properties/map/additionalProperties": True}, "$.map.*: may now be any value"),
    ({"properties/map/additionalProperties": False}, "$.map: fields that the schema does not name"),
    ({"properties/map/properties": {"x": {"type": "integer"}}}, "$.map.x: string is no longer allowed"),
    ({"properties/open/additionalProperties": False}, "$.open: fields that the schema does not name"),
    ({"properties/open/properties": {"x": {}}, "properties/open/required": ["x"]}, "$.open.x: field is required"),
    ({"$defs/Tree/properties/children/maxItems": 2}, "$.tree.children: maxItems changed"),
    (
        {"properties/title/anyOf": [{"type": "string"}, {"type": "string", "maxLength": 3, "enum": ["x"]}]},
        "$.title: null is no longer allowed",
    ),
    (
        {"properties/id": {"anyOf": [{"type": "string", "minLength": 1, "pattern": "^a"}, {"const": "zzz"}]}},
        "$.id: may now be another kind of string",
    ),
]
ALLOWED = [
    {},
    {"description": "Other words.", "title": "Other", "$id": "urn:other", "properties/id/examples": ["a"]},
    {"properties/new": {"type": "string"}},
    {"properties/new": {"type": "string", "default": ""}, "required": [*REQUIRED, "new"]},
    {"properties/reason/enum": ["a", "b", "c"]},
    {"properties/open/properties": {"x": {"type": "string"}}},
    {"properties/map/properties": {"x": {"type": "string"}}},
    {"additionalProperties": True},
    {"required": list(reversed(REQUIRED))},
    # The same contract written in another way.
    {"properties/title": {"type": ["null", "string"]}},
    {"properties/title": {"oneOf": [{"type": "null"}, {"type": "string"}]}},
    {"properties/part": {"allOf": [{"$ref": "#/$defs/Part"}], "description": "Words."}},
    {"properties/part": BASE["$defs"]["Part"]},
    {"$defs/Renamed": BASE["$defs"]["Part"], "properties/part": {"$ref": "#/$defs/Renamed"}},
    {"properties/kind": {"enum": ["LOC", "PER"]}},
]


@pytest.mark.parametrize(("edits", "message"), REFUSED, ids=lambda value: value if isinstance(value, str) else "")
def test_a_change_that_breaks_someone_is_refused_with_its_place(edits: dict[str, Any], message: str) -> None:
    messages = breaking_changes(BASE, edited(edits))
    assert any(found.startswith(message) for found in messages), messages
    assert len(messages) == len(set(messages))


@pytest.mark.parametrize("edits", ALLOWED, ids=str)
def test_a_change_that_breaks_nobody_is_allowed(edits: dict[str, Any]) -> None:
    assert breaking_changes(BASE, edited(edits)) == []


@pytest.mark.parametrize(
    "edits",
    [
        {"required": []},
        {"properties/id/type": ["string", "integer"]},
        {"properties/kind/enum": ["PER", "LOC", "ORG"]},
        {"properties/id/pattern": REMOVE},
        {"properties/id/minLength": 0},
    ],
    ids=str,
)
def test_what_only_we_read_may_accept_more(edits: dict[str, Any]) -> None:
    assert breaking_changes(BASE, edited(edits), accepted=True) == []
    assert breaking_changes(BASE, edited(edits))


@pytest.mark.parametrize(
    "edits",
    [
        {"properties/note": REMOVE},
        {"required": [*REQUIRED, "note"]},
        {"properties/kind/enum": ["PER"]},
        {"properties/title": {"type": "string"}},
        {"properties/id/pattern": "^b"},
    ],
    ids=str,
)
def test_what_only_we_read_may_not_accept_less(edits: dict[str, Any]) -> None:
    assert breaking_changes(BASE, edited(edits), accepted=True)


def test_alternatives_at_the_root_are_compared_each_with_its_like() -> None:
    raw = json_schemas()["articles.raw.json"]
    assert breaking_changes(raw, raw) == []
    only_text = {key: value for key, value in raw.items() if key != "anyOf"} | {"required": ["text"]}
    assert breaking_changes(raw, only_text, accepted=True)
    assert breaking_changes(only_text, raw, accepted=True) == []


@pytest.mark.parametrize("reference", ["other.json#/X", "#/$defs/Missing", "#/$defs/Loop"])
def test_a_reference_that_leads_nowhere_is_an_error(reference: str) -> None:
    schema = {"properties": {"a": {"$ref": reference}}, "$defs": {"Loop": {"$ref": "#/$defs/Loop"}}}
    with pytest.raises(ValueError, match=r"cannot resolve \$ref"):
        breaking_changes({"properties": {"a": {}}}, schema)


# -- releases -----------------------------------------------------------------------------------------------------


def test_the_current_schemas_keep_what_was_released() -> None:
    assert release_problems(json_schemas(), SCHEMA_VERSION) == []
    assert list((HERE / "released").glob("*/articles.enriched.json")), "nothing is released to compare with"


@pytest.mark.parametrize(
    ("edits", "version", "problem"),
    [
        ({}, "1.2.0", None),
        ({"description": "Other words."}, "1.2.0", None),
        ({"properties/new": {}}, "1.2.0", "raise the second number"),
        ({"properties/new": {}}, "1.2.1", "raise the second number"),
        ({"properties/new": {}}, "1.3.0", None),
        ({"properties/id/description": "Other words."}, "1.2.0", None),
        ({"properties/note": REMOVE}, "1.3.0", "$.note: field removed"),
        ({"properties/note": REMOVE}, "2.0.0", None),
        ({}, "1.1.0", "is lower than the released"),
    ],
)
def test_a_change_needs_the_version_number_that_it_deserves(
    tmp_path: Path, edits: dict[str, Any], version: str, problem: str | None
) -> None:
    (tmp_path / "1.2.0").mkdir()
    (tmp_path / "1.2.0" / "a.json").write_text(json.dumps(BASE))
    problems = release_problems({"a.json": edited(edits)}, version, tmp_path)
    assert [problem in text for text in problems] == [True] if problem else problems == []


def test_every_release_of_the_major_version_counts_in_order_of_number(tmp_path: Path) -> None:
    for version, edits in {"1.9.0": {}, "1.10.0": {"properties/new": {"type": "string"}}}.items():
        (tmp_path / version).mkdir()
        (tmp_path / version / "a.json").write_text(json.dumps(edited(edits)))
    assert release_problems({"a.json": BASE}, "1.11.0", tmp_path) == [
        "a.json since 1.10.0: $.new: field removed; a rename counts as removing the field and adding another"
    ]
    assert release_problems({}, "1.11.0", tmp_path)[0] == "a.json since 1.9.0: the schema is gone"
    assert release_problems({}, "1.0.0", tmp_path / "none") == []
