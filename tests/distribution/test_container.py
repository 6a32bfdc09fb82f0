"""The image is made of files that are here, runs as nobody in particular, and is pinned to what it is based on.

Authority: the Dockerfile and .dockerignore themselves, read as Docker's reference says.
"""

import json
import re

from scripts.bundle import TARGETS
from scripts.manifests import PROJECT, REPOSITORY, SERVER_NAME
from scripts.readme import printed
from tests.places import ROOT

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LINES = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE)).splitlines()
INSTRUCTIONS = [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in LINES) if name]
LET_IN = {
    line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
}


def _of(name: str) -> list[str]:
    return [rest for instruction, rest in INSTRUCTIONS if instruction == name]


def test_the_whole_program_is_copied_and_the_builder_is_sent_nothing_else() -> None:
    copied = {source for rest in _of("COPY") for source in rest.split()[:-1]}
    assert [source for source in sorted(copied) if not (ROOT / source).exists()] == []
    assert copied == LET_IN
    assert set(TARGETS["wheel"]["only-include"]) <= copied


def test_every_base_is_a_stage_or_an_image_by_its_digest() -> None:
    stages: set[str] = set()
    for rest in _of("FROM"):
        base, _, stage = rest.partition(" AS ")
        assert base in stages or re.fullmatch(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", base)
        stages.add(stage)


def test_the_last_user_is_not_root_and_comes_before_every_command() -> None:
    names = [name for name, _ in INSTRUCTIONS]
    assert _of("USER")[-1] not in {"0", "root"}
    assert max(i for i, name in enumerate(names) if name == "USER") < names.index("ENTRYPOINT")


def test_only_what_is_locked_with_hashes_is_installed() -> None:
    installs = [rest for rest in _of("RUN") if "pip install" in rest]
    assert len(installs) == 1
    assert {"--require-hashes", "--no-deps", "requirements.txt"} <= set(installs[0].split())


def test_the_image_says_whose_server_it_is() -> None:
    labels = dict(re.findall(r'([\w.]+)="([^"]*)"', " ".join(_of("LABEL"))))
    assert labels == {
        "io.modelcontextprotocol.server.name": SERVER_NAME,
        "org.opencontainers.image.source": REPOSITORY,
        "org.opencontainers.image.licenses": PROJECT["license"],
    }


def test_the_image_is_started_with_options_that_serve_has() -> None:
    assert json.loads(_of("ENTRYPOINT")[0]) == ["python", "-m", PROJECT["name"]]
    commands = [json.loads(rest) for rest in _of("CMD")]
    assert commands[-1] == ["serve"], "the image by default is for a host over stdio"
    known = set(re.findall(r"--[a-z-]+", printed("traintime serve --help", "")))
    assert all(command[0] == "serve" for command in commands)
    assert {part for command in commands for part in command if part.startswith("--")} <= known


def test_health_is_asked_at_the_port_that_is_served() -> None:
    (served,) = (command for command in map(json.loads, _of("CMD")) if "--http" in command)
    (health,) = _of("HEALTHCHECK")
    assert f"http://127.0.0.1:{served[served.index('--port') + 1]}/healthz" in health
    assert _of("EXPOSE") == [served[served.index("--port") + 1]]
