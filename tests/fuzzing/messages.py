"""What is sent over a wire, made from a seed alone: calls as clients word them, and what no client should send.

The era of the protocol follows from the seed too: even ones are of the handshake era, odd ones of the one without.
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from tests.fuzzing.questions import Asked, asked

__all__ = ["ERAS", "Sent", "request", "sent"]

ERAS = ("2025-11-25", "2026-07-28")
_META = {
    "io.modelcontextprotocol/protocolVersion": ERAS[1],
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "fuzz", "version": "0"},
}
_HOSTILE = 0.08
_MANY = 340_000
_DEEP = 100_000
_LONG = 1_200_000
_BAD_IDS: tuple[object, ...] = (None, 1.5, True, {}, [], [1], {"a": 1})
_ADDRESSES = (
    "traintime://gpus", "traintime://gpus/h100-sxm", "traintime://models/llama-3.1-8b", "traintime://accuracy",
    "traintime://gpus/\x1b[2J", "traintime://", "file:///etc/passwd", "traintime://gpus/../../etc", "", "x" * 3_000,
    "traintime://runs/none", "\u202etraintime://gpus",
)  # fmt: skip
_ODD_PARAMS: tuple[object, ...] = (None, [], "text", 7, {}, {"name": 5}, {"name": "list_gpus", "arguments": [1]},
    {"name": "list_gpus", "arguments": "x"}, {"arguments": {}}, {"name": "\x1b[31m" * 50, "arguments": {}},
    {"name": "list_gpus", "arguments": {}, "_meta": {"progressToken": []}}, {"name": "list_gpus", "task": {}},
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One message."""

    seed: int
    body: bytes
    id: str | int | None
    """By which its answer is known; None where it is no request that must be answered under its own id."""
    method: str
    name: str
    """Of the tool, prompt or resource, which HTTP repeats in a header."""
    question: Asked | None
    """The call that it is, where it is a sound one."""

    @property
    def era(self) -> str:
        """The version of the protocol that it is worded in."""
        return ERAS[self.seed % 2]


def sent(seed: int) -> Sent:
    """Return the message of `seed`."""
    # Not for secrets: the same seed must be the same message.
    dice = random.Random(seed ^ 0x5EED)  # noqa: S311
    id_: str | int = dice.choice((seed, f"call {seed}"))
    if dice.random() < _HOSTILE:
        return dice.choices(tuple(_HOSTILE_KINDS), weights=tuple(_HOSTILE_KINDS.values()))[0](dice, seed, id_)
    question = asked(seed)
    return request(seed, id_, "tools/call", {"name": question.tool, "arguments": question.arguments}, question)


def request(seed: int, id_: str | int, method: str, params: object, question: Asked | None = None) -> Sent:
    """Return a request as a message of the era that follows from `seed`."""
    given = cast("dict[str, Any]", params) if isinstance(params, dict) else {}
    if ERAS[seed % 2] == ERAS[1] and isinstance(params, dict):
        params = {**given, "_meta": _META | given.get("_meta", {})}
    body: dict[str, object] = {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}
    name = str(given.get("name", given.get("uri", "")))
    return Sent(seed=seed, body=json.dumps(body).encode(), id=id_, method=method, name=name, question=question)


def _no_request(seed: int, body: bytes, method: str = "tools/call", name: str = "") -> Sent:
    return Sent(seed=seed, body=body, id=None, method=method, name=name, question=None)


_Kind = Callable[[random.Random, int, str | int], Sent]


def _other_methods(dice: random.Random, seed: int, id_: str | int) -> Sent:
    ways: Sequence[tuple[str, object]] = (
        ("resources/read", {"uri": dice.choice(_ADDRESSES)}),
        ("prompts/get", {"name": dice.choice(("plan_a_run", "none")), "arguments": {"model": dice.choice(_ADDRESSES)}}),
        ("tools/list", {"cursor": dice.choice(_ADDRESSES)}),
        ("resources/list", {}),
        ("resources/templates/list", {}),
        ("prompts/list", {}),
        (
            "completion/complete",
            {
                "ref": {"type": "ref/prompt", "name": "plan_a_run"},
                "argument": {"name": dice.choice(("gpu", "model", "none")), "value": dice.choice(_ADDRESSES)},
            },
        ),
        (dice.choice(("tools/none", "", "\x1b[2J", "initialize/x", "x" * 2_000)), {}),
    )
    method, params = dice.choice(ways)
    return request(seed, id_, method, params)


def _odd_params(dice: random.Random, seed: int, id_: str | int) -> Sent:
    return request(seed, id_, "tools/call", dice.choice(_ODD_PARAMS))


def _bad_id(dice: random.Random, seed: int, _id: str | int) -> Sent:
    whole = request(seed, 0, "tools/call", {"name": "list_gpus", "arguments": {"limit": 1}})
    body = json.loads(whole.body) | {"id": dice.choice(_BAD_IDS)}
    return _no_request(seed, json.dumps(body).encode())


def _no_json(dice: random.Random, seed: int, id_: str | int) -> Sent:
    whole = request(seed, id_, "tools/call", {"name": "list_gpus", "arguments": {}}).body
    cut = whole[: dice.randrange(1, len(whole))]
    noise = bytes(dice.randrange(256) for _ in range(99)).replace(b"\n", b"").replace(b"\r", b"")
    return _no_request(seed, dice.choice((cut, noise, b"[" + whole + b"]", b"7", b"null", b'"text"', b"{}", b"[]")))


def _notice(dice: random.Random, seed: int, _id: str | int) -> Sent:
    method = dice.choice(("notifications/cancelled", "notifications/none", "notifications/progress"))
    several: tuple[object, ...] = ({"requestId": -seed - 1}, {}, {"requestId": None}, {"requestId": [1]}, [], "x")
    body: dict[str, object] = {"jsonrpc": "2.0", "method": method, "params": dice.choice(several)}
    if dice.random() < 0.2:
        body = {"jsonrpc": "2.0", "id": -seed - 1, "result": {}}
    return _no_request(seed, json.dumps(body).encode(), method)


def _heavy(dice: random.Random, seed: int, id_: str | int) -> Sent:
    """Return as much as a message may hold, or more."""
    several: tuple[tuple[str, object], ...] = (
        ("n_gpus", [list[int]() for _ in range(_MANY)]),
        ("n_gpus", [1] * _MANY),
        ("models", [f"lamma-{number}" for number in range(2_000)]),
        ("models", "x" * _LONG),
        ("tokens", json.loads("[" * 900 + "]" * 900)),
    )
    name, value = dice.choice(several)
    options: dict[str, object] = {"models": ["7B"], "gpus": ["h100"], "n_gpus": [8], "tokens": ["1T"]}
    options[name] = value
    whole = request(seed, id_, "tools/call", {"name": "compare_training_options", "arguments": options}).body
    deep = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": ' + b"[" * _DEEP
    digits = whole.replace(b'"7B"', b"9" * 50_000)
    body = dice.choice((whole.replace(b", ", b","), deep, digits))
    return _no_request(seed, body, name="compare_training_options")


_HOSTILE_KINDS: Mapping[_Kind, int] = {
    _other_methods: 30,
    _odd_params: 20,
    _bad_id: 15,
    _no_json: 15,
    _notice: 15,
    _heavy: 5,
}
