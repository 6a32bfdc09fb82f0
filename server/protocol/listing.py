"""Tools, prompts and resources as the protocol advertises them."""

from functools import cache

from mcp.types import Prompt, PromptArgument, Resource, ResourceTemplate, Tool, ToolAnnotations

from server.protocol.prompts import PROMPTS
from server.protocol.registry import Registry
from server.protocol.resources import FAMILIES, MIME_TYPE, SINGLES, VIEW_META
from server.protocol.skills import MIME_TYPE as SKILL_MIME_TYPE
from server.protocol.skills import skills
from server.view import page

__all__ = ["listed_prompts", "listed_resources", "listed_templates", "listed_tools"]

# Every tool only computes: it changes nothing, answers the same each time, and reaches nothing outside.
_ANNOTATIONS = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
_VIEWED = frozenset({"check_training_speed", "compare_training_options", "estimate_training_time", "plan_training"})
"""Tools whose answers the page shows."""


@cache
def listed_tools(tools: Registry) -> tuple[Tool, ...]:
    """Return each of `tools` with its portable schemas."""
    return tuple(
        Tool(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            input_schema=tool.input_schema,
            output_schema=tool.output_schema,
            annotations=_ANNOTATIONS,
            _meta={"ui": {"resourceUri": page.ADDRESS}} if tool.name in _VIEWED else None,
        )
        for tool in tools.tools()
    )


@cache
def listed_prompts() -> tuple[Prompt, ...]:
    """Return every prompt with its blanks."""
    return tuple(
        Prompt(
            name=prompt.name,
            title=prompt.title,
            description=prompt.description,
            arguments=[
                PromptArgument(name=blank.name, description=blank.description, required=blank.required)
                for blank in prompt.arguments
            ],
        )
        for prompt in PROMPTS.values()
    )


@cache
def listed_resources() -> tuple[Resource, ...]:
    """Return every resource with an address of its own, the skills and the view among them."""
    catalogues = tuple(
        Resource(
            uri=single.address,
            name=single.name,
            title=single.title,
            description=single.description,
            mime_type=MIME_TYPE,
        )
        for single in SINGLES
    )
    described = (
        Resource(
            uri=skill.address,
            name=skill.front_matter["name"],
            description=skill.front_matter["description"],
            mime_type=SKILL_MIME_TYPE,
        )
        for skill in skills()
    )
    view = Resource(
        uri=page.ADDRESS,
        name="view",
        title="View",
        description="The page that shows an estimate, a plan, a comparison or a check in a chat.",
        mime_type=page.MIME_TYPE,
        _meta=dict(VIEW_META),
    )
    return (*catalogues, *described, view)


@cache
def listed_templates() -> tuple[ResourceTemplate, ...]:
    """Return every family of resources."""
    return tuple(
        ResourceTemplate(
            uri_template=family.template,
            name=family.name,
            title=family.title,
            description=family.description,
            mime_type=MIME_TYPE,
        )
        for family in FAMILIES
    )
