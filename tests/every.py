"""One test of all things of a kind: thousands of short ones take longer to begin and to end than to run."""

from collections.abc import Callable, Iterable
from typing import TypeVar

__all__ = ["of_every"]

Item = TypeVar("Item")


def of_every(
    items: Iterable[Item], called: Callable[[Item], str] = lambda item: str(getattr(item, "id", item))
) -> Callable[[Callable[[Item], None]], Callable[[], None]]:
    """Return a decorator that makes a check of one item a test of all, which fails with every item that fails.

    `called` gives what an item is called where it fails.
    """
    every = tuple(items)

    def of(check: Callable[[Item], None]) -> Callable[[], None]:
        def test() -> None:
            assert every, "there is nothing to check"
            failed: list[Exception] = []
            for item in every:
                try:
                    check(item)
                except Exception as error:  # noqa: BLE001 what fails is told at the end, whatever it is
                    error.add_note(called(item))
                    failed.append(error)
            if failed:
                raise ExceptionGroup(f"{len(failed)} of {len(every)} fail", failed)

        test.__doc__ = check.__doc__
        return test

    return of
