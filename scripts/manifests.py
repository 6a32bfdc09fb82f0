"""How hosts and registries are told of this program, each in the file and the form that it reads.

Everything is written from pyproject.toml and the version: run this file to write all of it. A host that keeps a copy of
the repository starts the server from that copy, so that a plugin needs no release on a package index. Sources: Agent
Plugins 1.0.0; the plugin references of Claude Code, Codex and Cursor; Gemini CLI's extension reference; the MCP
registry's server.json of 2025-12-11; the MCP bundle manifest 0.4.
"""

import base64
import json
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from estimator.base.version import VERSION  # noqa: E402 - the checkout's own packages come first

__all__ = [
    "ICON_SIZES",
    "NAME",
    "PROJECT",
    "PUBLISHED_ICON",
    "PYPROJECT",
    "REPOSITORY",
    "ROOT",
    "SERVER_NAME",
    "bundle_manifest",
    "documents",
    "icon",
    "links",
    "written",
]

PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT: dict[str, Any] = PYPROJECT["project"]
NAME: str = PROJECT["name"]
AUTHOR: dict[str, str] = PROJECT["authors"][0]
REPOSITORY: str = PROJECT["urls"]["Source"]
OWNER = REPOSITORY.split("/")[-2]
SERVER_NAME = f"io.github.{OWNER}/{NAME}"
"""What the registry knows the server by; only the repository's owner may publish it."""

ICON_SIZES = (64, 128, 512)
"""Pixels; directories of plugins ask for 512 at least."""
PUBLISHED_ICON = f"https://raw.githubusercontent.com/{OWNER}/{NAME}/HEAD/assets/icon-128.png"
SKILLS = "./skills/"
AGENT_PLUGINS = "https://agent-plugins.org/schemas/1.0.0"
QUESTIONS = (
    "How long will it take to train Llama-3.1-8B on 15T tokens with 512 H100s?",
    "How many H100s do I need to train a 7B model on 2T tokens in 30 days?",
    "My Llama-3.1-8B run on 8 H100s does 60,000 tokens a second. Is that normal?",
)

_ABOUT: dict[str, Any] = {
    "name": NAME,
    "version": VERSION,
    "description": PROJECT["description"],
    "author": AUTHOR,
    "homepage": REPOSITORY,
    "repository": REPOSITORY,
    "license": PROJECT["license"],
    "keywords": PROJECT["keywords"],
}
"""What all plugins' manifests say in the same words."""

_MARKETPLACE: dict[str, Any] = {"name": NAME, "owner": AUTHOR, "metadata": {"description": PROJECT["description"]}}
_FETCHED: dict[str, Any] = {"command": "uvx", "args": ["--from", f"git+{REPOSITORY}", NAME, "serve"]}
"""Starts the server from the repository, wherever a host is."""
_RELEASED: dict[str, Any] = {"command": "uvx", "args": [NAME, "serve"]}
"""Starts the server from a package index."""


def documents() -> dict[str, dict[str, Any]]:
    """Return every manifest that lies in the repository, by its path there."""
    return {
        "plugin.json": {"$schema": f"{AGENT_PLUGINS}/plugin.schema.json"} | _ABOUT,
        "mcp.json": {
            "$schema": f"{AGENT_PLUGINS}/mcp.schema.json",
            "mcpServers": {NAME: {"type": "stdio"} | _copied("${PLUGIN_ROOT}")},
        },
        ".claude-plugin/plugin.json": _ABOUT
        | {"icon": icon(ICON_SIZES[-1]), "mcpServers": {NAME: _copied("${CLAUDE_PLUGIN_ROOT}")}},
        ".claude-plugin/marketplace.json": _MARKETPLACE | {"plugins": [_ABOUT | {"source": "./"}]},
        ".codex-plugin/plugin.json": _codex_plugin(),
        ".cursor-plugin/plugin.json": _ABOUT
        | {
            "displayName": NAME,
            "logo": icon(ICON_SIZES[-1]),
            "skills": SKILLS,
            # Its marketplace keeps of a copy only what this manifest names.
            "mcpServers": {NAME: _FETCHED},
        },
        ".cursor-plugin/marketplace.json": _MARKETPLACE
        | {"plugins": [{"name": NAME, "source": "./", "description": PROJECT["description"]}]},
        "gemini-extension.json": {
            "name": NAME,
            "version": VERSION,
            "description": PROJECT["description"],
            "mcpServers": {NAME: _copied("${extensionPath}")},
        },
        "server.json": _registry_entry(),
        "glama.json": {"$schema": "https://glama.ai/mcp/schemas/server.json", "maintainers": [OWNER]},
    }


def bundle_manifest(tools: list[dict[str, str]], prompts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the manifest of the MCP bundle, which is built for a release and lies in no checkout.

    Its host shows `tools` and `prompts` (name and description each, a prompt's arguments and text too) before it runs
    the server, and brings uv.
    """
    return {
        "manifest_version": "0.4",
        "name": NAME,
        "display_name": NAME,
        "version": VERSION,
        "description": PROJECT["description"],
        "author": AUTHOR,
        "repository": {"type": "git", "url": REPOSITORY},
        "homepage": REPOSITORY,
        "support": PROJECT["urls"]["Issues"],
        "icon": icon(ICON_SIZES[-1]),
        "icons": [{"src": icon(size), "size": f"{size}x{size}"} for size in ICON_SIZES],
        "server": {"type": "uv", "entry_point": "traintime/__main__.py", "mcp_config": _copied("${__dirname}")},
        "tools": tools,
        "prompts": prompts,
        "keywords": PROJECT["keywords"],
        "license": PROJECT["license"],
        "compatibility": {
            "platforms": ["darwin", "linux", "win32"],
            "runtimes": {"python": PROJECT["requires-python"]},
        },
    }


def links() -> dict[str, str]:
    """Return the addresses that add the server to a host by one click: from the repository, and from a release."""
    addresses: dict[str, str] = {}
    for source, server in (("repository", _FETCHED), ("release", _RELEASED)):
        told = json.dumps(server, separators=(",", ":"))
        for host, page, config in (
            ("VS Code", "https://insiders.vscode.dev/redirect/mcp/install", told),
            ("Cursor", "https://cursor.com/en/install-mcp", base64.b64encode(told.encode()).decode()),
        ):
            addresses[f"{host}, {source}"] = f"{page}?{urlencode({'name': NAME, 'config': config}, quote_via=quote)}"
    return addresses


def icon(size: int) -> str:
    """Return where the icon of so many pixels lies."""
    return f"assets/icon-{size}.png"


def written(document: dict[str, Any]) -> str:
    """Return a manifest as it lies in its file."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _copied(folder: str) -> dict[str, Any]:
    """Return what starts the server from a copy of the repository.

    By `uv run`, not `uvx`: once the environment is made it starts without a network, and in half the time.
    """
    return {"command": "uv", "args": ["run", "--directory", folder, NAME, "serve"]}


def _codex_plugin() -> dict[str, Any]:
    """Return what Codex shows of the plugin, and how its releases before Agent Plugins start the server."""
    return _ABOUT | {
        "skills": SKILLS,
        # They expand no variable, but start it in the folder of the plugin.
        "mcpServers": {NAME: _copied(".") | {"cwd": "."}},
        "interface": {
            "displayName": NAME,
            "shortDescription": PROJECT["description"],
            "developerName": AUTHOR["name"],
            "category": "Research",
            "capabilities": ["Read"],
            "websiteURL": REPOSITORY,
            "defaultPrompt": list(QUESTIONS),
            "composerIcon": f"./{icon(ICON_SIZES[0])}",
            "logo": f"./{icon(ICON_SIZES[-1])}",
        },
    }


def _registry_entry() -> dict[str, Any]:
    return {
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": SERVER_NAME,
        "title": NAME,
        "description": PROJECT["description"],
        "version": VERSION,
        "repository": {"url": REPOSITORY, "source": "github"},
        "websiteUrl": REPOSITORY,
        "icons": [{"src": PUBLISHED_ICON, "mimeType": "image/png", "sizes": ["128x128"]}],
        "packages": [
            {
                "registryType": "pypi",
                "identifier": NAME,
                "version": VERSION,
                "runtimeHint": _RELEASED["command"],
                "packageArguments": [{"type": "positional", "value": "serve"}],
                "transport": {"type": "stdio"},
            }
        ],
    }


def main() -> None:
    """Write the manifests, and print the links for the README."""
    for path, document in documents().items():
        (ROOT / path).parent.mkdir(exist_ok=True)
        (ROOT / path).write_text(written(document), encoding="utf-8")
    for which, address in links().items():
        print(f"{which}: {address}")


if __name__ == "__main__":
    main()
