"""Words that say a model is another than the one whose name they stand beside are never dropped.

Authority: what the words mean in names on the Hugging Face Hub and in timm: LLaVA reads pictures on any decoder.
"""

import pytest

from estimator.base.errors import EstimatorError
from estimator.catalogue import catalogue
from estimator.models.foreign import OTHER_SENSES, WITHOUT_TOKENS, foreign_kind, modelled_like
from estimator.models.telling_words import TELLING, says_otherwise, tells_another
from estimator.question.request import Request
from estimator.resolve.subject import Subject, resolved_subject

_WORDS = sorted(TELLING)
_IDS = [entry.id for entry in catalogue.models()]


def _subject(name: str) -> Subject | None:
    try:
        return resolved_subject(Request(model=name, gpu="h100-sxm", n_gpus=8))
    except EstimatorError:
        return None


@pytest.mark.parametrize("at", range(len(_WORDS)), ids=_WORDS)
def test_a_telling_word_beside_any_name_changes_the_answer_or_refuses_it(at: int) -> None:
    """Over all words, each name is asked about: with one behind it, and with one before it in a fine-tune's."""
    word = _WORDS[at]
    for model_id in _IDS[at :: len(_WORDS)]:
        network = catalogue.model(model_id).transformer
        for name in (f"{model_id}-{word}", f"acme/{word}-{model_id}-tuned"):
            if catalogue.model_id(name) is not None or not says_otherwise(name, model_id, network):
                continue
            subject = _subject(name)
            if subject is not None and subject.transformer is not None:
                assert subject.transformer.id != model_id, name
                assert not subject.transformer.inferred, name


@pytest.mark.parametrize("word", _WORDS)
def test_what_would_do_is_said_of_every_telling_word(word: str) -> None:
    """A refusal that only says no leaves a caller where they were."""
    kind = foreign_kind(f"acme-{word}-7b")
    assert kind in OTHER_SENSES | WITHOUT_TOKENS
    assert [catalogue.model(model_id).id for model_id in modelled_like(kind or "")]


@pytest.mark.parametrize(
    ("given", "matched"),
    [
        ("someone/vit-base-patch16-224-image-classifier", "vit-base-patch16-224"),
        ("whisper-small-speech-commands", "whisper-small"),
        ("videomae-base-video-actions", "videomae-base"),
        ("qwen2.5-vl-7b-ocr", "qwen2.5-vl-7b"),
        ("bert-base-uncased-cross-encoder", "bert-base-uncased"),
    ],
)
def test_a_word_of_what_a_model_reads_already_tells_nothing_new(given: str, matched: str) -> None:
    subject = _subject(given)
    assert subject is not None
    assert subject.transformer is not None
    assert subject.transformer.id == matched


@pytest.mark.parametrize(
    ("given", "matched"),
    [
        ("vits", "vit-small-patch16-224"),
        ("mms-vits", "vit-small-patch16-224"),
        ("conformer", "wav2vec2-conformer-large"),
    ],
)
def test_letters_alone_make_no_other_network_one_of_the_catalogue(given: str, matched: str) -> None:
    """VITS (Kim et al. 2021) speaks, ViT-S sees; a Conformer (Gulati et al. 2020) is not wav2vec 2.0's."""
    subject = _subject(given)
    assert subject is None or subject.transformer is None or subject.transformer.id != matched


def test_an_owners_name_tells_nothing() -> None:
    assert not tells_another("vision-lab/mistral-7b")
    assert tells_another("mistral-7b-vision") == {"vision"}


@pytest.mark.parametrize("name", ["molmo-7b", "intern-s1", "minicpm-v-2.6", "phi-3.5-vision", "qwen3-vl-embedding-2b"])
def test_a_part_that_is_counted_alone_is_warned_of(name: str) -> None:
    subject = _subject(name)
    if subject is not None and subject.transformer is not None and subject.transformer.media is None:
        assert [caution.code for caution in subject.warnings] == ["text_part_only"]
