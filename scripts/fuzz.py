"""Ask every tool questions at random, and print each that is not answered soundly with the command that repeats it."""

import argparse
import json
import secrets
import sys
import time
import traceback
from collections import Counter

from estimator.base.errors import EstimatorError
from server.protocol.registry import TOOLS
from tests.fuzzing.invariants import faults
from tests.fuzzing.questions import Asked, asked

__all__: list[str] = []

_MOST_SEED = 1_000_000_000
_REPORTED_EACH = 500
_SLOW_S = 20.0


def main() -> None:
    """Ask as many as the command line says; exits 1 where any is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="ask no more after so long")
    parser.add_argument("--seed", type=int, default=None, help="of the first question; drawn where left out")
    parser.add_argument("--only", type=int, default=None, help="one question's seed: ask it and print all of it")
    given = parser.parse_args()
    if given.only is not None:
        sys.exit(_shown(asked(given.only)))
    first = secrets.randbelow(_MOST_SEED) if given.seed is None else given.seed
    print(f"seed {first}", flush=True)
    wrong: Counter[str] = Counter()
    started, calls = time.monotonic(), 0
    for seed in range(first, first + given.calls):
        if time.monotonic() - started > given.seconds:
            break
        question, asked_s = asked(seed), time.monotonic()
        found = faults(question)
        took_s = time.monotonic() - asked_s
        calls += 1
        if took_s > _SLOW_S:
            found.append(f"took {took_s:.0f} s")
        if found:
            wrong[question.tool] += 1
            print(f"scripts/fuzz --only {seed}    {question.tool}: {'; '.join(found)[:400]!r}", flush=True)
        if not calls % _REPORTED_EACH:
            print(f"{calls} asked, {wrong.total()} wrong, {time.monotonic() - started:.0f} s", flush=True)
    print(f"{calls} asked from seed {first}, {wrong.total()} wrong {dict(wrong)}")
    sys.exit(1 if wrong else 0)


def _shown(question: Asked) -> int:
    """Print a question, its answer and what is wrong with it; return the exit code."""
    print(f"{question.tool} {json.dumps(question.arguments)}")
    tool = TOOLS.tool(question.tool)
    try:
        print(tool.answer(question.arguments).text if tool else "no such tool")
    except EstimatorError as refusal:
        print(f"refused: {refusal!s:.2000}")
    except Exception:  # noqa: BLE001 - the fault that is looked for
        traceback.print_exc()
    found = faults(question)
    print("\n".join(found) or "sound")
    return 1 if found else 0


if __name__ == "__main__":
    main()
