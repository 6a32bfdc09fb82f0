"""Write the golden copies of the tools' schemas; with --count, also count their tokens with a real tokenizer."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
TOKENIZER = "gpt-tokenizer@4.0.0"
"""Carries o200k_base in the package, so that nothing else is fetched."""
COUNT = (
    "const {encode} = require('gpt-tokenizer/encoding/o200k_base');"
    "const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
    "console.log(JSON.stringify(texts.map(text => encode(text).length)));"
)
sys.path.insert(0, str(ROOT))

from server.protocol.listing import listed_tools  # noqa: E402 - the checkout comes first on the path
from server.protocol.registry import TOOLS  # noqa: E402


def main() -> None:
    """Write what is advertised now."""
    shown: dict[str, str] = {}
    for tool in listed_tools(TOOLS):
        advertised = tool.model_dump(mode="json", by_alias=True, exclude_none=True)
        _write(tool.name, advertised)
        before_a_model = {key: advertised[key] for key in ("name", "description", "inputSchema")}
        shown[tool.name] = json.dumps(before_a_model, ensure_ascii=False, separators=(",", ":"))
    if "--count" in sys.argv[1:]:
        counts = _tokens(list(shown.values()))
        tools = {
            name: {"characters": len(text), "tokens": count}
            for (name, text), count in zip(shown.items(), counts, strict=True)
        }
        _write("tokens", {"tokenizer": "o200k_base", "tools": tools, "all": sum(counts)})
        print(f"{sum(counts)} tokens in {len(counts)} tools")


def _tokens(texts: list[str]) -> list[int]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "install", "--silent", "--prefix", folder, TOKENIZER], check=True)  # noqa: S607
        counted = subprocess.run(
            ["node", "-e", COUNT],  # noqa: S607
            cwd=folder,
            input=json.dumps(texts),
            capture_output=True,
            text=True,
            check=True,
        )
    counts: list[int] = json.loads(counted.stdout)
    return counts


def _write(name: str, content: object) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    (GOLDEN / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
