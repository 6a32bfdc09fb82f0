"""People's threads answered by what knows nothing of them: lab out of every fit, source out of the level."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from estimator.calibrate.backtest import Table, table
from estimator.calibrate.fit import left_out
from estimator.calibrate.opinions import fitted_shares
from estimator.calibrate.people import Answered, answered_threads, source_of
from estimator.calibrate.people_level import Miss, misses, people_slowness, with_slowness
from estimator.catalogue import catalogue
from estimator.evidence.calibration import Calibration, standing_in
from estimator.evidence.correction import kriging_weights, numbered
from estimator.evidence.uncertainty import regime_quantiles

__all__ = ["LABS", "answers_left_out", "calibrations_without"]

LABS: Mapping[str, str] = MappingProxyType(
    {
        "AI-Hypercomputer": "Google",
        "NVIDIA": "NVIDIA",
        "NVIDIA-NeMo": "NVIDIA",
        "ROCm": "AMD",
        "alibaba": "Alibaba",
        "foundation-model-stack": "IBM",
        "huggingface": "Hugging Face",
        "s-JoL": "OpenLM Research",
        "swiss-ai": "Swiss AI",
    }
)
"""Lab whose published runs may speak of the runs of a repository's users, by the owner of the repository."""


def answers_left_out(calibration: Calibration) -> tuple[Answered, ...]:
    """Return every thread answered without its source and lab; `calibration` is the one that knows all.

    Of a lab that has threads nothing is in the fits that answer them. The slowness of people's small steps is fitted
    without the threads of the source, to answers of the same fit.
    """
    by_lab: dict[str | None, list[str]] = {}
    for source in sorted({source_of(thread) for thread in catalogue.threads() if thread.scored}):
        by_lab.setdefault(LABS.get(source.partition("/")[0]), []).append(source)
    found = _answered(calibration, misses(calibration), by_lab.pop(None, []))
    for lab, kept in calibrations_without(calibration, frozenset(lab for lab in by_lab if lab is not None)):
        found += _answered(kept, misses(kept), by_lab[lab])
    return tuple(found)


def _answered(calibration: Calibration, found_of_all: tuple[Miss, ...], sources: list[str]) -> list[Answered]:
    found: list[Answered] = []
    for source in sources:
        with standing_in(with_slowness(calibration, people_slowness(found_of_all, without={source}))):
            found += answered_threads(source)
    return found


def calibrations_without(calibration: Calibration, labs: frozenset[str]) -> Iterator[tuple[str, Calibration]]:
    """Yield each of `labs` with what is fitted without it: constants, effects, neighbours, second opinion, ranges.

    The errors of the other labs are those that they have with themselves left out.
    """
    rows = table(calibration.constants)
    errors = np.log([calibration.ratios[run.id] for run in rows.runs])
    for fold in left_out(rows, labs=labs):
        kept: list[int] = np.flatnonzero(~fold.out).tolist()
        codes = numbered([rows.labs[i] for i in kept])
        traits, residuals = rows.traits.taken(np.array(kept)), fold.residuals[kept]
        weights = kriging_weights(traits, residuals, codes)
        regimes, names = [rows.regimes[i] for i in kept], [rows.labs[i] for i in kept]
        yield (
            next(rows.labs[i] for i in np.flatnonzero(fold.out).tolist()),
            replace(
                calibration,
                constants=fold.fit.constants,
                effects=_known(fold.fit.effects, rows, kept),
                quantiles=regime_quantiles(errors[kept], rows.spreads[kept], regimes, names),
                ratios={rows.runs[i].id: calibration.ratios[rows.runs[i].id] for i in kept},
                residuals={
                    rows.runs[i].id: (float(residual), float(np.exp(traits.log_batch[place])), float(weights[place]))
                    for place, (i, residual) in enumerate(zip(kept, residuals.tolist(), strict=True))
                },
                shares=fitted_shares(
                    [rows.features[i] for i in kept], (rows.log_needed - rows.log_measured)[kept], codes
                ),
            ),
        )


def _known(effects: Mapping[str, float], rows: Table, kept: list[int]) -> dict[str, float]:
    """Return the effects that a row of `kept` has: what a lab alone has is not known without it."""
    keys = {key for i in kept for key in rows.effects[i]}
    return {key: effect for key, effect in effects.items() if key in keys}
