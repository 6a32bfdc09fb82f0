"""How long `compare_training_options` takes over stdio: 1,000 options on one core, the first word, and the last.

The options are the worst there are: no two share more than a model, so the layouts of each are searched.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.wire import processor_s

ROOT = Path(__file__).resolve().parent.parent
MODELS = (
    "llama-3.1-8b",
    "llama-3.1-70b",
    "gpt-3-175b",
    "deepseek-v3",
    "mixtral-8x7b",
    "qwen2.5-32b",
    "7B",
    "30B",
    "llama-2-13b",
    "gpt2",
)
GPUS = ("h100", "a100", "b200", "h200", "mi300x", "4090", "gb200", "l40s", "a6000", "v100")
COUNTS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
ROUNDS = 5
QUIET_S = 0.1
"""A server that used no processor for so long has stopped."""
TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")


class Server:
    """The server as a host starts it, on one core."""

    def __init__(self) -> None:
        core = min(os.sched_getaffinity(0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "traintime", "serve"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),  # noqa: PLW1509 - no thread has been started
        )
        self._id = 0
        handshake = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "b", "version": "0"}}
        self.ask("initialize", handshake)
        self.read()
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def ask(self, method: str, params: dict[str, Any]) -> int:
        """Send a request and return its number."""
        self._id += 1
        self.send({"jsonrpc": "2.0", "id": self._id, "method": method, "params": params})
        return self._id

    def call(self, tokens: list[str]) -> int:
        """Ask for a comparison, with progress."""
        arguments = {"models": MODELS, "gpus": GPUS, "n_gpus": COUNTS, "tokens": tokens}
        params = {"name": "compare_training_options", "arguments": arguments, "_meta": {"progressToken": 1}}
        return self.ask("tools/call", params)

    def send(self, message: dict[str, Any]) -> None:
        """Write one message."""
        stream = _open(self.process.stdin)
        stream.write(json.dumps(message).encode() + b"\n")
        stream.flush()

    def read(self) -> dict[str, Any]:
        """Return the next message."""
        message: dict[str, Any] = json.loads(_open(self.process.stdout).readline())
        return message

    def cpu_s(self) -> float:
        """Return the processor time used so far."""
        return processor_s(self.process.pid)

    def close(self) -> None:
        """End the input, and with it the server."""
        self.process.communicate()


def main() -> None:
    """Measure, and print one table."""
    rows = [("cold", *_comparison(Server()))]
    server = Server()
    _comparison(server, keep=True)
    rows += [("warm", *_comparison(server, keep=True)) for _ in range(ROUNDS)]
    print("| 1,000 options, one core | first progress, ms (≤ 300) | answer, s (≤ 3) | of processor time, s |")
    print("| --- | --- | --- | --- |")
    for name, first_s, all_s, cpu_s in rows:
        print(f"| {name} | {first_s * 1e3:.0f} | {all_s:.2f} | {cpu_s:.2f} |")
    print("\n| cancelled after, s | work ended after, ms (≤ 200) |\n| --- | --- |")
    for after_s in (0.05, 0.2, 0.5, 0.9, 1.3):
        print(f"| {after_s} | {_stopped_s(server, after_s) * 1e3:.0f} |")
    server.close()


def _comparison(server: Server, *, keep: bool = False) -> tuple[float, float, float]:
    """Return the seconds to the first progress notice and to the answer, and those of processor time.

    On a machine that others use, too, the processor time is what the answer takes on a quiet one.
    """
    begun_s, used_s = time.perf_counter(), server.cpu_s()
    number = server.call(["1T"])
    first_s = 0.0
    while (message := server.read()).get("id") != number:
        first_s = first_s or time.perf_counter() - begun_s
    all_s, cpu_s = time.perf_counter() - begun_s, server.cpu_s() - used_s
    assert message["result"]["structuredContent"]["n_options"] == len(MODELS) * len(GPUS) * len(COUNTS)  # noqa: S101
    if not keep:
        server.close()
    return first_s, all_s, cpu_s


def _stopped_s(server: Server, after_s: float) -> float:
    """Return the seconds from a cancellation to the last processor time that the call used."""
    number = server.call(["1T"])
    time.sleep(after_s)
    used_s = server.cpu_s()
    begun_s = last_s = time.perf_counter()
    server.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number}})
    while time.perf_counter() - last_s < QUIET_S:
        time.sleep(TICK_S / 4)
        if server.cpu_s() > used_s:
            used_s, last_s = server.cpu_s(), time.perf_counter()
    server.ask("ping", {})
    while "method" in (message := server.read()) or message.get("id") == number:
        pass
    return last_s - begun_s


def _open(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise TypeError("not a pipe")
    return stream


if __name__ == "__main__":
    main()
