"""Models that are read from a configuration when they are asked for by name."""

import subprocess
import sys

import pytest

from estimator.base.errors import UnknownNameError
from estimator.catalogue import catalogue
from estimator.models.flops import flop_counts
from estimator.models.huggingface.config import configured_model
from estimator.models.transformer import Transformer


@pytest.mark.parametrize(
    ("name", "model_id"),
    [
        ("qwen3-next-80b-a3b", "qwen3-next-80b-a3b"),
        ("Qwen/Qwen3.5-35B-A3B", "qwen3.5-35b-a3b"),
        ("nvidia/Nemotron-H-8B", "nemotron-h-8b"),
        ("state-spaces/mamba-2.8b", "mamba-2.8b"),
        ("mamba2-2.7b", "mamba2-2.7b"),
        ("ai21labs/Jamba-v0.1", "jamba-v0.1"),
        ("LFM2-1.2B", "lfm2-1.2b"),
        ("granite-4.0-h-small", "granite-4.0-h-small"),
        ("Falcon-H1-34B-Instruct", "falcon-h1-34b"),
        ("rwkv-7-2.9b", "rwkv-7-2.9b"),
        ("kimi-linear-48b-a3b", "kimi-linear-48b-a3b"),
        ("minimax-text-01", "minimax-text-01"),
        ("nemotron 3 super", "nemotron-3-super-120b-a12b"),
    ],
)
def test_a_hybrid_is_found_by_what_people_call_it(name: str, model_id: str) -> None:
    assert catalogue.transformer(name).value.id == model_id


@pytest.mark.parametrize(
    ("name", "model_id"),
    [
        ("resnet50", "resnet-50"),
        ("microsoft/resnet-18", "resnet-18"),
        ("convnext_tiny", "convnext-tiny"),
        ("swin_base_patch4_window7_224", "swin-base"),
        ("deit-base", "deit-base-patch16-224"),
        ("facebook/sam-vit-huge", "sam-vit-huge"),
        ("SAM", "sam-vit-huge"),
        ("MCG-NJU/videomae-base", "videomae-base"),
        ("wav2vec2-base", "wav2vec2-base"),
        ("HuBERT large", "hubert-large"),
        ("facebook/esm2_t33_650M_UR50D", "esm2-650m"),
        ("allenai/longformer-base-4096", "longformer-base-4096"),
        ("google/embeddinggemma-300m", "embeddinggemma-300m"),
        ("Snowflake/snowflake-arctic-embed-l-v2.0", "bge-m3"),
        ("mixedbread-ai/mxbai-embed-large-v1", "bge-large-en-v1.5"),
    ],
)
def test_an_encoder_is_found_by_what_people_call_it(name: str, model_id: str) -> None:
    """Authority: names on the Hugging Face Hub and in timm."""
    assert catalogue.transformer(name).value.id == model_id


@pytest.mark.parametrize(
    ("name", "model_id"),
    [
        ("google/vit-large-patch16-224", "vit-large-patch16-224"),
        ("ViT-B-32", "clip-vit-base-patch32"),
        ("ViT-L-14", "clip-vit-large-patch14"),
        ("ViT-H-14", "vit-huge-patch14-224-in21k"),
        ("OpenCLIP ViT-H/14", "clip-vit-h-14"),
        ("ViT-g-14", "clip-vit-g-14"),
        ("ViT-bigG-14", "clip-vit-bigg-14"),
        ("efficientnet_b0", "efficientnet-b0"),
        ("controlnet", "controlnet-sd-1.5"),
        ("controlnet sdxl", "controlnet-sdxl"),
        ("RT-DETR", "rt-detr-r50"),
        ("facebook/detr-resnet-50", "detr-resnet-50"),
        ("hustvl/yolos-tiny", "yolos-tiny"),
        ("YOLOv8m", "yolov8m"),
        ("yolov8x.pt", "yolov8x"),
        ("yolo v8 l", "yolov8l"),
        ("YOLOv8", "yolov8n"),
        ("YOLOv5", "yolov5s"),
        ("YOLO11", "yolo11n"),
        ("yolov11s.pt", "yolo11s"),
        ("Salesforce/blip2-opt-2.7b", "blip2-opt-2.7b"),
        ("Salesforce/blip-image-captioning-large", "blip-large"),
        ("Florence-2-large", "florence-2-large"),
        ("donut", "donut-base"),
        ("microsoft/trocr-base-handwritten", "trocr-base"),
        ("led-base-16384", "led-base-16384"),
        ("google/switch-base-8", "switch-base-8"),
        ("facebook/nllb-moe-54b", "nllb-moe-54b"),
        ("t5gemma 2b", "t5gemma-2b-2b"),
        ("nllb 200 600m", "nllb-200-distilled-600m"),
        ("parakeet tdt 0.6b", "parakeet-0.6b"),
        ("stable audio open", "stable-audio-open-1.0"),
        ("musicgen small", "musicgen-small"),
        ("orpheus 3b", "orpheus-3b"),
        ("chroma", "chroma1-hd"),
        ("flux kontext", "flux.1-dev"),
        ("qwen-image-edit", "qwen-image"),
        ("internvl3.5 8b", "internvl3.5-8b"),
        ("ministral 3 8b", "ministral-3-8b"),
        ("gte-large-en-v1.5", "gte-large-en-v1.5"),
        ("minimind", "minimind2"),
        ("paddleocr-vl", "ernie-4.5-0.3b"),
        ("bert-tiny", "bert-tiny"),
        ("llava-v1.6-vicuna-13b", "llava-next-vicuna-13b"),
        ("llava-next-8b", "llava-next-llama3-8b"),
        ("OpenGVLab/InternVL2-8B", "internvl2-8b"),
        ("CogVideoX1.5-5B", "cogvideox1.5-5b"),
        ("llama-3.2-vision-11b", "llama-3.2-11b-vision"),
        ("long-t5-base", "long-t5-tglobal-base"),
        ("depth anything v2 large", "depth-anything-v2-large"),
        ("colbert-ir/colbertv2.0", "bert-base-uncased"),
        ("naver/splade-v3", "bert-base-uncased"),
        ("hfl/chinese-macbert-base", "bert-base-uncased"),
        ("SiT-XL/2", "dit-xl-2"),
        ("transformer big", "transformer-2017-big"),
        ("detr-resnet-50-dc5", "detr-resnet-50-dc5"),
        ("yolov7", "yolov7"),
        ("YOLOv9", "yolov9c"),
        ("yolov12n", "yolo12n"),
        ("faster-rcnn", "faster-rcnn-r50-fpn"),
        ("maskrcnn_resnet50_fpn", "mask-rcnn-r50-fpn"),
        ("VGG16", "vgg-16"),
        ("densenet121", "densenet-121"),
        ("mobilenetv3_large_100", "mobilenet-v3-large"),
        ("efficientnetv2-s", "efficientnet-v2-s"),
        ("resnext50_32x4d", "resnext-50-32x4d"),
        ("U-Net", "unet"),
    ],
)
def test_other_networks_are_found_by_what_people_call_them(name: str, model_id: str) -> None:
    """Authority: names on the Hugging Face Hub, in OpenCLIP and in timm, and as they are written in passing."""
    assert catalogue.transformer(name).value.id == model_id


@pytest.mark.parametrize(
    ("kind", "growth"), [({"model_type": "longt5"}, 4.0), ({"model_type": "longt5", "local_radius": 255}, 4.0)]
)
def test_a_text_four_times_as_long_costs_the_encoder_of_a_long_t5_four_times_as_much(
    kind: dict[str, object], growth: float
) -> None:
    """Guo et al. 2022, section 3.1: each token looks at the blocks beside it, where T5's looks at every other."""
    long, plain = (
        configured_model({**config, "architectures": ["T5EncoderModel"]}).transformer
        for config in (kind, {"model_type": "t5"})
    )

    def flop(network: Transformer, length: int) -> float:
        return length * sum(op.forward for op in flop_counts(network, sequence_length=length).operations)

    assert flop(long, 65_536) / flop(long, 16_384) == pytest.approx(growth)
    assert flop(plain, 65_536) / flop(plain, 16_384) > 2 * growth


@pytest.mark.parametrize("name", ["swin transformer base", "music-transformer-base", "decision transformer big"])
def test_a_transformer_of_another_name_is_not_that_of_2017(name: str) -> None:
    found = catalogue.shortened_transformer(name)
    assert found is None or found.value.id != "transformer-2017-base"


def test_the_nearest_names_are_looked_for_in_both_files() -> None:
    with pytest.raises(UnknownNameError) as caught:
        catalogue.transformer("mamba2-2.8b")
    assert "mamba2-2.7b" in caught.value.nearest


def test_a_question_about_another_model_does_not_open_the_file() -> None:
    """Starting up must not become slower with each model that can be named."""
    program = (
        "from estimator.catalogue import catalogue as c; c.transformer('llama-3.1-8b'); "
        "import sys; print(c._model_config_file.cache_info().currsize, "
        "'estimator.models.huggingface.readers' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["0", "False"]
