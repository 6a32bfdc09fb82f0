"""Every catalogued fact by name: reads the data files, each once and only when asked for."""

import csv
import hashlib
from collections.abc import Mapping
from functools import cache, partial
from typing import cast

from estimator.base.errors import UnknownNameError
from estimator.base.names import NameIndex, Resolved, name_index, tokens
from estimator.catalogue.accelerators import (
    ACCELERATOR_FILLER,
    accelerator_entry,
    accelerator_names,
    source_table,
    with_memory,
)
from estimator.catalogue.calibration_shapes import AccuracyFile, CalibrationFile, TablesFile
from estimator.catalogue.datasets import (
    DATASET_FILLER,
    DatasetEntry,
    DatasetFile,
    DatasetPartRow,
    DatasetRow,
    dataset_entry,
    dataset_names,
    dataset_rows,
)
from estimator.catalogue.entries import AcceleratorEntry, Match, Price, Purchase, Source, match_of
from estimator.catalogue.files import DATA, loaded
from estimator.catalogue.finetunes import FinetuneFile, finetune_names
from estimator.catalogue.instances import InstanceFile, instance_names, lent_card, named_system
from estimator.catalogue.memory_observations import MemoryFile, MemoryObservation, memory_observation
from estimator.catalogue.model_configs import ModelConfigFile, ModelConfigRow, configured_entry
from estimator.catalogue.models import MODEL_FILLER, ModelEntry, model_entry, model_names
from estimator.catalogue.partial_names import begins_alike, family_of, related, shortened
from estimator.catalogue.picture_sizes import PictureSizes, made_for, picture_sizes
from estimator.catalogue.published import PublishedRun, published_run
from estimator.catalogue.rates import price_table, purchase_table
from estimator.catalogue.shapes import AcceleratorFile, AcceleratorRow, ModelFile, ModelRow, PriceFile, StepsFile
from estimator.catalogue.size_letters import by_size_letter
from estimator.catalogue.sized_names import SizedNames, sized_match, sized_names
from estimator.catalogue.threads import ThreadFile, ThreadRun, thread_run
from estimator.catalogue.variants import copied, held
from estimator.models.foreign import names_another
from estimator.models.telling_words import is_spelt_apart
from estimator.models.transformer import Transformer

__all__ = [
    "accelerator",
    "accelerators",
    "accuracy",
    "calibration_file",
    "data_files",
    "data_version",
    "dataset",
    "datasets",
    "family",
    "found_dataset",
    "found_transformer",
    "held_transformer",
    "is_named",
    "measured_steps",
    "memory_observations",
    "model",
    "model_id",
    "models",
    "nearest_accelerators",
    "nearest_datasets",
    "nearest_models",
    "prices",
    "purchases",
    "run_rows",
    "runs",
    "shortened_transformer",
    "tables",
    "threads",
    "transformer",
]


def accelerator(name: str) -> Match[AcceleratorEntry]:
    """Return the accelerator that `name` means: an id, a full name or an alias, in any case and punctuation.

    A cloud instance, a TPU slice, a count of devices or a computer means the device in it, and the note says so.
    Raises UnknownNameError with the nearest ids.
    """
    index = _accelerator_index()
    match = lent_card(name, index) or index.found(name) or named_system(name, index) or index.resolved(name)
    entry = with_memory(_accelerator_entry(match.id), match.memory_gb)
    return match_of(entry, match)


def nearest_accelerators(name: str) -> tuple[str, ...]:
    """Return up to three ids whose names look most like `name`, nearest first."""
    return _accelerator_index().nearest(name)


@cache
def accelerators() -> tuple[AcceleratorEntry, ...]:
    """Return every accelerator, in the file's order: by vendor."""
    return tuple(_accelerator_entry(accelerator_id) for accelerator_id in _accelerator_rows())


def prices(accelerator_id: str) -> tuple[Price, ...]:
    """Return every dated price of one accelerator, newest first; none where none was found."""
    return _prices().get(accelerator_id, ())


def purchases(accelerator_id: str) -> tuple[Purchase, ...]:
    """Return the list prices of systems with one accelerator, for hardware that is owned, not rented."""
    return _purchases().get(accelerator_id, ())


def found_dataset(name: str) -> Match[DatasetEntry] | None:
    """Return the data set that `name` means, in any case and punctuation; None where it is nobody's."""
    found = _dataset_index().found(name)
    return None if found is None else Match(value=dataset(found.id), matched=found.matched, note=found.note)


def nearest_datasets(name: str) -> tuple[str, ...]:
    """Return up to three ids whose names look most like `name`, nearest first."""
    return _dataset_index().nearest(name)


@cache
def dataset(dataset_id: str) -> DatasetEntry:
    """Return the data set, or the part of one, with exactly this id."""
    row, part = _dataset_rows()[dataset_id]
    return dataset_entry(dataset_id, row, part, _dataset_file()["sources"])


@cache
def datasets() -> tuple[DatasetEntry, ...]:
    """Return every data set, each followed by its named parts, in the file's order."""
    return tuple(dataset(dataset_id) for dataset_id in _dataset_rows())


def transformer(name: str) -> Match[Transformer]:
    """Return the transformer that `name` means: an id, a Hugging Face name or an alias, in any case and punctuation.

    A copy or fine-tune by its name means its base, and the note says so. Raises UnknownNameError with the nearest ids.
    """
    match = found_transformer(name)
    if match is None:
        raise UnknownNameError("model", name, nearest_models(name))
    return match


def found_transformer(name: str) -> Match[Transformer] | None:
    """Return the same; None where it is nobody's, without a search for the nearest, which takes the longest."""
    if is_spelt_apart(name):
        return None
    if match := _exact(name):
        return _made_for(name, match, picture_sizes(name, usual=True))
    if (sized := sized_match(name, _sized_names(), _exact)) and model(sized[0].id).transformer.media is not None:
        return _made_for(name, *sized)
    copy = copied(name, _every_model_index(), _finetune_index())
    return _made_for(name, copy) or by_size_letter(name, found_transformer)


def nearest_models(name: str) -> tuple[str, ...]:
    """Return up to three names that look most like `name`, nearest first; what begins otherwise is none, id or not."""
    return _every_model_index().nearest(name, alike=partial(begins_alike, name))


def held_transformer(name: str) -> Match[Transformer] | None:
    """Return the transformer whose name `name` holds among other words, as a fine-tune's does, if any."""
    return _transformer_of(name, held(name, _every_model_index(), _finetune_index()))


def is_named(name: str) -> bool:
    """Return whether `name`, its owner aside, is one that the catalogue lists: a model's, or a fine-tune's of one."""
    names = () if is_spelt_apart(name) else (name, name.rpartition("/")[2])
    return any(_exact(one) or _finetune_index().found(one) for one in names)


def family(name: str) -> tuple[str, ...]:
    """Return the ids that begin with the same letters as `name`, and no more of them: `swin` of `swin-88m`."""
    return family_of(name, (*_model_rows(), *_model_config_rows()))


def shortened_transformer(name: str) -> Match[Transformer] | None:
    """Return the only transformer whose name says all that `name` says, or the one that it holds without a size."""
    short = shortened(name, _every_model_index(), _finetune_index())
    return _transformer_of(name, short) or by_size_letter(name, shortened_transformer)


def related_transformer(name: str, parameters: float) -> Match[Transformer] | None:
    """Return the transformer of the family that `name` begins with that is nearest in size; None where none is."""
    return _transformer_of(name, related(name, parameters, (*_model_rows(), *_model_config_rows())))


def _transformer_of(name: str, match: Resolved | None) -> Match[Transformer] | None:
    """Return the transformer that was found within `name`; None where other words of it tell another network."""
    if match is None or names_another(name, match.matched, model(match.id).transformer):
        return None
    return _made_for(name, match)


def _made_for(name: str, match: Resolved | None, told: PictureSizes | None = None) -> Match[Transformer] | None:
    """Return what was found, made for the pictures that were told: unless they are given, by the name's other words."""
    if not match:
        return None
    sizes = told or picture_sizes(name, beside=tokens(match.matched))
    row = _model_config_rows().get(match.id) if sizes.are_said else None
    return made_for(name, match, model(match.id).transformer, row, sizes)


def model_id(name: str) -> str | None:
    """Return the id of the model that `name` means; None where it is nobody's, without a search for the nearest."""
    return found.id if (found := _exact(name)) and not is_spelt_apart(name) else None


def _exact(name: str) -> Resolved | None:
    """Return whose name it is; the second file is opened for what the first has not."""
    return _model_index().found(name) or _every_model_index().found(name)


@cache
def model(model_id: str) -> ModelEntry:
    """Return all that is known of the model with exactly this id."""
    row = _model_rows().get(model_id)
    return configured_entry(_model_config_rows()[model_id]) if row is None else model_entry(row)


@cache
def models() -> tuple[ModelEntry, ...]:
    """Return every model, in the files' order: by maker, age and size, then those read from configurations by id."""
    return tuple(model(model_id) for model_id in (*_model_rows(), *_model_config_rows()))


@cache
def runs() -> tuple[PublishedRun, ...]:
    """Return every published run, in the file's order: by source."""
    return tuple(published_run(row) for row in run_rows())


def calibration_file() -> CalibrationFile:
    """Return the committed calibration as written; see estimator.evidence.calibration."""
    return cast("CalibrationFile", loaded("calibration.json"))


def accuracy() -> AccuracyFile:
    """Return the figures of the committed backtest: how far left-out predictions were off, by regime."""
    return cast("AccuracyFile", loaded("accuracy.json"))


def tables() -> TablesFile:
    """Return the committed errors on tables of measurements that others are judged by too."""
    return cast("TablesFile", loaded("tables.json"))


def measured_steps() -> StepsFile:
    """Return measured steps of many layouts as written; see estimator.catalogue.measured_steps."""
    return cast("StepsFile", loaded("steps.json"))


@cache
def threads() -> tuple[ThreadRun, ...]:
    """Return every run that people asked about in public threads, in the file's order: by thread."""
    file: ThreadFile = loaded("threads.json")
    return tuple(thread_run(row) for row in file["threads"])


@cache
def memory_observations() -> tuple[MemoryObservation, ...]:
    """Return every published peak, longest context, and run that fitted or did not."""
    file: MemoryFile = loaded("memory.json")
    return tuple(memory_observation(row, file["sources"]) for row in file["observations"])


@cache
def data_version() -> str:
    """Return a short hash of all data files that answers read: equal versions hold equal facts.

    Configurations of published runs are read offline alone, and what is made of them is in the calibration.
    """
    digest = hashlib.sha256()
    for path in sorted(DATA.iterdir()):
        if path.suffix in {".json", ".csv"}:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def data_files() -> dict[str, object]:
    """Return every JSON file as written, by name; `validation.checked_files` says what is wrong with them."""
    return {path.name: loaded(path.name) for path in sorted(DATA.glob("*.json"))}


def run_rows() -> list[dict[str, str]]:
    """Return the rows of published runs as written."""
    with (DATA / "runs.csv").open(newline="", encoding="utf-8") as rows:
        return list(csv.DictReader(rows))


@cache
def _accelerator_file() -> AcceleratorFile:
    return cast("AcceleratorFile", loaded("accelerators.json"))


@cache
def _accelerator_rows() -> dict[str, AcceleratorRow]:
    return {row["id"]: row for row in _accelerator_file()["accelerators"]}


@cache
def _accelerator_sources() -> dict[str, Source]:
    return source_table(_accelerator_file()["sources"])


@cache
def _accelerator_index() -> NameIndex:
    rows = _accelerator_file()["accelerators"]
    instances: InstanceFile = loaded("instances.json")
    rented = instance_names(instances["instances"], {row["id"]: row["name"] for row in rows})
    return name_index("gpu", (*accelerator_names(rows), *rented), ACCELERATOR_FILLER)


@cache
def _accelerator_entry(accelerator_id: str) -> AcceleratorEntry:
    return accelerator_entry(_accelerator_rows()[accelerator_id], _accelerator_rows(), _accelerator_sources())


@cache
def _price_file() -> PriceFile:
    return cast("PriceFile", loaded("prices.json"))


@cache
def _prices() -> Mapping[str, tuple[Price, ...]]:
    return price_table(_price_file())


@cache
def _purchases() -> Mapping[str, tuple[Purchase, ...]]:
    return purchase_table(_price_file())


@cache
def _dataset_file() -> DatasetFile:
    return cast("DatasetFile", loaded("datasets.json"))


@cache
def _dataset_rows() -> dict[str, tuple[DatasetRow, DatasetPartRow | None]]:
    return dataset_rows(_dataset_file()["datasets"])


@cache
def _dataset_index() -> NameIndex:
    return name_index("dataset", dataset_names(_dataset_file()["datasets"]), DATASET_FILLER)


@cache
def _model_file() -> ModelFile:
    return cast("ModelFile", loaded("models.json"))


@cache
def _model_rows() -> dict[str, ModelRow]:
    return {row["id"]: row for row in _model_file()["models"]}


@cache
def _model_index() -> NameIndex:
    rows = _model_file()
    return name_index("model", model_names(rows["models"], rows["ambiguous_aliases"]), MODEL_FILLER)


@cache
def _model_config_file() -> ModelConfigFile:
    return cast("ModelConfigFile", loaded("model_configs.json"))


@cache
def _model_config_rows() -> dict[str, ModelConfigRow]:
    return {row["id"]: row for row in _model_config_file()["models"]}


@cache
def _sized_names() -> SizedNames:
    return sized_names(_model_config_file()["models"])


@cache
def _every_model_index() -> NameIndex:
    first, second = _model_file(), _model_config_file()
    choices = (*first["ambiguous_aliases"], *second["ambiguous_aliases"])
    return name_index("model", model_names((*first["models"], *second["models"]), choices), MODEL_FILLER)


@cache
def _finetune_index() -> NameIndex:
    file: FinetuneFile = loaded("finetunes.json")
    names = {row["id"]: row["name"] for row in (*_model_file()["models"], *_model_config_file()["models"])}
    return name_index("model", finetune_names(file["finetunes"], names))
