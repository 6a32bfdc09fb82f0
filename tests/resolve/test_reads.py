"""What of a sample a data loader reads, and what callers say of its workers.

Authority: pictures as they are stored, 640 by 480 in most of COCO (Lin et al. 2014) or as told; CLIP's 336 pixels.
"""

from typing import Any

import pytest

from estimator.physics.loading import reading_s
from estimator.question.question import Question
from estimator.question.reads import NO_READS
from estimator.question.request import Request
from estimator.resolve.run import resolve
from tools.estimate_training_time import estimate_training_time

USUAL = 640 * 480 / 1e6


def _question(model: str, **more: Any) -> Question:  # noqa: ANN401 - the arguments of a request
    question = resolve(Request(model=model, gpu="a100-sxm-80gb", n_gpus=8, **more)).question
    assert question is not None
    return question


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("text", [20, 1000])
def test_a_padded_row_reads_its_samples_pictures(count: int, text: int) -> None:
    reads = _question(
        "llava-1.5-7b", samples="100k", tokens_per_sample=text, images_per_sample=count, packing="padded"
    ).reads
    assert reads.pictures == count
    assert reads.megapixels == pytest.approx(count * (USUAL + 0.336**2), rel=0.01)


def test_a_full_sequence_reads_what_its_samples_do() -> None:
    """800 tokens a sample, 576 of them the picture."""
    packed = _question(
        "llava-1.5-7b", samples="100k", tokens_per_sample=224, sequence_length=4000, packing="packed"
    ).reads
    assert packed.pictures == pytest.approx(5.0)


def test_larger_pictures_take_longer_to_read() -> None:
    sizes = ("640x480", "1024x768", "2000x2000")
    read = [_question("llava-1.5-7b", samples=1000, tokens_per_sample=99, image_size=s).reads for s in sizes]
    assert read[0].megapixels < read[1].megapixels < read[2].megapixels
    assert {each.pictures for each in read} == {1.0}


def test_a_picture_that_the_network_takes_smaller_is_stored_as_others_are() -> None:
    reads = _question("vit-b-16", samples="1M", image_size="224").reads
    assert reads.megapixels == pytest.approx(USUAL + 0.224**2, rel=0.01)


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "llama-3.1-8b", "samples": 1000, "tokens_per_sample": 99},
        {"model": "llava-1.5-7b", "samples": 1000, "tokens_per_sample": 99, "images_per_sample": 0},
        {"model": "whisper-small", "samples": "100 hours of audio", "framework": "HF Trainer, synthetic data"},
        {"model": "wav2vec2-base", "samples": "100 hours of audio", "objective": "classification"},
        {"model": "vit-b-16", "samples": 1000, "framework": "timm, mock data"},
        {"model": "vit-b-16", "samples": 1000, "framework": "timm, DALI"},
        {"model": "vit-b-16", "samples": 1000, "framework": "ffcv"},
        {"model": "sd-1.5", "samples": 1000, "framework": "diffusers, cached latents"},
    ],
    ids=lambda asked: asked["model"],
)
def test_nothing_is_read_of_texts_made_up_samples_and_cached_latents(asked: dict[str, Any]) -> None:
    """Nor of sounds that are decoded as they are read, which takes a tenth of what stored features do."""
    assert _question(**asked).reads == NO_READS


@pytest.mark.parametrize(
    ("model", "numbers"),
    [("whisper-small", 80 * 3000), ("whisper-large-v3", 128 * 3000), ("wav2vec2-base", 16_000 * 30)],
)
def test_a_sound_is_read_as_the_features_that_were_stored_of_it(model: str, numbers: int) -> None:
    """Thirty seconds: 100 frames a second of a spectrogram's channels, or 16,000 samples of the wave."""
    assert _question(model, samples="100 hours of audio", image_size="30 s").reads.numbers == pytest.approx(
        numbers, rel=1e-3
    )


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ("huggingface, 8 dataloader workers", 8),
        ("huggingface, 1 dataloader worker", 1),
        ("HF Trainer dataloader_num_workers=4", 4),
        ("PyTorch, num_workers=16", 16),
        ("huggingface, 0 data loader workers", 0),
        ("huggingface without dataloader workers", 0),
        ("huggingface, no dataloader workers", 0),
        ("huggingface", None),
        ("llava, 2 data workers", 2),
        ("PyTorch, 16 dataloader workers per GPU", 16),
        ("PyTorch, 8 num_workers per device", 8),
    ],
)
def test_workers_are_counted_as_they_are_told(said: str, count: int | None) -> None:
    question = _question("llava-1.5-7b", samples=1000, tokens_per_sample=99, framework=said)
    assert question.practice.loader_workers == count


@pytest.mark.parametrize("model", ["videomae-base", "timesformer-base"])
def test_a_clip_is_decoded_in_order_up_to_its_end_and_its_frames_are_no_pictures_of_their_own(model: str) -> None:
    """Authority: H.264, whose frames need those before them up to a key frame; of a file one is opened."""
    clips = _question(model, samples=1000).reads
    assert clips.passed > 0.0
    frames = _question(model, samples=1000, framework="frames decoded beforehand, 16 dataloader workers per GPU").reads
    assert frames.passed == 0.0
    assert frames.pictures > clips.pictures
    assert frames.megapixels > clips.megapixels


@pytest.mark.parametrize(
    "said", ["frames decoded beforehand", "raw frames", "extracted frames", "frames extracted as JPEGs", "JPEG frames"]
)
def test_frames_that_lie_apart_are_understood_however_they_are_called(said: str) -> None:
    question = _question("videomae-base", samples=1000, framework=f"PyTorch, {said}, 8 dataloader workers")
    assert question.practice.stores_frames
    assert question.practice.loader_workers == 8


def test_a_host_reads_a_clip_in_a_tenth_of_a_second_and_faster_where_frames_lie_apart() -> None:
    """A core decodes 500 to 3,000 small frames a second, of some hundred for a clip of two seconds."""
    assert 0.06 < reading_s(_question("videomae-base", samples=1000).reads) < 0.12
    apart = _question("videomae-base", samples=1000, framework="raw frames").reads
    assert reading_s(apart) < reading_s(_question("videomae-base", samples=1000).reads)


def test_the_range_of_a_masked_autoencoder_of_clips_does_not_multiply_one_doubt_by_another() -> None:
    """Who learns labels from whole clips waits for the same files, and no longer: the slower sets the pace."""
    answer = estimate_training_time(model="videomae-base", gpu="a100", n_gpus=8, samples="240000", epochs=800)
    ways = [
        estimate_training_time(
            model="videomae-base",
            gpu="a100",
            n_gpus=8,
            samples="240000",
            epochs=800,
            objective=objective,
            framework=how,
        )
        for objective in ("mae", "classification")
        for how in ("DALI", "6 dataloader workers")
    ]
    assert answer.training_days_high < 1.2 * max(way.training_days_high for way in ways)
