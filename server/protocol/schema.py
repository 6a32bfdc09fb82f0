"""The portable subset of JSON Schema: what every host that speaks MCP can read.

Hosts reject or lose a tool over references, compositions, type arrays, numeric enums and top-level keywords they do
not know, so pydantic's schema is folded into `type`, `enum`, `properties`, `required`, `items`, `description`,
`default` and inclusive bounds. Validation itself stays with pydantic; the schema only tells a model what to send.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["NotPortableError", "input_schema", "output_schema"]

Schema = dict[str, Any]

_DEFINITIONS = "#/$defs/"
_KEPT = ("type", "description", "enum", "minimum", "maximum")
_UNSAID = ("auto", ["auto"])
"""Defaults that say no more than that an argument may be left out."""
_NUMBERS = {"integer", "number"}
_DEEPEST = 16
"""Levels of nesting before a schema is taken to contain itself."""
_LOWEST = -1e308
_SCALARS = {"string", "boolean"} | _NUMBERS


class NotPortableError(TypeError):
    """An annotation whose schema some host cannot read; names where it stands."""


def input_schema(schema: Mapping[str, Any]) -> Schema:
    """Return the portable form of a tool's argument schema.

    An optional argument keeps its plain type: leaving it out is how to send nothing. A quantity that may be text or a
    number is advertised as text.
    """
    folded = _folded(schema, schema.get("$defs", {}), "arguments", nullable=False)
    folded.setdefault("properties", {})
    return folded


def output_schema(schema: Mapping[str, Any]) -> Schema:
    """Return the portable form of a tool's answer schema.

    Without type arrays or compositions a schema cannot say "number or null". It says instead what holds of the numbers
    alone: a keyword such as `minimum` binds only values of its own type, so null passes, and so does the truth.
    """
    folded = _folded(schema, schema.get("$defs", {}), "answer", nullable=True)
    if folded.get("type") != "object":
        raise NotPortableError("answer: must be an object; hosts drop a server whose outputSchema is anything else")
    return folded


def _folded(schema: Mapping[str, Any], definitions: Mapping[str, Any], where: str, *, nullable: bool) -> Schema:
    """Return `schema` in the subset; `nullable` in an answer, where null is a value and not an omission."""
    if where.count(".") > _DEEPEST:
        raise NotPortableError(f"{where}: contains itself, or nests deeper than anybody reads")
    schema, may_be_null = _resolved(schema, definitions, where, nullable=nullable)
    folded: Schema = {key: schema[key] for key in (*_KEPT, *(("minLength",) if nullable else ())) if key in schema}
    if "const" in schema:
        folded["enum"] = [schema["const"]]
    if any(not isinstance(choice, str) for choice in folded.get("enum", ())):
        raise NotPortableError(f"{where}: an enum must hold text only; some hosts refuse the whole tool otherwise")
    default = schema.get("default")
    if not nullable and default and default not in _UNSAID:
        folded["default"] = default
    folded.update(_children(schema, definitions, where, nullable=nullable))
    if nullable and may_be_null:
        folded.update({key: value for key, value in _untyped(folded.pop("type", "")).items() if key not in folded})
        if "enum" in folded:
            folded["enum"] = [*folded["enum"], None]
    if nullable and not folded.keys() - {"description"}:
        # Any value: the strict lint of a host's tools wants that said by a rule that all values keep.
        folded.update(_untyped("string"))
    return folded


def _children(schema: Mapping[str, Any], definitions: Mapping[str, Any], where: str, *, nullable: bool) -> Schema:
    """Return the keywords of `schema` that hold schemas, folded."""
    if "prefixItems" in schema:
        raise NotPortableError(f"{where}: tuples are unknown to some hosts; use a list or an object")
    children: Schema = {}
    if "properties" in schema:
        children["properties"] = {
            name: _folded(child, definitions, f"{where}.{name}", nullable=nullable)
            for name, child in schema["properties"].items()
        }
        if schema.get("required"):
            children["required"] = list(schema["required"])
    if schema.get("items"):
        children["items"] = _folded(schema["items"], definitions, f"{where}[]", nullable=nullable)
        if not nullable and "description" in schema:
            children["items"].pop("description", None)  # a list speaks for its items
    return children


def _resolved(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], where: str, *, nullable: bool
) -> tuple[Schema, bool]:
    """Return `schema` with its references and its unions folded in, and whether it admits null."""
    may_be_null = False
    resolved: Schema = dict(schema)
    while True:
        if "$ref" in resolved:
            # What stands beside the reference was written for this place, so it wins.
            definition = definitions[str(resolved.pop("$ref")).removeprefix(_DEFINITIONS)]
            resolved = {**definition, **resolved}
            continue
        union = next((resolved.pop(key) for key in ("anyOf", "oneOf", "allOf") if key in resolved), None)
        if union is None:
            break
        kept = [branch for branch in union if branch.get("type") != "null"]
        may_be_null = may_be_null or len(kept) < len(union)
        resolved = {**_united(kept, where, nullable=nullable), **resolved}
    if resolved.get("type") == "null":
        raise NotPortableError(f"{where}: a value that is always null says nothing")
    return resolved, may_be_null


def _untyped(kind: str) -> Schema:
    """Return what holds of every value of type `kind`, and of every value of another."""
    if kind in _NUMBERS:
        return {"minimum": _LOWEST}
    return {"minLength": 0} if kind == "string" else {}


def _united(branches: list[Mapping[str, Any]], where: str, *, nullable: bool) -> Schema:
    """Return one plain schema for the branches of a union."""
    if len(branches) == 1:
        return dict(branches[0])
    types = {branch.get("type") for branch in branches}
    if types <= _NUMBERS:
        return {"type": "number"}
    if nullable and types <= _SCALARS:
        return _untyped("string")
    if types <= _SCALARS and "string" in types:
        # "15T" or 15e12: text is what every host can send, and numbers are accepted at run time.
        return {"type": "string"}
    raise NotPortableError(f"{where}: no plain type says {' or '.join(sorted(str(kind) for kind in types))}")
