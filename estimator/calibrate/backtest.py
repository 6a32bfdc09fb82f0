"""The published runs as one table the step-time model can be fitted to and judged on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from estimator.base.errors import InfeasibleError
from estimator.catalogue import catalogue
from estimator.catalogue.published import PublishedRun
from estimator.evidence.likeness import Traits, joined_traits, setting_traits
from estimator.evidence.share import needed_s, share_features
from estimator.evidence.situation import situation_spread
from estimator.physics.case import Case, stacked
from estimator.physics.choice import Setting, nearest_setting, ranked_layouts
from estimator.physics.constants import Constants
from estimator.physics.effects import effect_keys, regime_keys
from estimator.physics.layout import Floats, Layouts
from estimator.physics.matmul import Products, products_s
from estimator.physics.step import step_time
from estimator.resolve.published import published_question

__all__ = ["Table", "joined", "physical_log_time", "published_setting", "table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One row per usable published run, each with the one layout it is taken to have had."""

    runs: tuple[PublishedRun, ...]
    case: Case
    layouts: Layouts
    log_measured: Floats
    """Log of measured seconds per token and device."""
    groups: tuple[str, ...]
    labs: tuple[str, ...]
    """Whose runs they are; left out together when accuracy is judged."""
    traits: Traits
    effects: tuple[tuple[str, ...], ...]
    regimes: tuple[tuple[str, ...], ...]
    features: tuple[Mapping[str, float], ...]
    """What the second opinion knows of each."""
    log_needed: Floats
    """Log of the seconds per token and device that the matmul ceiling alone would take."""
    memory_share: Floats
    """Predicted bytes over those of a device that a run can fill: what is more does not fit."""
    spreads: Floats
    """Standard deviation of the log time of each from what differs between machines; see `situation_spread`."""
    left_out: tuple[tuple[str, str], ...]
    """Runs without a row, and why."""


def published_setting(run: PublishedRun) -> Setting:
    """Return the setting of `run`; a batch that its layout does not divide is rounded to one that it does.

    Raises InfeasibleError where even that has no layout.
    """
    return nearest_setting(published_question(run), shard_group=run.shard_group, packed_short=run.packed_short)


def table(constants: Constants, runs: Sequence[PublishedRun] | None = None) -> Table:
    """Return the table of the usable ones of `runs`, all that are published unless given.

    What a source leaves open is chosen as for any question.
    """
    kept: list[PublishedRun] = []
    cases: list[Case] = []
    rows: list[Layouts] = []
    shares: list[float] = []
    spreads: list[float] = []
    features: list[Mapping[str, float]] = []
    needed: list[float] = []
    keys: list[tuple[str, ...]] = []
    traits: list[Traits] = []
    regimes: list[tuple[str, ...]] = []
    left_out: list[tuple[str, str]] = []
    for run in catalogue.runs() if runs is None else runs:
        if why := _unusable(run):
            left_out.append((run.id, why))
            continue
        try:
            setting = published_setting(run)
        except InfeasibleError as error:
            left_out.append((run.id, str(error)))
            continue
        chosen = ranked_layouts(setting, constants)
        best = chosen.order[:1]
        kept.append(run)
        traits.append(setting_traits(setting))
        keys.append(effect_keys(setting.question, setting.stack))
        features.append(share_features(setting))
        needed.append(needed_s(setting))
        regimes.append(regime_keys(setting.question, setting.stack))
        cases.append(setting.case)
        rows.append(setting.layouts.taken(best))
        products = products_s(setting.case, constants, rows[-1])
        spreads.append(situation_spread(setting, rows[-1], constants, products))
        shares.append(float(chosen.memory_bytes[best[0]]) / setting.usable_bytes)
    return Table(
        runs=tuple(kept),
        case=stacked(cases),
        layouts=joined(rows),
        log_measured=-np.log([run.tokens_per_second_per_gpu or 1.0 for run in kept]),
        groups=tuple(run.group for run in kept),
        labs=tuple(run.lab for run in kept),
        traits=joined_traits(traits),
        effects=tuple(keys),
        regimes=tuple(regimes),
        features=tuple(features),
        log_needed=np.log(needed),
        memory_share=np.array(shares),
        spreads=np.array(spreads),
        left_out=tuple(left_out),
    )


def _unusable(run: PublishedRun) -> str:
    """Return why nothing can be fitted to `run`; empty where it can."""
    if run.tokens_per_second_per_gpu is None:
        return "run-level figures only"
    return run.details.disclaimed or ("states in host memory are not modelled" if run.offloaded else "")


def joined(parts: Sequence[Layouts]) -> Layouts:
    """Return the layouts of all `parts`, in order."""
    return Layouts(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Layouts)})


def physical_log_time(rows: Table, constants: Constants, products: Products | None = None) -> NDArray[np.float64]:
    """Return the log of predicted seconds per token and device before effects, shape (L,).

    `products` are those of `rows` and of `constants`, if they are known.
    """
    lay = rows.layouts
    tokens = lay.micro_batch * lay.micro_batches * lay.data * rows.case.sequence_length / rows.case.n_gpus
    return np.asarray(np.log(step_time(rows.case, lay, constants, products).total_s / tokens))
