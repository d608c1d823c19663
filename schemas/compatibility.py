"""Which changes of a schema would break someone, judged as a schema registry does, and a little stricter.

Two sides have to be kept whole at once:

* **New code reads old records** (a registry's BACKWARD): topics keep records for ever and dead letters are replayed.
  Nothing that was valid may become invalid. A new required field is allowed only with a default.
* **Old code reads new records** (FORWARD): other teams' consumers are not upgraded with us. No field may be removed,
  renamed, become optional or nullable, or hold what it could not hold before.

What we decided where registries differ:

* A new field is allowed. Consumers ignore fields that they do not know; who validates takes the schema that the record
  names in `ce_dataschema`, not a newer or older one. The generated schemas stay closed so that our own mistakes show.
* A new value in an enum breaks a consumer that handles each value, so it is refused. Lists that are meant to grow say
  so from their first release, with `x-newsflow-open: true`; their readers must expect values that they do not know.
  A closed list cannot be declared open later.
* A new field in an object that takes any other field is allowed. A registry refuses it, since an old record may hold
  something else under that name; here only raw articles and headers are open, and their readers never trust a type.
* What cannot be judged (a changed pattern, `not`, `if`, several `allOf`) is refused.

`articles.raw` is the other way round: others write it and only we read it, so there only the first side counts.
"""

import json
import math
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final

Schema = dict[str, Any]

OPEN: Final = "x-newsflow-open"
"""Keyword beside an enum: new values may come in a minor version."""
RELEASED: Final = Path(__file__).parent / "released"
"""One directory per released version with that version's JSON Schemas."""
ACCEPTED: Final = frozenset({"articles.raw.json"})
"""Schemas of what others write and only the line reads."""

_ANNOTATIONS: Final = frozenset(
    {
        *("$anchor", "$comment", "$defs", "$id", "$schema", "contentMediaType", "default", "definitions"),
        *("deprecated", "description", "examples", "readOnly", "title", "writeOnly"),
    }
)
_LOWER: Final = {
    "minimum": -math.inf,
    "exclusiveMinimum": -math.inf,
    "minLength": 0,
    "minItems": 0,
    "minProperties": 0,
}
_UPPER: Final = dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), math.inf)
_JUDGED: Final = frozenset({"type", "enum", "const", "properties", "required", "additionalProperties", "items"})
_SUBSCHEMA_MAPS: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_ANY: Final = "any value"


def breaking_changes(old_schema: Schema, new_schema: Schema, *, accepted: bool = False) -> list[str]:
    """Return what in the new schema breaks users of the old one, one message per change; empty if nothing does.

    Args:
        old_schema: The released JSON Schema.
        new_schema: The one that is to replace it.
        accepted: The schema is of what others write and only this line reads: accepting more breaks nobody.

    Raises:
        ValueError: a `$ref` does not point into its own document.
    """
    messages = _Comparison(old_schema, new_schema, accepted).nodes("$", old_schema, new_schema, frozenset())
    return list(dict.fromkeys(messages))


def release_problems(
    current: Mapping[str, Schema], version: str, released: Path = RELEASED, accepted: Iterable[str] = ACCEPTED
) -> list[str]:
    """Return why the current schemas may not bear this version number, given all that was released.

    A breaking change needs a new major version, any other change of shape a new minor one; a change of wording needs
    none. Every release of the same major version counts, not only the last.

    Args:
        current: File name to JSON Schema.
        version: Version of the current schemas, `major.minor.patch`.
        released: Directory with one directory per released version.
        accepted: File names of the schemas of what only this line reads.
    """
    now = _version(version)
    problems = []
    directories = released.iterdir() if released.is_dir() else ()  # nothing was released yet
    for directory in sorted(directories, key=lambda path: _version(path.name)):
        then = _version(directory.name)
        if now < then:
            problems.append(f"version {version} is lower than the released {directory.name}")
        if now[0] != then[0]:
            continue
        for file in sorted(directory.glob("*.json")):
            old = json.loads(file.read_bytes())
            new = current.get(file.name)
            label = f"{file.name} since {directory.name}"
            if new is None:
                problems.append(f"{label}: the schema is gone")
                continue
            breaking = breaking_changes(old, new, accepted=file.name in accepted)
            problems += [f"{label}: {message}" for message in breaking]
            if not breaking and now[:2] == then[:2] and _shape(old) != _shape(new):
                problems.append(f"{label}: the shape changed; raise the second number of SCHEMA_VERSION")
    return problems


def _version(text: str) -> tuple[int, int, int]:
    major, minor, patch = map(int, text.split("."))
    return major, minor, patch


def _shape(node: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Return the schema without annotations: what decides which values are valid."""
    if isinstance(node, list):
        return [_shape(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        # Names below these are fields or definitions, not keywords: a field may be called `title`.
        key: {name: _shape(value) for name, value in child.items()} if key in _SUBSCHEMA_MAPS else _shape(child)
        for key, child in node.items()
        if key not in _ANNOTATIONS or key in _SUBSCHEMA_MAPS
    }


def _resolve(root: Schema, node: Schema | bool) -> Schema:
    """Return the node with its `$ref` replaced by what that points to; keywords beside the `$ref` are kept."""
    if isinstance(node, bool):
        return {} if node else {"not": {}}
    followed = set()
    while "$ref" in node:
        reference = node["$ref"]
        if not reference.startswith("#") or reference in followed:
            msg = f"cannot resolve $ref {reference!r}: it must point into the same document and not to itself"
            raise ValueError(msg)
        followed.add(reference)
        target: Any = root
        for part in reference[1:].split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(target, dict) or key not in target:
                msg = f"cannot resolve $ref {reference!r}: there is nothing at that place"
                raise ValueError(msg)
            target = target[key]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def _merge(node: Schema, part: Schema) -> Schema:
    """Return the two schemas as one that demands both, as far as objects' fields go."""
    merged = {**node, **part}
    if "properties" in node and "properties" in part:
        merged["properties"] = {**node["properties"], **part["properties"]}
    if "required" in node and "required" in part:
        merged["required"] = sorted({*node["required"], *part["required"]})
    return merged


def _alternatives(root: Schema, node: Schema | bool) -> list[Schema]:
    """Return the schemas of one type each of which the node allows any."""
    node = _resolve(root, node)
    if len(node.get("allOf", ())) == 1:
        rest = {key: value for key, value in node.items() if key != "allOf"}
        return _alternatives(root, _merge(rest, _resolve(root, node["allOf"][0])))
    # `oneOf` is read as `anyOf`: that no value fits two alternatives is a matter of how they are told apart.
    for keyword in ("anyOf", "oneOf"):
        if keyword in node:
            rest = {key: value for key, value in node.items() if key != keyword}
            branches = (_alternatives(root, _merge(rest, _resolve(root, branch))) for branch in node[keyword])
            return list(chain.from_iterable(branches))
    if isinstance(node.get("type"), list):
        return [{**node, "type": name} for name in node["type"]]
    return [node]


def _type(node: Schema) -> str:
    if "type" in node:
        return str(node["type"])
    if "properties" in node or "required" in node:
        return "object"
    names = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
    found = {names.get(type(value), _ANY) for value in _values(node) or ()}
    return found.pop() if len(found) == 1 else _ANY


def _values(node: Schema) -> list[Any] | None:
    return [node["const"]] if "const" in node else node.get("enum")


def _covers(wide: str, narrow: str) -> bool:
    return wide in (narrow, _ANY) or (wide, narrow) == ("number", "integer")


class _Comparison:
    """Compares two documents; every method returns messages and changes nothing."""

    def __init__(self, old: Schema, new: Schema, accepted: bool) -> None:
        self.old_root = old
        self.new_root = new
        self.accepted = accepted

    def narrowed(self, path: str, what: str) -> list[str]:
        return [f"{path}: {what}; records that were valid are refused"]

    def widened(self, path: str, what: str) -> list[str]:
        return [] if self.accepted else [f"{path}: {what}; consumers of the released schema do not expect that"]

    def nodes(
        self, path: str, old: Schema | bool, new: Schema | bool, visiting: frozenset[tuple[str, str]]
    ) -> list[str]:
        """Compare what two schemas allow; pairs of `$ref`s in `visiting` are being compared further up."""
        if old is True and new is True:
            return []
        if isinstance(old, dict) and isinstance(new, dict) and "$ref" in old and "$ref" in new:
            references = (old["$ref"], new["$ref"])
            if references in visiting:
                return []
            visiting |= {references}
        olds = _alternatives(self.old_root, old)
        news = _alternatives(self.new_root, new)
        messages: list[str] = []
        paired: list[Schema] = []
        for before in olds:
            candidates = [after for after in news if _covers(_type(after), _type(before))]
            if not candidates:
                messages += self.narrowed(path, f"{_type(before)} is no longer allowed")
                continue
            verdicts = [self.pair(path, before, after, visiting) for after in candidates]
            best = min(range(len(verdicts)), key=lambda index: len(verdicts[index]))
            messages += verdicts[best]
            paired.append(candidates[best])
        for after in news:
            candidates = [before for before in olds if _covers(_type(before), _type(after))]
            if not candidates:
                messages += self.widened(path, f"may now be {_type(after)}")
            elif not any(after is other for other in paired) and all(
                self.pair(path, before, after, visiting) for before in candidates
            ):
                messages += self.widened(path, f"may now be another kind of {_type(after)}")
        return messages

    def pair(self, path: str, old: Schema, new: Schema, visiting: frozenset[tuple[str, str]]) -> list[str]:
        """Compare two schemas of one type."""
        if _ANY in (_type(old), _type(new)) and _type(old) != _type(new):
            return []  # `nodes` has said that the type changed; limits of a type mean nothing for the others
        return [
            *self.values(path, old, new),
            *self.limits(path, old, new),
            *self.fields(path, old, new, visiting),
            *self.items(path, old, new, visiting),
            *self.unjudged(path, old, new),
        ]

    def values(self, path: str, old: Schema, new: Schema) -> list[str]:
        before, after = _values(old), _values(new)
        if before is None and after is None:
            return []
        if before is None:
            return self.narrowed(path, "only listed values are allowed now")
        if after is None:
            return self.widened(path, "values are no longer limited to a list")
        messages = []
        if removed := [value for value in before if value not in after]:
            messages += self.narrowed(path, f"values removed: {_listed(removed)}")
        added = [value for value in after if value not in before]
        if added and not old.get(OPEN):
            messages += self.widened(path, f"values added to a closed list: {_listed(added)}")
        if new.get(OPEN) and not old.get(OPEN):
            messages += self.widened(path, "a closed list of values was declared open")
        return messages

    def limits(self, path: str, old: Schema, new: Schema) -> list[str]:
        messages = []
        for keyword, unlimited in {**_LOWER, **_UPPER}.items():
            before, after = old.get(keyword, unlimited), new.get(keyword, unlimited)
            if before == after:
                continue
            what = f"{keyword} changed from {old.get(keyword, 'none')} to {new.get(keyword, 'none')}"
            raised = after > before
            messages += (self.narrowed if raised == (keyword in _LOWER) else self.widened)(path, what)
        return messages

    def fields(self, path: str, old: Schema, new: Schema, visiting: frozenset[tuple[str, str]]) -> list[str]:
        befores, afters = old.get("properties", {}), new.get("properties", {})
        was_required, is_required = set(old.get("required", ())), set(new.get("required", ()))
        others_before, others_after = old.get("additionalProperties", True), new.get("additionalProperties", True)
        messages = []
        for name in dict.fromkeys([*befores, *afters, *sorted(was_required | is_required)]):
            place = f"{path}.{name}"
            if name in befores and name not in afters:
                messages += [f"{place}: field removed; a rename counts as removing the field and adding another"]
                continue
            if name in befores and name in afters:
                messages += self.nodes(place, befores[name], afters[name], visiting)
            elif name in afters and isinstance(others_before, dict):
                # The name was one of a map's keys until now, with the map's type of value.
                messages += self.nodes(place, others_before, afters[name], visiting)
            if name in was_required and name not in is_required:
                messages += self.widened(place, "field may now be missing")
            elif name in is_required - was_required and "default" not in _resolve(self.new_root, afters.get(name, {})):
                messages += self.narrowed(place, "field is required and has no default")
        if others_after is False and others_before is not False:
            messages += self.narrowed(path, "fields that the schema does not name are no longer allowed")
        elif others_before is not False:
            messages += self.nodes(f"{path}.*", others_before, others_after, visiting)
        return messages

    def items(self, path: str, old: Schema, new: Schema, visiting: frozenset[tuple[str, str]]) -> list[str]:
        return self.nodes(f"{path}[*]", old.get("items", True), new.get("items", True), visiting)

    def unjudged(self, path: str, old: Schema, new: Schema) -> list[str]:
        judged = _ANNOTATIONS | _JUDGED | _LOWER.keys() | _UPPER.keys()
        keywords = sorted(key for key in {*old, *new} - judged if not key.startswith("x-"))
        messages = []
        for keyword in keywords:
            before, after = _shape(old.get(keyword)), _shape(new.get(keyword))
            if before == after:
                continue
            if keyword not in new:
                messages += self.widened(path, f"{keyword} was taken away")
            else:
                what = "added" if keyword not in old else f"changed from {_listed([before])} to {_listed([after])}"
                messages += self.narrowed(path, f"{keyword} {what}")
        return messages


def _listed(values: list[Any]) -> str:
    return ", ".join(json.dumps(value, ensure_ascii=False) for value in values)
