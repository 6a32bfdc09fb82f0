"""The protocol's Skills extension (SEP-2640): `skills/list` and `skills/get`.

The files themselves are ordinary resources, read as any other. Source: modelcontextprotocol/ext-skills, stable.
"""

from collections.abc import Sequence
from typing import Any

from mcp import MCPError
from mcp.server import CacheHint
from mcp.server.context import HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.types import INVALID_PARAMS, PaginatedRequestParams, RequestParams

from server.protocol.errors import unknown
from server.protocol.skills import Skill, skills

__all__ = ["SkillRequestParams", "SkillsExtension"]


class SkillRequestParams(RequestParams):
    """What `skills/get` takes: the address of a skill's `SKILL.md`."""

    uri: str


class SkillsExtension(Extension):
    """Announces and describes the skills; without `directoryRead`, as an entry names every file."""

    identifier = "io.modelcontextprotocol/skills"

    def __init__(self, freshness: CacheHint) -> None:
        """Take how long, and for whom, entries stay fresh."""
        self._freshness = {"ttlMs": freshness.ttl_ms, "cacheScope": freshness.scope}

    def methods(self) -> Sequence[MethodBinding]:
        """Return both methods, in every revision of the protocol."""
        return (
            MethodBinding("skills/list", PaginatedRequestParams, self._list),
            MethodBinding("skills/get", SkillRequestParams, self._get),
        )

    async def _list(self, _: ServerRequestContext[Any, Any], _params: PaginatedRequestParams) -> HandlerResult:
        return {"skills": [_entry(skill) for skill in skills()], **self._freshness}

    async def _get(self, _: ServerRequestContext[Any, Any], params: SkillRequestParams) -> HandlerResult:
        by_address = {skill.address: skill for skill in skills()}
        skill = by_address.get(params.uri)
        if skill is None:
            raise MCPError(INVALID_PARAMS, unknown("skill", params.uri, list(by_address)))
        return {"skill": _entry(skill), **self._freshness}


def _entry(skill: Skill) -> dict[str, Any]:
    """Return a skill as a host registers and verifies it."""
    return {
        "uri": skill.address,
        "frontmatter": dict(skill.front_matter),
        "resources": [{"uri": file.address, "digest": file.digest, "size": len(file.content)} for file in skill.files],
    }
