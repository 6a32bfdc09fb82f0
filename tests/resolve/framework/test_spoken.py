"""What people call their software in forums and notebooks is known, and its trainer with it.

Authority: the names of the projects' scripts and classes, as their documentation has them.
"""

import pytest

from estimator.resolve.framework.named import named_framework

HUGGINGFACE = """
Seq2SeqTrainer
HF Trainer, Seq2SeqTrainingArguments
run_glue.py
run_qa_no_trainer.py
run_summarization.py
run_speech_recognition_seq2seq.py
run_image_classification.py
SentenceTransformerTrainer
sentence-transformers MultipleNegativesRankingLoss
simpletransformers
ipex-llm
InternVL repo
"""
TRL = """
RewardTrainer
ORPOTrainer
GKDTrainer
"""
TORCHTUNE = """
tune run full_finetune_single_device
tune run lora_finetune_distributed
"""
XLA = """
tf.keras
KerasNLP
TensorFlow 2
big_vision
flax nnx
"""
PLAIN_TORCH = """
PyTorch MPS
Intel Extension for PyTorch
PyTorch DDP + NVIDIA DALI
torchvision references, FFCV
timm train.py
DeiT repo
OpenNMT-py
"""
BY_STACK = {"huggingface": HUGGINGFACE, "trl": TRL, "torchtune": TORCHTUNE, "jax": XLA, "pytorch": PLAIN_TORCH}


@pytest.mark.parametrize(
    ("said", "stack"),
    [(said, stack) for stack, lines in BY_STACK.items() for said in lines.strip().splitlines()],
)
def test_a_name_that_people_use_is_a_stack_and_nothing_of_it_is_left_over(said: str, stack: str) -> None:
    found = named_framework(said)
    assert (found.name, found.not_understood) == (stack, ())


@pytest.mark.parametrize("place", ["SageMaker", "Vertex AI", "Azure ML", "Modal", "Kaggle", "Lambda Labs", "Ray Train"])
def test_where_a_trainer_runs_is_no_trainer(place: str) -> None:
    assert named_framework(place).name == "auto"
    assert named_framework(f"{place}, axolotl").name == "axolotl"


@pytest.mark.parametrize("script", ["run_clm.py", "run_mlm_no_trainer.py"])
def test_scripts_that_join_texts_pack(script: str) -> None:
    """Others of the examples pad, as their trainer does."""
    assert named_framework(script).practice.packing == "packed"
    assert named_framework("run_glue.py").practice.packing is None


@pytest.mark.parametrize("said", ["VeRA", "LoftQ", "PiSSA", "IA3", "AdaLoRA"])
def test_what_is_added_to_a_frozen_base_is_an_adapter(said: str) -> None:
    assert named_framework(f"PEFT, {said}").method == "lora"


@pytest.mark.parametrize(
    ("said", "stack"),
    [
        ("NeMo continued pretraining", "nemo"),
        ("continued pretraining with NeMo 25.9", "nemo"),
        ("our custom fork of Megatron-LM, from scratch, mamba-ssm", "megatron"),
        ("pretraining from scratch", "auto"),
        ("from scratch", "auto"),
        ("ROCm Megatron-LM", "primus"),
        ("AMD's Megatron docker", "primus"),
        ("rocm/megatron-lm:v25.6", "primus"),
        ("mindspeed-llm", "mindspeed"),
        ("MindFormers", "mindspeed"),
    ],
)
def test_ordinary_words_beside_a_stack_leave_nothing_over(said: str, stack: str) -> None:
    found = named_framework(said)
    assert (found.name, found.not_understood) == (stack, ())


@pytest.mark.parametrize(("said", "year"), [("NeMo 25.9", 2025.67), ("rocm/megatron-lm:v25.6", 2025.42)])
def test_a_container_is_of_its_month_however_that_is_written(said: str, year: float) -> None:
    assert named_framework(said).released == pytest.approx(year, abs=0.01)
