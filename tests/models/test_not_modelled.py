"""Networks that nothing here stands for, not even a decoder of their size.

Authority: the papers of each: what they work on is no text, or their weights are met another number of times.
"""

import pytest

from estimator.base.errors import EstimatorError, UnknownNameError, UnsupportedModelError
from estimator.catalogue import catalogue
from estimator.models.not_modelled import not_modelled
from estimator.question.request import Request
from estimator.resolve.run import resolve
from estimator.resolve.subject import Subject, resolved_subject

_NAMES = """
DLRM, dlrm-1b, DCN, two-tower, DeepFM, SASRec, XGBoost, LightGBM, random forest, GCN, GraphSAGE, GAT, graphormer-47m,
SchNet, MACE, PatchTST, TimesFM, google/timesfm-2.0-500m, chronos-bolt-base, N-BEATS, Informer, Tacotron2, tacotron-30m,
FastSpeech2, VITS, vits-80m, XTTS v2, F5-TTS, hifigan-14m, HiFi-GAN, Kokoro-82M, AlphaFold, alphafold-93m, OpenFold,
Boltz-1, RoseTTAFold, GAN, DCGAN, StyleGAN2, stylegan-30m, vqgan-80m, LSTM, 100M LSTM, BiLSTM, RNN, octo-93m, octo-base,
GR00T-N1-2B, nvidia/GR00T-N1-2B, SmolVLA, pi0, RT-2, diffusion policy, PointNet++, NeRF, 3D Gaussian Splatting, nnU-Net,
nnunet-31m, 3D U-Net, 3dunet-19m, TabPFN, tabpfn-7m, FT-Transformer, PPO CartPole, DQN, DreamerV3, GraphCast, LeNet-5
"""
NAMES = [name.strip() for name in _NAMES.replace("\n", " ").split(",")]


def _subject(name: str) -> Subject:
    return resolved_subject(Request(model=name, gpu="h100", n_gpus=1))


@pytest.mark.parametrize("name", NAMES)
def test_it_is_refused_by_what_it_is_and_what_can_be_done_is_said(name: str) -> None:
    with pytest.raises(UnsupportedModelError, match=r"size tells nothing of its time: .*; time (some|a fit)"):
        _subject(name)


@pytest.mark.parametrize("name", ["XGBoost", "random forest", "k-means", "LeNet", "small CNN", "PPO CartPole", "DLRM"])
def test_what_reads_no_tokens_is_told_of_none(name: str) -> None:
    """Trees are fitted on rows, in rounds; of few weights, loaders and launches are all the time."""
    with pytest.raises(UnsupportedModelError) as caught:
        _subject(name)
    assert not [word for word in ("token", "FLOPs that", "as model") if word in str(caught.value)]


def test_trees_are_scaled_by_rows_and_rounds_and_have_no_steps() -> None:
    with pytest.raises(UnsupportedModelError, match="rows × rounds") as caught:
        _subject("XGBoost")
    assert "steps" not in str(caught.value)


@pytest.mark.parametrize("size", ["7m", "93M", "1.3B"])
@pytest.mark.parametrize("name", ["alphafold", "dlrm", "stylegan2", "Tacotron2", "tabpfn", "timesfm", "lstm"])
def test_a_size_in_its_name_makes_no_decoder_of_it(name: str, size: str) -> None:
    for said in (f"{name}-{size}", f"{size} {name}", f"house/{name}-{size}-final"):
        with pytest.raises(UnsupportedModelError):
            _subject(said)


def test_what_a_refusal_tells_people_to_do_is_answered() -> None:
    """The time of a measured speed depends on no architecture."""
    run = resolve(Request(model="93M", gpu="a100", n_gpus=8, tokens="1B", observed_tokens_per_second=1000))
    assert run.observed_tokens_per_second == 1000


@pytest.mark.parametrize(
    "name",
    ["chronos-7b", "Chronos-Hermes-13B", "Llama-3-8B-Dreamer", "amazon/chronos-t5-base", "vit-s-16", "unet", "esm-2"],
)
def test_a_decoder_and_what_is_catalogued_are_what_they_are_whatever_they_are_called(name: str) -> None:
    assert _subject(name).transformer is not None


def test_no_catalogued_name_is_taken_for_one() -> None:
    """By its own words; two families of decoders and one of T5 are called like what a table holds, and are listed."""
    called = {
        entry.id
        for entry in catalogue.models()
        for name in (entry.id, *entry.hugging_face_ids, *entry.aliases)
        if not_modelled(name, None) is not None and not catalogue.is_named(name)
    }
    assert not called


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("swin-88m", "swin-base"),
        ("vit-632m", "vit-huge-patch14-224-in21k"),
        ("resnet-25m", "resnet-50"),
        ("whisper-1.5b", "whisper-large-v2"),
        ("sd-860m", "sd-1.5"),
        ("unet-31m", "unet"),
    ],
)
def test_a_size_of_a_family_that_sees_or_hears_is_its_member_of_that_size(name: str, model: str) -> None:
    network = _subject(name).transformer
    assert network is not None
    assert network.id == model


@pytest.mark.parametrize("name", ["vit-22b", "hubert-1b", "resnet-7b"])
def test_a_size_that_no_member_has_is_no_decoder_of_it(name: str) -> None:
    with pytest.raises(UnsupportedModelError, match="near none of those catalogued"):
        _subject(name)


@pytest.mark.parametrize(
    "name", ["claude", "Zorblax", "Starship", "quokka-large", "tarantula2", "sound of music", "hurricane-net"]
)
def test_names_of_quite_other_networks_are_not_suggested(name: str) -> None:
    """Letters further on are shared by chance."""
    with pytest.raises(EstimatorError) as caught:
        _subject(name)
    assert isinstance(caught.value, UnknownNameError)
    assert not caught.value.nearest, caught.value.nearest


@pytest.mark.parametrize("name", ["GPT-2 RL", "gpt2 ppo", "Qwen2.5-7B-GRPO"])
def test_sampling_that_a_name_tells_of_is_warned_of(name: str) -> None:
    assert "method_in_model_name" in {caution.code for caution in _subject(name).warnings}


@pytest.mark.parametrize("name", ["csm-1b", "sesame/csm-1b"])
def test_a_backbone_that_is_counted_alone_is_warned_of(name: str) -> None:
    assert "text_part_only" in {caution.code for caution in _subject(name).warnings}
