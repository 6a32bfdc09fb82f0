"""This program's own server with what the conformance suite asks of a reference server added to it.

The fixtures do what their scenarios describe and no more. They stand beside the real tools, so that the suite exercises
our factory, gate and transport. `python -m tests.conformance.everything` serves it on a free port.
"""

from typing import Any

from server.protocol.app import TraintimeServer, build
from server.transports.http import serve_http
from tests.conformance.content import add_content
from tests.conformance.interactive import add_interactive

__all__ = ["everything"]


def everything(**limits: Any) -> TraintimeServer:  # noqa: ANN401 - those of `build`
    """Return the server with all fixtures."""
    server = build(**limits)
    add_content(server)
    add_interactive(server)
    return server


if __name__ == "__main__":
    serve_http(port=0, build_server=everything)
