"""The machines of one site, where sites train by themselves and average now and then."""

from dataclasses import dataclass, replace

from estimator.base.errors import InvalidValueError
from estimator.base.units import BITS_PER_BYTE, GIGA, format_duration
from estimator.models.parameters import lora_parameters
from estimator.models.passes import passes_of, trained_share
from estimator.models.training import WITH_ADAPTERS, Method
from estimator.models.transformer import Transformer
from estimator.models.workload import workload
from estimator.question.cluster import Cluster
from estimator.question.local_updates import LocalUpdates
from estimator.question.question import Assumption, Caution
from estimator.resolve.framework.local_updates import AskedLocalUpdates

__all__ = ["Sites", "sites_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """One site's machines and share of the batch, and how the sites average."""

    cluster: Cluster
    batch: int | None
    local: LocalUpdates
    assumptions: tuple[Assumption, ...]
    warnings: tuple[Caution, ...]


def sites_of(
    asked: AskedLocalUpdates, cluster: Cluster, transformer: Transformer, method: Method, batch: int | None
) -> Sites:
    """Return the sites that `cluster` is divided into: as many as said, or each node by itself.

        synchronisation = 2 · (sites − 1) / sites · bytes of what is trained / link of a site

    A ring over the sites (Patarasuk and Yuan 2009, section 3), each of which sends through the network of all its GPUs.
    Inside a site of several nodes the network is the reference system's. Averaging is not hidden but in Streaming
    DiLoCo, and ranks of a site are taken to do nothing meanwhile.

    Raises InvalidValueError where the GPUs or the batch cannot be divided so.
    """
    sites = asked.sites or cluster.n_gpus // cluster.gpus_per_node
    if asked.sites is None and sites == 1:
        remedy = f'needs the number of sites: "{asked.name}, 4 workers"'
        raise InvalidValueError("framework", asked.name, remedy)
    each = cluster.n_gpus // sites
    if each * sites != cluster.n_gpus:
        raise InvalidValueError("n_gpus", cluster.n_gpus, f"cannot be divided among {sites:,} sites")
    if batch is not None and batch % sites:
        remedy = f"cannot be divided among {sites:,} sites; {sites * max(1, round(batch / sites)):,} would do"
        raise InvalidValueError("global_batch_sequences", batch, remedy)
    link = cluster.scale_out_bytes_per_s * each
    inside = cluster.accelerator.scale_out_bytes_per_s if each > cluster.gpus_per_node else 0.0
    sent = _trained(transformer, method) * asked.bytes_per_parameter
    local = LocalUpdates(
        sites=sites,
        steps=asked.steps,
        synchronisation_s=2.0 * (sites - 1) / sites * sent / link,
        overlapped=asked.overlapped,
    )
    return Sites(
        cluster=replace(
            cluster,
            n_gpus=each,
            gpus_per_node=min(cluster.gpus_per_node, each),
            scale_out_bytes_per_s=inside or cluster.scale_out_bytes_per_s,
        ),
        batch=None if batch is None else batch // sites,
        local=local,
        assumptions=(_assumption(asked, local, each, link),),
        warnings=(
            Caution(
                code="local_updates",
                message=f"{sites:,} sites train by themselves and average every {asked.steps:,} steps: the tokens of a "
                "run are counted as those of one that averages each step, which they are worth only with a tuned outer "
                "optimizer, and less the more sites there are (Charles et al. 2025); layout and memory are one site's",
            ),
        ),
    )


def _trained(transformer: Transformer, method: Method) -> float:
    if method.trainable_parameters is not None:
        return method.trainable_parameters
    if method.name in WITH_ADAPTERS:
        return float(lora_parameters(transformer, method.lora_rank))
    table = workload(transformer)
    return trained_share(table, passes_of(table, method)) * table.parameters


def _assumption(asked: AskedLocalUpdates, local: LocalUpdates, each: int, link_bytes_per_s: float) -> Assumption:
    told = f"{asked.name}: {each:,} GPUs a site, {format_duration(local.synchronisation_s)} to average over "
    note = f"{told}{link_bytes_per_s * BITS_PER_BYTE / GIGA:,.3g} Gb/s of a site"
    hidden = "behind the steps between" if local.overlapped else ""
    return Assumption(
        name="local_updates",
        value=f"{local.sites:,} sites, every {local.steps:,} steps",
        source="user",
        note="; ".join(part for part in (note, hidden, asked.usual) if part),
    )
