"""Fine-tunes and quantised copies, by the names people give them, resolve to the model whose layers they have."""

import json
from contextlib import suppress
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base.errors import UnknownNameError
from estimator.catalogue import catalogue
from estimator.catalogue.variants import quantised_bits

# Authority: the model cards of the Hugging Face Hub, which name the base that each was trained from.
_BASES = {
    "llama-3.2-3b": (
        *(
            "unsloth/Llama-3.2-3B-Instruct",
            "unsloth/Llama-3.2-3B-Instruct-bnb-4bit",
            "meta-llama/Llama-3.2-3B-Instruct",
        ),
        *("bartowski/Llama-3.2-3B-Instruct-GGUF", "Llama-3.2-3B-Instruct-Q4_K_M.gguf", "llama3.2:3b"),
    ),
    "llama-3.2-1b": ("unsloth/Llama-3.2-1B", "meta-llama/Llama-Guard-3-1B"),
    "llama-7b": (
        *("decapoda-research/llama-7b-hf", "huggyllama/llama-7b", "lmsys/vicuna-7b-v1.3", "chavinlo/alpaca-7b"),
        *("timdettmers/guanaco-7b", "openlm-research/open_llama_7b", "allenai/tulu-7b", "WizardLM/WizardLM-7B-V1.0"),
    ),
    "llama-13b": ("lmsys/vicuna-13b-v1.1", "TheBloke/koala-13B-GPTQ", "decapoda-research/llama-13b-hf"),
    "llama-30b": ("lmsys/vicuna-33b-v1.3", "tloen/alpaca-lora-30b", "OpenAssistant/oasst-sft-7-llama-30b"),
    "llama-65b": ("timdettmers/guanaco-65b", "TheBloke/guanaco-65B-GPTQ"),
    "open-llama-3b": ("openlm-research/open_llama_3b_v2", "pankajmathur/orca_mini_3b"),
    "llama-2-7b": (
        *("lmsys/vicuna-7b-v1.5", "meta-llama/Llama-2-7b-chat-hf", "NousResearch/Llama-2-7b-hf", "llama2:7b"),
        *("TheBloke/Llama-2-7B-Chat-GPTQ", "TheBloke/Llama-2-7B-Chat-AWQ", "TheBloke/Llama-2-7B-Chat-GGML"),
        *("microsoft/Orca-2-7b", "allenai/tulu-2-7b", "stabilityai/StableBeluga-7B", "daryl149/llama-2-7b-chat-hf"),
        *("WizardLM/WizardMath-7B-V1.0", "epfl-llm/meditron-7b", "garage-bAInd/Platypus2-7B"),
    ),
    "llama-2-13b": (
        *("lmsys/vicuna-13b-v1.5", "WizardLM/WizardLM-13B-V1.2", "NousResearch/Nous-Hermes-Llama2-13b"),
        *("Gryphe/MythoMax-L2-13b", "allenai/tulu-2-dpo-13b", "microsoft/Orca-2-13b"),
    ),
    "llama-2-70b": ("TheBloke/WizardLM-70B-V1.0-GPTQ", "allenai/tulu-2-70b", "stabilityai/StableBeluga2"),
    "llama-3-8b": (
        *("unsloth/llama-3-8b-bnb-4bit", "NousResearch/Hermes-2-Pro-Llama-3-8B", "meta-llama/Meta-Llama-Guard-2-8B"),
        *("aaditya/OpenBioLLM-Llama3-8B", "casperhansen/llama-3-8b-instruct-awq", "QuantFactory/Meta-Llama-3-8B-GGUF"),
    ),
    "llama-3.1-8b": (
        *(
            "unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit",
            "NousResearch/Hermes-3-Llama-3.1-8B",
            "allenai/Llama-3.1-Tulu-3-8B",
        ),
        *("deepseek-ai/DeepSeek-R1-Distill-Llama-8B", "neuralmagic/Meta-Llama-3.1-8B-Instruct-FP8", "llama3.1:8b"),
        *("hugging-quants/Meta-Llama-3.1-8B-Instruct-AWQ-INT4", "RedHatAI/Llama-3.1-8B-Instruct-quantized.w4a16"),
        "nvidia/Llama-3.1-Nemotron-Nano-8B-v1",
    ),
    "llama-3.1-70b": ("nvidia/Llama-3.1-Nemotron-70B-Instruct-HF", "NousResearch/Hermes-3-Llama-3.1-70B"),
    "llama-3.3-70b": ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "unsloth/Llama-3.3-70B-Instruct-bnb-4bit"),
    "llama-3.1-405b": ("neuralmagic/Meta-Llama-3.1-405B-Instruct-FP8", "NousResearch/Hermes-3-Llama-3.1-405B"),
    "codellama-7b": ("codellama/CodeLlama-7b-Python-hf", "codellama/CodeLlama-7b-Instruct-hf", "EleutherAI/llemma_7b"),
    "codellama-34b": ("Phind/Phind-CodeLlama-34B-v2", "WizardLM/WizardCoder-Python-34B-V1.0"),
    "codellama-70b": ("codellama/CodeLlama-70b-Instruct-hf",),
    "tinyllama-1.1b": ("TinyLlama/TinyLlama-1.1B-Chat-v1.0", "TinyLlama/TinyLlama-1.1B-Chat-v0.6"),
    "mistral-7b": (
        *("mistralai/Mistral-7B-v0.1", "HuggingFaceH4/zephyr-7b-beta", "HuggingFaceH4/zephyr-7b-alpha"),
        *("teknium/OpenHermes-2.5-Mistral-7B", "Open-Orca/Mistral-7B-OpenOrca", "openchat/openchat-3.5-0106"),
        *("berkeley-nest/Starling-LM-7B-alpha", "Intel/neural-chat-7b-v3-1", "TheBloke/zephyr-7B-beta-GPTQ"),
        "cognitivecomputations/dolphin-2.6-mistral-7b",
    ),
    "mistral-7b-v0.2": (
        *("Mistral-7B-Instruct-v0.2", "mistralai/Mistral-7B-Instruct-v0.2", "TheBloke/Mistral-7B-Instruct-v0.2-AWQ"),
        *("unsloth/mistral-7b-instruct-v0.2-bnb-4bit", "mistral:7b-instruct-v0.2-q4_K_M"),
    ),
    "mistral-7b-v0.3": (
        "unsloth/mistral-7b-v0.3-bnb-4bit",
        "mistralai/Mistral-7B-Instruct-v0.3",
        "mistralai/Mathstral-7B-v0.1",
    ),
    "mistral-small-22b": ("mistralai/Mistral-Small-Instruct-2409", "unsloth/Mistral-Small-Instruct-2409-bnb-4bit"),
    "mistral-small-24b": (
        "mistralai/Mistral-Small-24B-Instruct-2501",
        *("mistralai/Magistral-Small-2506", "mistralai/Devstral-Small-2505"),
    ),
    "mistral-nemo-12b": ("mistralai/Mistral-Nemo-Instruct-2407", "unsloth/Mistral-Nemo-Instruct-2407-bnb-4bit"),
    "mistral-large-2": ("mistralai/Mistral-Large-Instruct-2411",),
    "mixtral-8x7b": (
        *("mistralai/Mixtral-8x7B-Instruct-v0.1", "NousResearch/Nous-Hermes-2-Mixtral-8x7B-DPO", "dolphin-mixtral"),
        "TheBloke/Mixtral-8x7B-Instruct-v0.1-GPTQ",
    ),
    "mixtral-8x22b": (
        "mistralai/Mixtral-8x22B-Instruct-v0.1",
        "mistralai/Mixtral-8x22B-v0.1",
        "alpindale/WizardLM-2-8x22B",
    ),
    "solar-10.7b": ("upstage/SOLAR-10.7B-Instruct-v1.0", "TheBloke/SOLAR-10.7B-Instruct-v1.0-GGUF"),
    "gemma-2b": ("google/gemma-2b-it", "google/codegemma-2b", "google/gemma-1.1-2b-it"),
    "gemma-7b": ("google/gemma-1.1-7b-it", "HuggingFaceH4/zephyr-7b-gemma-v0.1", "google/codegemma-7b-it"),
    "gemma-2-9b": ("unsloth/gemma-2-9b-it-bnb-4bit", "princeton-nlp/gemma-2-9b-it-SimPO", "google/shieldgemma-9b"),
    "gemma-3-1b": ("google/gemma-3-1b-it-qat-q4_0-gguf",),
    "gemma-3-4b": ("unsloth/gemma-3-4b-it-unsloth-bnb-4bit", "google/medgemma-4b-it"),
    "gemma-3-27b": ("google/gemma-3-27b-it", "google/medgemma-27b-text-it"),
    "qwen1-7b": ("Qwen/Qwen-7B", "Qwen/Qwen-7B-Chat", "Qwen/Qwen-7B-Chat-Int4"),
    "qwen1-14b": ("Qwen/Qwen-14B-Chat",),
    "qwen1-72b": ("Qwen/Qwen-72B", "Qwen/Qwen-72B-Chat-Int4"),
    "qwen1-1.8b": ("Qwen/Qwen-1_8B-Chat",),
    "qwen1.5-0.5b": ("Qwen/Qwen1.5-0.5B-Chat",),
    "qwen1.5-7b": ("Qwen/Qwen1.5-7B-Chat-GPTQ-Int4", "Qwen/Qwen1.5-7B"),
    "qwen1.5-14b": ("Qwen/Qwen1.5-14B-Chat-AWQ",),
    "qwen1.5-110b": ("Qwen/Qwen1.5-110B-Chat",),
    "qwen2-7b": ("Qwen/Qwen2-7B-Instruct-AWQ", "Qwen/Qwen2-Math-7B-Instruct", "AIDC-AI/Marco-o1"),
    "qwen2.5-1.5b": ("Qwen/Qwen2.5-Math-1.5B",),
    "deepseek-r1-distill-qwen-1.5b": ("deepseek-r1:1.5b", "unsloth/DeepSeek-R1-Distill-Qwen-1.5B-bnb-4bit"),
    "qwen2.5-7b": (
        *("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "Qwen/Qwen2.5-Coder-7B-Instruct-GPTQ-Int4", "qwen2.5:7b"),
        *("Qwen/Qwen2.5-7B-Instruct-1M", "open-thoughts/OpenThinker-7B"),
    ),
    "qwen2.5-14b": ("deepseek-ai/DeepSeek-R1-Distill-Qwen-14B", "unsloth/Qwen2.5-14B-Instruct-bnb-4bit"),
    "qwen2.5-32b": ("Qwen/QwQ-32B-Preview", "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", "simplescaling/s1-32B"),
    "qwen3-4b": ("Qwen/Qwen3-4B-Instruct-2507", "unsloth/Qwen3-4B-unsloth-bnb-4bit", "Qwen/Qwen3-4B-Thinking-2507"),
    "qwen3-8b": (
        "deepseek-ai/DeepSeek-R1-0528-Qwen3-8B",
        "Qwen/Qwen3-8B-AWQ",
        "Qwen/Qwen3-8B-FP8",
    ),
    "qwen3-30b-a3b": (
        "unsloth/Qwen3-30B-A3B-GGUF",
        "Qwen/Qwen3-30B-A3B-Thinking-2507",
        "Qwen/Qwen3-Omni-30B-A3B-Instruct",
    ),
    "qwen3-235b-a22b": ("Qwen/Qwen3-235B-A22B-Thinking-2507-FP8",),
    "chatglm-6b": ("THUDM/chatglm-6b", "chatglm-6b-int4"),
    "chatglm2-6b": ("THUDM/chatglm2-6b", "THUDM/chatglm2-6b-int4", "THUDM/codegeex2-6b"),
    "chatglm3-6b": ("THUDM/chatglm3-6b", "THUDM/chatglm3-6b-base", "THUDM/chatglm3-6b-32k"),
    "glm-4-9b": ("THUDM/glm-4-9b-chat", "THUDM/glm-4-9b-chat-1m", "THUDM/codegeex4-all-9b"),
    "baichuan-13b": ("baichuan-inc/Baichuan-13B-Chat",),
    "baichuan2-7b": ("baichuan-inc/Baichuan2-7B-Chat", "baichuan-inc/Baichuan2-7B-Chat-4bits"),
    "baichuan2-13b": ("baichuan-inc/Baichuan2-13B-Chat",),
    "internlm-7b": ("internlm/internlm-chat-7b",),
    "internlm2-7b": ("internlm/internlm2-chat-7b", "internlm/internlm2_5-7b-chat", "internlm/internlm2-math-7b"),
    "yi-6b": ("01-ai/Yi-6B-Chat", "01-ai/Yi-6B-200K"),
    "yi-9b": ("01-ai/Yi-Coder-9B-Chat", "01-ai/Yi-1.5-9B-Chat"),
    "yi-34b": ("01-ai/Yi-34B-Chat-4bits", "NousResearch/Nous-Hermes-2-Yi-34B", "01-ai/Yi-34B-200K"),
    "deepseek-v3": ("deepseek-ai/DeepSeek-R1-Zero", "deepseek-ai/DeepSeek-V3-0324", "unsloth/DeepSeek-R1-GGUF"),
    "deepseek-coder-6.7b": ("deepseek-ai/deepseek-coder-6.7b-instruct", "ise-uiuc/Magicoder-S-DS-6.7B"),
    "deepseek-llm-7b": ("deepseek-ai/deepseek-math-7b-instruct", "deepseek-ai/deepseek-llm-7b-chat"),
    "deepseek-v2-lite": ("deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct",),
    "phi-2": ("cognitivecomputations/dolphin-2_6-phi-2", "TheBloke/phi-2-GGUF"),
    "phi-3-mini": ("unsloth/Phi-3-mini-4k-instruct-bnb-4bit", "microsoft/Phi-3-mini-4k-instruct-gguf"),
    "phi-4": ("microsoft/Phi-4-reasoning-plus", "unsloth/phi-4-unsloth-bnb-4bit"),
    "phi-4-mini": ("microsoft/Phi-4-mini-reasoning",),
    "falcon-7b": ("tiiuae/falcon-7b-instruct", "ybelkada/falcon-7b-sharded-bf16"),
    "falcon-40b": ("tiiuae/falcon-40b-instruct", "OpenAssistant/falcon-40b-sft"),
    "mpt-7b-released": ("mosaicml/mpt-7b-chat", "mosaicml/mpt-7b-storywriter"),
    "mpt-30b": ("mosaicml/mpt-30b-chat",),
    "starcoder-15b": ("bigcode/starcoder", "HuggingFaceH4/starchat-beta", "WizardLM/WizardCoder-15B-V1.0"),
    "starcoder2-15b": ("bigcode/starcoder2-15b-instruct-v0.1", "HuggingFaceH4/starchat2-15b-v0.1"),
    "smollm-135m": ("HuggingFaceTB/SmolLM-135M-Instruct",),
    "smollm2-135m": ("HuggingFaceTB/SmolLM2-135M-Instruct",),
    "smollm-1.7b": ("HuggingFaceTB/SmolLM-1.7B",),
    "granite-3.1-8b": ("ibm-granite/granite-3.3-8b-instruct", "ibm-granite/granite-3.0-8b-base"),
    "command-r-35b": ("CohereForAI/c4ai-command-r-v01-4bit", "CohereForAI/aya-23-35B"),
    "command-r-08-2024": ("CohereForAI/c4ai-command-r-08-2024", "CohereLabs/aya-expanse-32b"),
    "command-r-plus-104b": ("CohereForAI/c4ai-command-r-plus-08-2024",),
    "olmo-7b": ("allenai/OLMo-7B-SFT-hf", "allenai/OLMo-7B-0724-hf"),
    "olmo-2-7b": ("allenai/OLMo-2-1124-7B-Instruct", "allenai/OLMo-2-1124-7B-DPO", "allenai/OLMo-2-1124-7B-SFT"),
    "pythia-12b": ("databricks/dolly-v2-12b",),
    "gpt-j-6b": ("nomic-ai/gpt4all-j", "PygmalionAI/pygmalion-6b"),
    "gpt-neo-2.7b": ("EleutherAI/gpt-neo-2.7B",),
    "bloom-7.1b": ("bigscience/bloomz-7b1", "bigscience/bloomz-7b1-mt"),
    "gpt-oss-20b": ("unsloth/gpt-oss-20b-unsloth-bnb-4bit", "openai/gpt-oss-safeguard-20b", "unsloth/gpt-oss-20b-BF16"),
    "kimi-k2": ("moonshotai/Kimi-K2-Instruct-0905", "moonshotai/Kimi-K2-Thinking"),
}
_NAMES = [(name, base) for base, names in _BASES.items() for name in names]


@pytest.mark.parametrize(("name", "base"), _NAMES, ids=[name for name, _ in _NAMES])
def test_a_fine_tune_or_copy_resolves_to_its_base(name: str, base: str) -> None:
    assert catalogue.transformer(name).value.id == base


def test_at_least_a_hundred_and_fifty_names_are_looked_up() -> None:
    """The test above would pass on a short list."""
    assert len(_NAMES) >= 150


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unsloth/Llama-3.2-3B-Instruct", "copy of"),
        ("unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit", "a 4-bit copy of"),
        ("Qwen/Qwen3-8B-FP8", "an 8-bit copy of"),
        ("bartowski/Llama-3.2-3B-Instruct-GGUF", "quantised copy of"),
        ("lmsys/vicuna-7b-v1.5", "fine-tune of Llama 2 7B"),
        ("vicuna-7b", "v1.5, on Llama 2, is assumed"),
        ("THUDM/codegeex2-6b", "fine-tune of ChatGLM2 6B"),
        ("Qwen/Qwen2-Math-7B", "of the architecture of Qwen2 7B"),
        ("Qwen3-4B-Instruct-2507", "fine-tune or release of"),
    ],
)
def test_what_a_name_was_taken_for_is_said(name: str, said: str) -> None:
    assert said in catalogue.transformer(name).note


@pytest.mark.parametrize("name", ["qwen-7b", "qwen-14b", "llama 8b", "vicuna-13b", "wizardlm-13b", "chatglm"])
def test_a_size_of_several_generations_says_which_was_assumed(name: str) -> None:
    """Authority: a bare name of a family that was trained anew is not the newest one's alone."""
    assert catalogue.transformer(name).note


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("dolphin-2.6-mistral-7b-something", "mistral-7b"),
        ("someone/Llama-3.1-Foo-8B", "llama-3.1-8b"),
        ("Llama-3.1-8B-Lexi-Uncensored-Nightly", "llama-3.1-8b"),
        ("acme/qwen2.5-14b-customer-support", "qwen2.5-14b"),
        ("acme/support-Qwen3-30B-A3B-gold", "qwen3-30b-a3b"),
        ("acme-mixtral-8x7b-legal", "mixtral-8x7b"),
        ("OpenAssistant/oasst-sft-4-pythia-12b-epoch-3.5", "pythia-12b"),
    ],
)
def test_a_name_that_holds_a_catalogued_one_with_its_size_is_its_fine_tune_and_says_so(name: str, base: str) -> None:
    match = catalogue.held_transformer(name)
    assert match is not None
    assert match.value.id == base
    assert "whose name it holds" in match.note


@pytest.mark.parametrize(
    "name",
    [
        "llama-3.1-8b-moe-4x",
        "Mistral-7B-Mamba",
        "Llama-3.1-Minitron-4B-Width-Base",
        "LLaMA-Pro-8B",
        "Sheared-LLaMA-2.7B",
        "Mistral-Large-3",
        "qwen2.5-7b-vs-llama-3.1-8b",
        "llama-3.1-8b-eagle3-draft",
        "Foo-13B",
        "no size at all",
        "Llama-4-Maverick-17B-128E-x2-9B",
    ],
)
def test_a_name_that_says_its_layers_were_changed_is_no_fine_tune(name: str) -> None:
    """Never a wrong architecture silently: pruning, upcycling and a second size all change the layers."""
    assert catalogue.held_transformer(name) is None


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("x-bnb-4bit", 4),
        ("x-GPTQ", 4),
        ("x-GPTQ-Int8", 8),
        ("x-AWQ", 4),
        ("x-FP8", 8),
        ("x-Q5_K_M", 5),
        ("x-q8_0.gguf", 8),
        ("x-GGUF", 0),
        ("x-8bit", 8),
        ("x-MXFP4", 4),
        ("x-Instruct", None),
        ("llama-3.1-8b", None),
    ],
)
def test_the_bits_of_a_copy_are_read_off_its_name(name: str, bits: int | None) -> None:
    """Authority: what those who publish quantised copies call them."""
    assert quantised_bits(name) == bits


@given(st.text(max_size=200))
def test_any_text_is_a_model_or_refused(text: str) -> None:
    """No input may end in another kind of error."""
    with suppress(UnknownNameError):
        assert catalogue.transformer(text).value.id
    catalogue.held_transformer(text)
    quantised_bits(text)


@pytest.mark.parametrize("name", ["Qwen/Qwen2.5-VL-7B-Instruct", "Qwen/Qwen3-VL-8B-Instruct", "llava-1.5-7b"])
def test_a_model_that_sees_is_not_taken_for_its_text_part(name: str) -> None:
    """Its towers cost, too."""
    assert catalogue.transformer(name).value.towers


def test_no_fine_tunes_name_is_that_of_a_catalogued_model_that_sees_or_hears() -> None:
    """A copy of Qwen2.5-VL 7B was taken for one of Qwen2.5 7B, whose fine-tunes its own name had been among."""
    rows = json.loads(resources.files("estimator.catalogue").joinpath("data/finetunes.json").read_text("utf-8"))
    for row in rows["finetunes"]:
        for size, base in row["bases"].items():
            for name in row["names"]:
                found = catalogue.model_id(name.replace("{size}", size))
                assert found in {None, base} or catalogue.model(str(found)).transformer.media is None, name
