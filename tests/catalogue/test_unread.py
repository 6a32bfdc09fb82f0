"""Part of a name that is not understood is said, and a second sense in it never dropped.

Authority: model cards of the Hugging Face Hub: families of models that see or hear hold the name of their decoder.
"""

import pytest

from estimator.base.errors import EstimatorError
from estimator.catalogue.unread import unread_words
from estimator.question.request import Request
from estimator.resolve.subject import resolved_subject

_SEEING = (
    *("instructblip", "blip2", "MiniGPT-4", "minigpt-v2", "mplug-owl2", "mPLUG-Owl", "OpenFlamingo", "otter"),
    *("idefics", "cogvlm", "kosmos-2", "shikra", "video-chatgpt", "salmonn", "speechgpt", "llama-omni", "qwen-audio"),
)
_DECODERS = ("vicuna-13b", "llama2-7b", "mistral-7b", "llama-3.1-8b", "qwen2-7b", "mpt-7b")


@pytest.mark.parametrize("decoder", _DECODERS)
@pytest.mark.parametrize("family", _SEEING)
def test_a_family_that_sees_or_hears_is_never_its_decoder_alone(family: str, decoder: str) -> None:
    """Answered with what it reads, or refused with what would do."""
    for name in (f"{family}-{decoder}", f"acme/{family}-{decoder}-v1.5"):
        try:
            subject = resolved_subject(Request(model=name, gpu="h100-sxm", n_gpus=8))
        except EstimatorError as error:
            assert "name one near it in size" in str(error)  # noqa: PT017 - either is right
            continue
        assert subject.transformer is not None
        assert subject.transformer.media is not None, name


@pytest.mark.parametrize("name", ["SALMONN-13B", "OpenFlamingo-9B", "HuggingFaceM4/idefics-9b", "mplug-owl2-7b"])
def test_a_size_of_such_a_family_is_no_decoder_of_that_size(name: str) -> None:
    with pytest.raises(EstimatorError, match="name one near it in size"):
        resolved_subject(Request(model=name, gpu="h100-sxm", n_gpus=8))


@pytest.mark.parametrize(
    ("given", "matched"),
    [
        ("cognitivecomputations/Dolphin-2.6-Mistral-7B-dpo", "mistral-7b"),
        ("cardiffnlp/twitter-roberta-base-sentiment-latest", "roberta-base"),
        ("llama-3.1-8b-instruct-lora-v1.5-20240501", "llama-3.1-8b"),
        ("deepset/bert-base-cased-squad2", "bert-base-cased"),
        ("mistral-7b-medical-qa-r16-3epochs", "mistral-7b"),
        ("acme/qwen2.5-7b-sql-gptq-4bit-128g", "qwen2.5-7b"),
    ],
)
def test_words_of_tuning_tasks_and_data_are_harmless(given: str, matched: str) -> None:
    assert unread_words(given, matched) == ()


@pytest.mark.parametrize(
    ("given", "matched", "unread"),
    [
        ("quux-mistral-7b", "mistral-7b", ("quux",)),
        ("llama-3.1-8b-perceiver-resampler", "llama-3.1-8b", ("perceiver", "resampler")),
        ("resnet-50 deeplabish", "resnet-50", ("deeplabish",)),
    ],
)
def test_other_words_are_named_in_a_warning(given: str, matched: str, unread: tuple[str, ...]) -> None:
    assert unread_words(given, matched) == unread
    subject = resolved_subject(Request(model=given, gpu="h100-sxm", n_gpus=8))
    warnings = [caution for caution in subject.warnings if caution.code == "name_part_unread"]
    assert subject.name == given
    assert len(warnings) == 1
    assert all(word in warnings[0].message for word in unread)
