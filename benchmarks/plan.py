"""Whether `plan_training` is the inverse of an estimate, over random cases, and how long a plan takes.

Of each case: does the planned count end by the deadline when it is asked back, and does one node fewer not?
"""

import random
import statistics
import sys
import time

from estimator.base.errors import InfeasibleError, InvalidValueError
from estimator.catalogue import catalogue
from tools.estimate_training_time import estimate_training_time
from tools.plan_training import PlanOption, plan_training

MODELS = ("llama-3.1-8b", "llama-3.1-70b", "gpt-3-175b", "mixtral-8x7b", "deepseek-v3", "7B", "1.3B", "32B", "500M")
GPUS = ("h100", "a100", "b200", "h200", "mi300x", "gb200", "tpu-v5p", "l40s", "4090", "trainium2")
METHODS = ("full", "full", "full", "lora", "qlora")
CASES = 200


def main(cases: int) -> None:
    """Measure, and print one table."""
    chosen = random.Random(0)  # noqa: S311 - a sample of questions
    refused = 0
    met: list[bool] = []
    missed: list[bool] = []
    seconds: list[float] = []
    for _ in range(cases):
        asked: dict[str, object] = {
            "model": chosen.choice(MODELS),
            "gpu": chosen.choice(GPUS),
            "tokens": round(10 ** chosen.uniform(8, 13)),
            "method": chosen.choice(METHODS),
        }
        days = round(10 ** chosen.uniform(-1, 2.3), 2)
        begun_s = time.perf_counter()
        try:
            plan = plan_training(**asked, solve_for="n_gpus", deadline=f"{days} days")  # type: ignore[arg-type]
        except InfeasibleError:
            refused += 1
            continue
        finally:
            seconds.append(time.perf_counter() - begun_s)
        for option, sure in ((plan.solution, False), (plan.sure_solution, True)):
            if option is not None:
                met.append(_ends(option.n_gpus, asked, days, sure=sure))
                missed.append(not _ends(_fewer(option), asked, days, sure=sure))
    print("| planned counts asked back | share |\n| --- | ---: |")
    print(f"| end by the deadline ({len(met)}) | {statistics.mean(met):.1%} |")
    print(f"| with one node fewer do not | {statistics.mean(missed):.1%} |")
    print(f"| refused: no count does ({cases} asked) | {refused} |")
    seconds.sort()
    times = ", ".join(f"{seconds[int(part * (len(seconds) - 1))]:.2f}" for part in (0.5, 0.9, 1.0))
    print(f"\nSeconds a plan, median, nine tenths, most: {times}")


def _fewer(option: PlanOption) -> int:
    """Return one node fewer, or half of a node's part."""
    node = catalogue.accelerator(option.gpu).value.accelerator.gpus_per_node
    return option.n_gpus - node if option.n_gpus > node else option.n_gpus // 2


def _ends(n_gpus: int, asked: dict[str, object], days: float, *, sure: bool) -> bool:
    """Return whether so many fit and end in time, by the far end of the range where `sure`."""
    if n_gpus == 0:
        return False
    try:
        answer = estimate_training_time(**asked, n_gpus=n_gpus)  # type: ignore[arg-type]
    except (InfeasibleError, InvalidValueError):
        return False
    fits = answer.memory is not None and answer.memory.fits
    fits = fits and all(warning.code != "does_not_fit" for warning in answer.warnings)
    return fits and (answer.training_days_high if sure else answer.training_days) <= days


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CASES)
