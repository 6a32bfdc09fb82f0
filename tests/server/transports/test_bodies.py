"""Long bodies are measured before they are parsed, and served a few at a time.

Authority: the program's security policy; JSON (RFC 8259) for what a value is.
"""

import json
from typing import Any, cast

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from server.transports import bodies
from server.transports.bodies import (
    MOST_VALUES,
    REFUSED_AT_ONCE,
    LongBodyError,
    Room,
    announced_bytes,
    holds_too_much,
    whole_body,
)
from server.transports.refusals import PlainRefusals

_TEXTS = st.text(alphabet='[]{},:"\\ a', max_size=6)
_VALUES = st.recursive(
    st.none() | st.integers() | _TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_TEXTS, inner, max_size=5),
    max_leaves=40,
)
MANY = 3 * MOST_VALUES


def _values(value: object) -> int:
    """Return how many values there are within `value`, at any depth, and it itself."""
    children: list[object] = []
    if isinstance(value, dict):
        children += cast("dict[str, object]", value).values()
    elif isinstance(value, list):
        children += cast("list[object]", value)
    return 1 + sum(map(_values, children))


@given(value=_VALUES, repeated=st.integers(1, 40), compact=st.booleans())
def test_what_is_counted_lies_between_the_values_and_twice_as_many(value: object, repeated: int, compact: bool) -> None:
    """An empty list is a value and the beginning of none: it may count twice, beside what parts it from the next."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, "_SURELY_FEW_BYTES", 0)
        whole = [value] * repeated
        body = json.dumps(whole, separators=(",", ":") if compact else None).encode()
        patch.setattr(bodies, "MOST_VALUES", _values(whole) // 2 - 1)
        assert holds_too_much(body)
        patch.setattr(bodies, "MOST_VALUES", 2 * _values(whole))
        assert not holds_too_much(body)


@pytest.mark.parametrize("value", ["[]", "{}", "1", '""', '"\\""', '{"a":1}'])
def test_what_takes_long_to_parse_is_too_much(value: str) -> None:
    assert holds_too_much(f"[{','.join([value] * MANY)}]".encode())


@pytest.mark.parametrize("text", ["[,{" * 300_000, '"' * 500_000, "\\" * 500_000], ids=["marks", "quotes", "escapes"])
def test_a_long_text_is_one_value_whatever_is_in_it(text: str) -> None:
    """Trainers log dictionaries; none of their commas parts values of the message."""
    assert not holds_too_much(json.dumps({"observed_log": text, "model": "7B"}).encode())


async def test_no_more_of_a_body_is_read_than_may_be() -> None:
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 100, "more_body": True}

    with pytest.raises(LongBodyError):
        await whole_body(receive, 1_000)
    assert read == 11


async def test_of_bodies_that_are_too_long_few_are_let_go_by_at_once_and_all_are_told_so() -> None:
    """A client sends as fast as it is read: the rest waits in the clients."""
    read: set[int] = set()
    most = 0
    told: list[int] = []

    async def nothing(*_: object) -> None:
        pytest.fail("reached the protocol")

    refusals = PlainRefusals(nothing, most_bytes=1_000)

    async def ask(client: int) -> None:
        left = 3

        async def receive() -> dict[str, Any]:
            nonlocal left, most
            left -= 1
            read.add(client)
            most = max(most, len(read))
            await anyio.sleep(0.001)
            if not left:
                read.discard(client)
            return {"type": "http.request", "body": b"x" * 500, "more_body": left > 0}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                told.append(message["status"])

        scope = {"type": "http", "method": "POST", "headers": [(b"content-length", b"1500")]}
        await refusals(scope, receive, send)

    async with anyio.create_task_group() as clients:
        for client in range(3 * REFUSED_AT_ONCE):
            clients.start_soon(ask, client)
    assert told == [413] * 3 * REFUSED_AT_ONCE
    assert 1 < most <= REFUSED_AT_ONCE


@pytest.mark.parametrize(("told", "size_bytes"), [(b"12", 12), (b"", 1_000), (b"-1", 1_000), (b"x", 1_000)])
def test_a_body_that_does_not_say_how_long_it_is_may_be_as_long_as_any(told: bytes, size_bytes: int) -> None:
    scope = {"type": "http", "headers": [(b"content-length", told)]}
    assert announced_bytes(scope, 1_000) == size_bytes


@pytest.mark.parametrize("told", [b"1001", b"9" * 5_000])
def test_a_body_that_says_it_is_too_long_is_not_read(told: bytes) -> None:
    with pytest.raises(LongBodyError):
        announced_bytes({"type": "http", "headers": [(b"content-length", told)]}, 1_000)


async def test_who_comes_first_has_the_room_first_and_who_waits_too_long_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room, order = Room(2), list[int]()

    async def stay(number: int) -> None:
        assert await room.take(1)
        order.append(number)
        await anyio.sleep(0.01)
        room.give(1)

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(stay, number)
            await anyio.lowlevel.checkpoint()
    assert order == list(range(8))
    assert await room.take(2)
    monkeypatch.setattr(bodies, "_PATIENCE_S", 0.01)
    assert not await room.take(1)
    room.give(2)
    assert await room.take(2)
