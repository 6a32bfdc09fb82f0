"""Names that say less than a catalogued one, or more, and those of networks that are not modelled.

Authority: names on the Hugging Face Hub and in timm, and what people write of them.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base.errors import UnknownNameError, UnsupportedModelError
from estimator.catalogue import catalogue
from estimator.models.foreign import foreign_kind, modelled_like
from estimator.question.request import Request
from estimator.resolve.subject import resolved_subject


def _id(name: str) -> str:
    transformer = resolved_subject(Request(model=name, gpu="a100", n_gpus=8)).transformer
    assert transformer is not None
    return transformer.id


@pytest.mark.parametrize(
    ("name", "model_id"),
    [
        ("moonlight", "moonlight-16b-a3b"),
        ("seed oss", "seed-oss-36b"),
        ("mathstral", "mistral-7b-v0.3"),
        ("jina v3", "jina-embeddings-v3"),
        ("mbart 50", "mbart-large-50"),
        ("beit base", "beit-base-patch16-224"),
        ("siglip 2 base", "siglip2-base-patch16-224"),
        ("whisper turbo", "whisper-large-v3-turbo"),
    ],
)
def test_the_beginning_of_one_name_alone_is_that_ones(name: str, model_id: str) -> None:
    assert _id(name) == model_id


@pytest.mark.parametrize(
    ("name", "model_id"),
    [
        ("Swin-T", "swin-tiny"),
        ("swin_b", "swin-base"),
        ("swinv2-s", "swinv2-small"),
        ("ConvNeXt-T", "convnext-tiny"),
        ("DeiT-S", "deit-small-patch16-224"),
        ("BEiT-L", "beit-large-patch16-224"),
        ("DINOv2-B", "dinov2-base"),
        ("HuBERT-L", "hubert-large"),
        ("roberta-l", "roberta-large"),
        ("DeBERTa-v3-L", "deberta-v3-large"),
        ("t5-s", "t5-small"),
    ],
)
def test_a_letter_is_the_size_of_an_encoder(name: str, model_id: str) -> None:
    assert _id(name) == model_id


@pytest.mark.parametrize("name", ["llama-b", "qwen-s", "gpt2-m", "mistral-l", "swin-x", "deit-h"])
def test_a_letter_is_no_size_of_a_decoder_nor_one_that_nobody_has(name: str) -> None:
    with pytest.raises((UnknownNameError, UnsupportedModelError)):
        _id(name)


@pytest.mark.parametrize("name", ["granite-3.1", "llama-3.2-vision", "internvl", "wan 3"])
def test_the_beginning_of_several_names_or_of_none_is_no_ones(name: str) -> None:
    """`olmo3` comes in two sizes, and a 3 within 1.3b is no 3."""
    with pytest.raises((UnknownNameError, UnsupportedModelError)):
        _id(name)


@pytest.mark.parametrize(
    ("name", "model_id"),
    [
        ("distilbert-base-uncased-finetuned-sst-2-english", "distilbert-base-uncased"),
        ("cardiffnlp/twitter-roberta-base-sentiment", "roberta-base"),
        ("dbmdz/bert-base-turkish-cased", "bert-base-uncased"),
        ("Alibaba-NLP/gte-modernbert-base", "modernbert-base"),
        ("someone/whisper-small-hindi", "whisper-small"),
        ("wav2vec2-base-timit-demo", "wav2vec2-base"),
        ("someone/detr-resnet-50-finetuned-boxes", "detr-resnet-50"),
        ("vit_small_patch16_224.augreg_in21k", "vit-small-patch16-224"),
        ("timm/resnet50.a1_in1k", "resnet-50"),
        ("convnext_base.fb_in22k_ft_in1k", "convnext-base"),
    ],
)
def test_a_name_without_a_size_that_holds_a_catalogued_one_is_its_fine_tune(name: str, model_id: str) -> None:
    assert _id(name) == model_id
    note = resolved_subject(Request(model=name, gpu="a100", n_gpus=8)).assumptions[0].note
    assert "fine-tune" in note or "weights" in note


@pytest.mark.parametrize(
    "name", ["phi-3-small", "microsoft/conditional-detr-resnet-50", "albert-base-moe", "mistral-large-4"]
)
def test_a_name_that_tells_another_size_or_changed_layers_is_no_fine_tune(name: str) -> None:
    with pytest.raises((UnknownNameError, UnsupportedModelError)):
        _id(name)


@pytest.mark.parametrize(
    "name",
    [
        *("yolov9e", "yolov7x", "YOLOv6n", "yolo26", "yolov8n-seg", "cascade-rcnn", "efficientdet-d0", "regnety-400mf"),
        *("bark", "cosyvoice", "ltx 2", "animatediff", "stable video diffusion", "sam2", "hiera-base", "kolors"),
        *("seamless m4t", "sam2.1", "rf-detr-base", "controlnet sd 2.1"),
        *("llava-next-7b-foo", "video-llava-7b", "vila-1.5-3b", "nvila-8b", "cambrian-8b", "ovis2-8b", "glm-4v-9b"),
        *("cosyvoice2-0.5b", "acme-vision-7b", "acme-7b-video", "acme-tts-1b", "someone/bert-base-dc5"),
    ],
)
def test_what_is_not_modelled_is_refused_with_what_would_do(name: str) -> None:
    """What is named in its place is catalogued."""
    kind = foreign_kind(name)
    assert kind is not None
    near = modelled_like(kind)
    assert near
    assert [catalogue.model(model_id).id for model_id in near] == list(near)
    with pytest.raises(UnsupportedModelError) as refused:
        _id(name)
    told = str(refused.value).partition("of its kind are ")[2].partition(":")[0].split(", ")
    assert [catalogue.model(model_id).id for model_id in told] == told
    assert set(near) & set(told) or all(model_id[:4] == name[:4].casefold() for model_id in told)


@given(st.text(max_size=40))
def test_any_text_is_completed_or_not(text: str) -> None:
    match = catalogue.shortened_transformer(text)
    assert match is None or match.value.id


@pytest.mark.parametrize(
    ("name", "model_id"),
    [
        ("google/t5-v1_1-xxl", "flan-t5-xxl"),
        ("bigscience/T0pp", "flan-t5-xxl"),
        ("stabilityai/sd-turbo", "sd-2.1"),
        ("vidore/colqwen2-v1.0", "qwen2-vl-2b"),
        ("PrimeIntellect/INTELLECT-3", "glm-4.5-air-106b-a12b"),
        ("Qwen/Qwen3-Coder-Next", "qwen3-next-80b-a3b"),
        ("openbmb/MiniCPM-V-2_6", "qwen2-7b"),
        ("dmis-lab/biobert-v1.1", "bert-base-cased"),
        ("microsoft/layoutlmv3-base", "layoutlmv3-base"),
        ("google/siglip-base-patch16-224", "siglip-base-patch16-224"),
        ("GSAI-ML/LLaDA-8B-Instruct", "llada-8b"),
    ],
)
def test_a_name_of_a_model_hub_is_the_model_whose_layers_it_has(name: str, model_id: str) -> None:
    """Authority: the model cards, which name the base or the architecture."""
    assert _id(name) == model_id


@pytest.mark.parametrize(
    "name",
    [
        "facebook/mask2former-swin-large-coco-panoptic",
        "facebook/maskformer-swin-base-ade",
        "openmmlab/upernet-swin-tiny",
    ],
)
def test_a_network_on_an_encoder_is_not_that_encoder(name: str) -> None:
    with pytest.raises(UnsupportedModelError, match="masks, depths or boxes on an encoder"):
        _id(name)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("Qwen/Qwen3-ASR-1.7B", "qwen3-1.7b"),
        ("llava-vicuna-13b", "llama-2-13b"),
        ("someone/mistral-7b-vision", "mistral-7b"),
    ],
)
def test_a_model_that_sees_or_hears_is_no_text_model_and_that_is_named(name: str, part: str) -> None:
    with pytest.raises(UnsupportedModelError, match=f"name {part} for that language model alone"):
        _id(name)
