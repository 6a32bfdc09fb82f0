"""A transformer out of a Hugging Face `config.json`: parameters to the unit, or a refusal that says why."""

from collections.abc import Mapping
from dataclasses import replace

from estimator.base.errors import InvalidValueError, MissingValueError, UnsupportedModelError, shown
from estimator.models.huggingface.architectures import head_of, normal, with_head
from estimator.models.huggingface.as_given import refuse_others
from estimator.models.huggingface.class_defaults import with_class_defaults
from estimator.models.huggingface.class_heads import outer_head
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.families import FAMILIES, stems_of
from estimator.models.huggingface.keys import known_keys, refuse_unknown
from estimator.models.huggingface.multimodal import TIED_WITHIN
from estimator.models.huggingface.other_files import refuse_other_files
from estimator.models.huggingface.prediction import prediction_modules
from estimator.models.huggingface.readers import CAUSAL_READERS, COMPOSITES, MARKED, READERS, TEXT_READERS, Reader
from estimator.models.huggingface.reading import LONGEST_NAME, Config, nested, own_name
from estimator.models.huggingface.standard import read_family
from estimator.models.huggingface.unsupported import UNSUPPORTED, UNSUPPORTED_MARKS
from estimator.models.transformer import Transformer
from estimator.models.typical import MOST_PARAMETERS
from estimator.models.workload import workload

__all__ = ["configured_model", "language_model", "transformer_from_config"]

_ASIDE = {
    "sparse_config": "sparse_config is not counted: attention uses all keys, as it is trained up to dense_len",
    "speech_lora": "the adapters for speech (speech_lora) are not counted",
    "vision_lora": "the adapters for pictures (vision_lora) are not counted",
}
"""What is said of parts that are read and left aside."""
_TEXT_PARTS = ("text_config", "llm_config", "language_config")


def transformer_from_config(config: Mapping[str, object]) -> Transformer:
    """Return the transformer that a Hugging Face configuration describes; see `configured_model`."""
    return configured_model(config).transformer


def configured_model(config: Mapping[str, object]) -> ConfiguredModel:
    """Return the transformer of a Hugging Face configuration, with notes on what was left aside.

    A multimodal configuration is read for its text part. Keys that are left out take the default of the family's
    class in `transformers` 5.24; whole widths only within a multimodal configuration, whose file leaves them out.
    Raises InvalidValueError for a missing or impossible value, UnsupportedModelError for an architecture or a key
    that is not modelled, or a file that is no model's configuration.
    """
    if not config:
        raise InvalidValueError(
            "hf_config", "{}", "is empty; give the model's config.json, or leave hf_config out and name a preset"
        )
    refuse_other_files(config)
    named = str(config.get("model_type") or config.get("_class_name") or _architecture_family(config))
    refuse_others(config, named)
    composite = COMPOSITES.get(named)
    if composite is not None and not (named in READERS and config.get("vision_config") is None):
        head = outer_head(config, named)
        return _checked(with_head(composite({**config, "model_type": named}, configured_model), head, config))
    reader = _reader(config)
    if reader is not None:
        head = head_of(config, named, stems_of(named)) if named in CAUSAL_READERS else outer_head(config, named)
        configured = reader(config if config.get("model_type") else {**config, "model_type": named})
        return _checked(with_head(_predicting(configured, config), head, config))
    return _checked(language_model(config))


def _reader(config: Config) -> Reader | None:
    """Return the reader of the family that a configuration states, by its name, its class or a key of its own."""
    kind = config.get("model_type") or config.get("_class_name")
    if kind is None:
        mark = next((mark for mark in MARKED if mark in config), None)
        return MARKED[mark] if mark else READERS.get(str(_architecture_family(config)))
    return READERS.get(str(kind))


def language_model(config: Config) -> ConfiguredModel:
    """Return the language model of a configuration, or of the text part inside a multimodal one."""
    text, notes = _text_part(config)
    if text is not config:
        _refuse_outer(config)
    model_type = _model_type(text)
    for key in ("is_encoder_decoder", "add_cross_attention"):
        if text.get(key) is True:
            raise UnsupportedModelError(f"hf_config: {key} is true, which is not modelled for a decoder")
    inner = text is not config
    if inner and model_type in READERS and model_type not in CAUSAL_READERS:
        raise UnsupportedModelError(
            f"hf_config: {shown(str(config.get('model_type')))} holds an encoder of text ({shown(model_type)}) in a "
            "network that is not modelled here"
        )
    if inner:
        family = FAMILIES.get(model_type)
        text = with_class_defaults(text, model_type, family.aliases if family else {})
    head = head_of(config, model_type, stems_of(model_type), multimodal=inner)
    reader = TEXT_READERS.get(model_type) or READERS.get(model_type)
    if reader is not None:
        configured = reader(text)
    else:
        family = FAMILIES[model_type]
        refuse_unknown(text, model_type, known_keys(family))
        configured = read_family(text, model_type, family, own_name(config, f"{model_type} model"))
    notes += configured.notes
    notes += tuple(note for key, note in _ASIDE.items() if text.get(key))
    return with_head(_predicting(replace(configured, notes=notes), text), head, config)


def _predicting(configured: ConfiguredModel, config: Config) -> ConfiguredModel:
    """Return the model with the modules that its configuration states, under any name (MTP)."""
    transformer = replace(configured.transformer, prediction_modules=prediction_modules(config))
    return replace(configured, transformer=transformer)


def _checked(configured: ConfiguredModel) -> ConfiguredModel:
    """Return the model; raise InvalidValueError where no model can be so: too large, or a part without width or place.

    Readers hold each value to what it can be; what several make together is held here.
    """
    table = workload(configured.transformer)
    # Towers have parts of the same names, so that these are no dictionaries.
    layers = [(gemm.name, gemm.layers) for gemm in table.gemms]
    layers += [(part.name, part.layers) for part in table.attentions]
    beyond = next((name for name, held in layers if held < 0), None)
    if beyond is not None:
        raise InvalidValueError(
            "hf_config", beyond, "is left less than no layer: more are of other kinds than there are"
        )
    widths = [(gemm.name, min(gemm.inputs, gemm.outputs)) for gemm in table.gemms if gemm.layers]
    widths += [(part.name, min(part.heads, part.score_dim)) for part in table.attentions if part.layers]
    empty = next((name for name, width in widths if width < 1), None)
    if empty is not None:
        raise InvalidValueError("hf_config", empty, "has no width: more heads or groups are given than widths divide")
    media = configured.transformer.media
    if media is not None and min(media.patch, media.merge, media.compression, media.tubelet) < 1:
        raise InvalidValueError("hf_config", media.patch, "are the pixels of a patch, which none is cut into")
    if table.parameters > MOST_PARAMETERS:
        raise InvalidValueError("hf_config", f"{table.parameters:.3g}", "parameters; no model has more than 1000T")
    return configured


def _text_part(config: Config) -> tuple[Config, tuple[str, ...]]:
    """Return the configuration of the language model inside a multimodal one, or the configuration itself."""
    for key in _TEXT_PARTS:
        text = nested(config, key)
        if not text:
            continue
        outer = {"model_type": config["model_type"]} if "model_type" in config else {}
        # Some leave the inner model_type to the outer configuration, whose class is the one that ties.
        tied = {"tie_word_embeddings": config["tie_word_embeddings"]} if "tie_word_embeddings" in config else {}
        if text.get("tie_word_embeddings") is True and str(config.get("model_type")) in TIED_WITHIN:
            tied = {}
        return {**outer, **text, **tied}, (f"only the language model ({key}) is counted, not the encoders beside it",)
    beside = any(config.get(key) for key in ("vision_config", "audio_config", "img_processor", "embd_layer"))
    return config, ("only the language model is counted, not the encoders beside it",) if beside else ()


def _refuse_outer(config: Config) -> None:
    """Raise UnsupportedModelError where what is around a language model makes it another kind of model."""
    outer = str(config.get("model_type"))
    kind = UNSUPPORTED.get(outer)
    if kind is None and outer.endswith("_assistant"):
        kind = "a model that drafts for another"
    if kind is not None:
        raise UnsupportedModelError(f"hf_config: {shown(outer)} is {kind}, which is not modelled here")


def _model_type(config: Config) -> str:
    """Return the family's name, taken from `architectures` where `model_type` is left out."""
    given = config.get("model_type")
    kind = config.get("_class_name") if given is None else given
    if kind is None:
        kind = _architecture_family(config)
    mark = next((mark for mark in UNSUPPORTED_MARKS if mark in config), None)
    if mark is not None and kind not in UNSUPPORTED:
        raise UnsupportedModelError(f"hf_config: {mark} marks {UNSUPPORTED_MARKS[mark]}, which is not modelled here")
    if kind is None:
        raise MissingValueError("hf_config.model_type", 'the family, such as "llama"; it stands in every config.json')
    if not isinstance(kind, str):
        raise InvalidValueError(
            "hf_config.model_type", kind, 'must name the family, such as "llama"; it stands in every config.json'
        )
    if kind in FAMILIES or kind in TEXT_READERS or kind in READERS:
        return kind
    if kind in UNSUPPORTED:
        raise UnsupportedModelError(f"hf_config: {shown(kind)} is {UNSUPPORTED[kind]}, which is not modelled here")
    raise UnsupportedModelError(
        f"hf_config: model_type {shown(kind)} is not a family known here, and none is read as another"
    )


def _architecture_family(config: Config) -> str | None:
    """Return the family whose class name `architectures` begins with: LlamaForCausalLM is `llama`."""
    names = config.get("architectures")
    if not isinstance(names, list | tuple) or not names or not isinstance(names[0], str):
        return None
    stem = normal(names[0][:LONGEST_NAME].partition("For")[0].removesuffix("LMHeadModel").removesuffix("Model"))
    every = (*FAMILIES, *TEXT_READERS, *READERS, *COMPOSITES, *UNSUPPORTED)
    return next((kind for kind in every if normal(kind) == stem), names[0])
