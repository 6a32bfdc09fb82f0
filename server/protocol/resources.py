"""What a host can read: the catalogues (`traintime://gpus`, one GPU, one model, …), the skills and the view."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, cast
from urllib.parse import unquote

from estimator.base.errors import EstimatorError, shown
from estimator.catalogue import catalogue
from server.protocol import skills
from server.protocol.errors import nearest
from server.view import page

__all__ = [
    "FAMILIES",
    "MIME_TYPE",
    "SCHEMES",
    "SINGLES",
    "VIEW_META",
    "Document",
    "Family",
    "Single",
    "UnknownResourceError",
    "document",
    "unknown_address",
]

SCHEME = "traintime://"
SCHEMES = (SCHEME, skills.SCHEME, page.ADDRESS)
MIME_TYPE = "application/json"
VIEW_META: Mapping[str, Any] = {
    "ui": {
        "csp": {"connectDomains": [], "resourceDomains": [], "frameDomains": [], "baseUriDomains": []},
        "permissions": {},
        "prefersBorder": True,
    }
}
"""What the page wants of a host, as MCP Apps says it: no connection, nothing from elsewhere, no device."""


class UnknownResourceError(EstimatorError):
    """An address that nothing has; says which have something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What is at an address."""

    text: str
    mime_type: str = MIME_TYPE
    meta: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """A resource with an address of its own."""

    name: str
    title: str
    description: str
    content: Callable[[], object]

    @property
    def address(self) -> str:
        """`traintime://gpus`."""
        return SCHEME + self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Resources that differ in an id."""

    name: str
    title: str
    description: str
    content: Callable[[str], object]
    ids: Callable[[], Sequence[str]]

    @property
    def template(self) -> str:
        """`traintime://gpus/{id}`."""
        return f"{SCHEME}{self.name}/{{id}}"


def _gpus() -> object:
    return [
        {"id": entry.accelerator.id, "name": entry.accelerator.name, "vendor": entry.accelerator.vendor}
        for entry in catalogue.accelerators()
    ]


def _gpu(name: str) -> object:
    entry = catalogue.accelerator(name).value
    return {"accelerator": entry, "prices": catalogue.prices(entry.accelerator.id)}


def _models() -> object:
    return [
        {"id": entry.transformer.id, "name": entry.transformer.name, "parameters": entry.published_parameters}
        for entry in catalogue.models()
    ]


def _model(name: str) -> object:
    return catalogue.model(catalogue.transformer(name).value.id)


def _run(name: str) -> object:
    for run in catalogue.runs():
        if run.id == name:
            return run
    raise UnknownResourceError(_unknown_id("run", name, _run_ids()))


def _run_ids() -> Sequence[str]:
    return [run.id for run in catalogue.runs()]


def _accuracy() -> object:
    return {**catalogue.accuracy(), "tables": catalogue.tables()}


SINGLES: Sequence[Single] = (
    Single(
        name="gpus",
        title="Accelerators",
        description="Every catalogued accelerator: id, name and vendor.",
        content=_gpus,
    ),
    Single(
        name="models",
        title="Models",
        description="Every catalogued model: id, name and published parameter count.",
        content=_models,
    ),
    Single(
        name="accuracy",
        title="Accuracy",
        description="How far the predictions are off on published runs that were left out of the fit, by regime, and "
        "on tables of measurements that others are judged by too.",
        content=_accuracy,
    ),
)

FAMILIES: Sequence[Family] = (
    Family(
        name="gpus",
        title="One accelerator",
        description="Dense rates by precision, memory, links and prices of one accelerator, in SI units with sources.",
        content=_gpu,
        ids=lambda: [entry.accelerator.id for entry in catalogue.accelerators()],
    ),
    Family(
        name="models",
        title="One model",
        description="Architecture and published parameter count of one model, with its source.",
        content=_model,
        ids=lambda: [entry.transformer.id for entry in catalogue.models()],
    ),
    Family(
        name="runs",
        title="One published run",
        description="One published training run: set-up, measured speed and source.",
        content=_run,
        ids=_run_ids,
    ),
)


def document(address: str) -> Document:
    """Return what is at `address`: a catalogue as compact JSON, a skill's file or the view as it is.

    Raises EstimatorError, with the nearest addresses, where there is nothing.
    """
    if address == page.ADDRESS:
        return Document(text=page.page(), mime_type=page.MIME_TYPE, meta=dict(VIEW_META))
    if address.startswith(skills.SCHEME):
        file = skills.file_at(address)
        if file is None:
            raise UnknownResourceError(unknown_address(address))
        return Document(text=file.text, mime_type=skills.MIME_TYPE)
    name, _, id_ = address.removeprefix(SCHEME).partition("/")
    if not id_:
        for single in SINGLES:
            if single.name == name:
                return Document(text=_json(single.content()))
    else:
        for family in FAMILIES:
            if family.name == name:
                return Document(text=_json(family.content(unquote(id_))))
    raise UnknownResourceError(unknown_address(address))


def unknown_address(address: str) -> str:
    """Return what is said of an address that nothing has: which have something."""
    addresses = [single.address for single in SINGLES] + [family.template for family in FAMILIES]
    addresses += [skill.address for skill in skills.skills()] + [page.ADDRESS]
    return f"unknown resource {shown(address)}; there are {', '.join(addresses)}"


def _unknown_id(kind: str, given: str, good: Sequence[str]) -> str:
    close = nearest(given, good)
    hint = f"did you mean {', '.join(close)}?" if close else f"such as {', '.join(good[:3])}; ids complete"
    return f"unknown {kind} {shown(given)}; {hint}"


def _json(content: object) -> str:
    return json.dumps(_plain(content), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _plain(value: object) -> object:
    """Return frozen values as what JSON knows."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, Iterable):
        return [_plain(item) for item in cast("Iterable[object]", value)]
    return str(value)
