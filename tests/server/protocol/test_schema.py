"""What is advertised stays in the subset of JSON Schema that every host reads.

Authority: reports of hosts that refuse or lose tools over references, compositions, type arrays, numeric enums and
answers that are no object (Anthropic's API, Cursor's gateway, Gemini).
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel, Field, create_model

from server.protocol.schema import NotPortableError, input_schema, output_schema

KEYWORDS = {
    "type",
    "description",
    "enum",
    "minimum",
    "maximum",
    "default",
    "minLength",
    "properties",
    "required",
    "items",
}


class Inner(BaseModel):
    """A nested model."""

    size: float
    kind: Literal["a", "b"]
    maybe: Annotated[float | None, Field(description="perhaps")] = None


class Outer(BaseModel):
    """An answer."""

    first: Inner
    second: Inner | None
    rows: list[Inner]
    shares: dict[str, float]
    value: str | float | bool
    anything: Annotated[Any, Field(description="Any")] = None
    count: int | float
    choice: Literal["only"] = "only"


class Loop(BaseModel):
    """A model that contains itself."""

    inside: list["Loop"]


def _arguments(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - annotations are the material here
    model: type[BaseModel] = create_model("Arguments", **fields)
    return model.model_json_schema()


def _schemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for child in schema.get("properties", {}).values():
        yield from _schemas(child)
    if "items" in schema:
        yield from _schemas(schema["items"])


def test_an_answer_is_one_object_without_references_or_compositions() -> None:
    folded = output_schema(Outer.model_json_schema(mode="serialization"))
    assert folded["type"] == "object"
    for schema in _schemas(folded):
        assert set(schema) <= KEYWORDS
        assert isinstance(schema.get("type", ""), str)
    assert folded["properties"]["first"]["properties"]["size"] == {"type": "number"}
    assert folded["properties"]["rows"]["items"] == folded["properties"]["first"]
    assert folded["properties"]["choice"]["enum"] == ["only"]
    assert folded["properties"]["count"] == {"type": "number"}
    # Text or a number: claiming either would make the other a lie.
    assert "type" not in folded["properties"]["value"]


INNER = {"size": 1.5, "kind": "a", "maybe": None}
ANSWERS = {
    "all there": {"second": INNER, "value": "text"},
    "nested null": {"second": None, "value": 1.5},
    "flag": {"second": None, "value": True},
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_fits_its_schema_whether_its_values_are_there_or_null(answer: dict[str, object]) -> None:
    """Clients check answers against the schema, so a claimed type would make them refuse a null."""
    folded = output_schema(Outer.model_json_schema(mode="serialization"))
    whole = {"first": INNER, "rows": [INNER], "shares": {}, "count": 1, "choice": "only"} | answer
    jsonschema.validate(whole, folded)
    jsonschema.validate(Outer.model_validate(whole).model_dump(mode="json"), folded)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(whole | {"second": {"size": "large", "kind": "a", "maybe": 1}}, folded)


def test_no_part_of_an_answer_is_without_a_rule() -> None:
    """The Inspector's strict lint warns of a schema that constrains nothing."""
    for schema in _schemas(output_schema(Outer.model_json_schema(mode="serialization"))):
        assert set(schema) - {"description", "default"}


def test_a_default_is_told_where_it_says_more_than_that_it_may_be_left_out() -> None:
    folded = input_schema(_arguments(how=(str, "auto"), method=(str, "full"), kinds=(list[str], ["auto"])))
    assert {name: schema.get("default") for name, schema in folded["properties"].items()} == {
        "how": None,
        "method": "full",
        "kinds": None,
    }


def test_a_list_speaks_for_its_items() -> None:
    size = Annotated[str, Field(description="a size")]
    folded = input_schema(
        _arguments(told=(Annotated[list[size], Field(description="sizes")], []), untold=(list[size], []))
    )
    assert folded["properties"]["told"] == {"type": "array", "description": "sizes", "items": {"type": "string"}}
    assert folded["properties"]["untold"]["items"] == {"type": "string", "description": "a size"}


def test_an_optional_argument_keeps_its_plain_type() -> None:
    folded = input_schema(_arguments(rank=(Annotated[int | None, Field(ge=1, description="rank")], None)))
    assert folded == {
        "type": "object",
        "properties": {"rank": {"type": "integer", "minimum": 1, "description": "rank"}},
    }


@pytest.mark.parametrize(
    ("annotation", "plain"),
    [
        (float | str | None, "string"),
        (int | str, "string"),
        (int | float, "number"),
        (dict[str, object] | None, "object"),
        (list[str] | None, "array"),
        (Literal["x", "y"] | None, "string"),
    ],
)
def test_a_union_becomes_the_plain_type_that_every_host_can_send(annotation: Any, plain: str) -> None:  # noqa: ANN401
    folded = input_schema(_arguments(value=(annotation, None)))
    assert folded["properties"]["value"]["type"] == plain


def test_titles_and_nulls_cost_no_tokens() -> None:
    folded = input_schema(_arguments(value=(Annotated[str | None, Field(title="Value")], None)))
    assert folded["properties"]["value"] == {"type": "string"}
    assert "title" not in folded


@pytest.mark.parametrize(
    "annotation",
    [Literal[1, 2], tuple[int, str], dict[str, str] | str, None],
    ids=["numbers", "tuple", "mixed", "null"],
)
def test_what_no_plain_type_can_say_is_refused_when_the_server_is_built(annotation: Any) -> None:  # noqa: ANN401
    with pytest.raises(NotPortableError, match=r"arguments\.value"):
        input_schema(_arguments(value=(annotation, ...)))


def test_a_model_that_contains_itself_is_refused() -> None:
    with pytest.raises(NotPortableError, match="contains itself"):
        output_schema(Loop.model_json_schema(mode="serialization"))


def test_an_answer_that_is_no_object_is_refused() -> None:
    with pytest.raises(NotPortableError, match="must be an object"):
        output_schema({"type": "array", "items": {"type": "string"}})
