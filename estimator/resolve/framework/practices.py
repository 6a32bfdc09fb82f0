"""What people say of how a step is run, in the words of trainers' options and of release notes."""

from collections.abc import Mapping
from types import MappingProxyType

from estimator.models.training import Recompute
from estimator.question.practice import Practice
from estimator.question.question import Sharding
from estimator.resolve.framework.adapted import ADAPTED
from estimator.resolve.framework.adapters import ADAPTERS
from estimator.resolve.framework.degrees import DEGREES
from estimator.resolve.framework.denoisers import CACHES
from estimator.resolve.framework.fabrics import FABRICS
from estimator.resolve.framework.goals import GOALS
from estimator.resolve.framework.held_weights import HELD_WEIGHTS
from estimator.resolve.framework.links import LINKS
from estimator.resolve.framework.loaders import WORKERS
from estimator.resolve.framework.machines import SEVERAL_DEVICES
from estimator.resolve.framework.meaning import Facts, Meaning, by_phrase, folded, practised
from estimator.resolve.framework.offloads import OFFLOADS
from estimator.resolve.framework.optimizers import OPTIMIZERS
from estimator.resolve.framework.packings import PACKINGS
from estimator.resolve.framework.weight_widths import WEIGHT_WIDTHS

__all__ = ["PRACTICES"]


def _sharding(words: str, said: Sharding) -> tuple[str, Meaning]:
    return words, Meaning(says=Facts(sharding=said), denies=Facts(sharding=None if said == "ddp" else "ddp"))


def _recompute(words: str, said: Recompute) -> tuple[str, Meaning]:
    return words, Meaning(says=Facts(recompute=said), denies=Facts(recompute="none"))


def _precision(words: str, said: str, recipe: str | None = None) -> tuple[str, Meaning]:
    return words, Meaning(says=Facts(precision=said, practice=Practice(fp8_recipe=recipe)))


_FLASH_2 = Practice(attention="flash_2")
_SDPA = Practice(attention="sdpa")
_UNFUSED = Practice(attention="unfused")
_LIGER = Practice(fused_kernels=True, fused_loss=True)
_QLORA = Facts(practice=Practice(base_bits=4, usual_recompute="full"), method="qlora")
_ATTENTION = (
    practised("flash attention | flash attn | fa", _FLASH_2, _UNFUSED),
    practised("flash attention 1 | flash attn 1 | flash attention v1 | fa 1", Practice(attention="flash_1"), _UNFUSED),
    practised("flash attention 2 | flash attn 2 | flash attention v2 | flash attn v2 | fa 2", _FLASH_2, _UNFUSED),
    practised("use flash attn | enable flash attention | sdpa flash | train mem", _FLASH_2, _UNFUSED),
    practised("torch sdpa | sdpa | scaled dot product attention | attn implementation sdpa", _SDPA, _UNFUSED),
    practised("flex attention | flex attn", _FLASH_2),
    practised("attn implementation flash attention 2 | attn impl flash attn", _FLASH_2),
    practised("flash attention 3 | flash attn 3 | flash attention v3 | fa 3 | fa 4", Practice(attention="flash_3")),
    practised("flash attention 4 | cudnn attention | cudnn fa | cudnn flash attention", Practice(attention="flash_3")),
    practised("fused attention | te attention | splash attention", Practice(attention="flash_3"), _UNFUSED),
    practised(
        "xformers | memory efficient attention | mem efficient attention | efficient attention",
        Practice(attention="memory_efficient"),
    ),
    practised("eager attention | attn implementation eager | unfused attention | naive attention", _UNFUSED),
    practised("math attention | vanilla attention | standard attention | math sdpa", _UNFUSED),
)
_KERNELS = (
    practised(
        "liger | liger kernel | use liger | use liger kernel | enable liger kernel",
        _LIGER,
        Practice(fused_kernels=False, fused_loss=False),
    ),
    practised("unsloth kernels", _LIGER),
    practised(
        "fused kernels | triton kernels | fused ops | foak | fused norm | fused rmsnorm | fused rope | "
        "fused transformer | fused transformer kernel | fused transformer layer | transformer kernel",
        Practice(fused_kernels=True),
        Practice(fused_kernels=False),
    ),
    practised(
        "fast kernels | apex | apex kernels | fused layer norm | quack | quack kernels | fla",
        Practice(fused_kernels=True),
        Practice(fused_kernels=False),
    ),
    practised(
        "chunked ce | chunked cross entropy | chunked loss | chunked logits | fused ce | fused cross entropy | "
        "fused loss",
        Practice(fused_loss=True),
        Practice(fused_loss=False),
    ),
    practised(
        "cut cross entropy | cce | linear cross entropy | fused linear cross entropy | flce | fused linear ce | "
        "chunked nll | fused classifier | linear ce",
        Practice(fused_loss=True),
        Practice(fused_loss=False),
    ),
    practised("unfused loss | plain loss | full logits", Practice(fused_loss=False)),
    practised(
        "grouped gemm | grouped mm | grouped experts | grouped matmul | megablocks | scattermoe | quack moe",
        Practice(experts="grouped"),
        Practice(experts="loop"),
    ),
    practised("moe grouped gemm | mega moe | sonic moe", Practice(experts="grouped"), Practice(experts="loop")),
    practised(
        "channels last | channels last memory format | memory format channels last | nhwc",
        Practice(channels_last=True),
        Practice(channels_last=False),
    ),
    practised(
        "gathered predictions | masked positions only | gather masked",
        Practice(gathers_masked=True),
        Practice(gathers_masked=False),
    ),
    practised("channels first | nchw", Practice(channels_last=False), Practice(channels_last=True)),
    practised(
        "balanced routing | forced balanced routing | forced load balancing | force load balancing | "
        "moe router force load balancing | uniform routing",
        Practice(even_routing=True),
        Practice(even_routing=False),
    ),
    practised(
        "natural routing | unbalanced routing | real routing | real unbalanced routing | uneven routing",
        Practice(even_routing=False),
        Practice(even_routing=True),
    ),
    # Transformers' own layers, whatever shards them.
    practised(
        "from pretrained | auto model for causal lm | auto model for causal lm from pretrained | "
        "auto model from pretrained | transformers models | transformers model | transformers modeling code",
        Practice(own_experts=False),
    ),
    practised("deepep | deep ep", Practice(dispatcher="deepep")),
    practised("hybridep | hybrid ep", Practice(dispatcher="hybridep")),
    practised("alltoall dispatcher | token dispatcher alltoall", Practice(dispatcher="alltoall")),
    practised(
        "expert loop | loop over experts | experts in a loop | sequential experts | sequential mlp",
        Practice(experts="loop"),
    ),
)
_LAUNCHES = (
    practised("eager | eager mode | pytorch eager | eager execution", Practice(launch="eager")),
    practised(
        "compile | compiled | torch compile | inductor | torch inductor | torch 2 compile | graph | graph mode | "
        "jit | xla compiled",
        Practice(launch="compiled"),
        Practice(launch="eager"),
    ),
    practised(
        "use torch compile | enable compile | torch compile true | dynamo",
        Practice(launch="compiled"),
        Practice(launch="eager"),
    ),
    practised("partial cuda graph | partial cuda graphs", Practice(launch="partial_graphs"), Practice(launch="eager")),
    practised(
        "cuda graph | cuda graphs | cudagraphs | full iteration graph | hpu graph | hip graph | reduce overhead",
        Practice(launch="graphs"),
        Practice(launch="eager"),
    ),
)
_PREDICTIONS = (
    practised(
        "mtp | multi token prediction | w mtp | mtp on | mtp head | mtp layers | mtp num layers",
        Practice(prediction=True),
        Practice(prediction=False),
    ),
    practised("mtp off | main model only", Practice(prediction=False)),
)
_OVERLAPS = (
    practised(
        "overlap | comm overlap | communication overlap | overlap comm | overlapping | comms overlap",
        Practice(overlap=True),
        Practice(overlap=False, tensor_overlap=False),
    ),
    practised(
        "overlap grad reduce | overlap param gather | grad overlap | dp overlap | dp comm overlap | prefetch",
        Practice(overlap=True),
        Practice(overlap=False),
    ),
    practised(
        "fsdp 2 prefetch | fsdp prefetch | backward prefetch | dualpipe",
        Practice(overlap=True),
        Practice(overlap=False),
    ),
    practised(
        "tp overlap | tp comm overlap | tensor overlap | tensor parallel overlap | userbuffers | async tp | "
        "user buffers",
        Practice(tensor_overlap=True),
        Practice(tensor_overlap=False),
    ),
    practised(
        "moe a2a overlap | a2a overlap | all to all overlap | overlap moe expert parallel comm | ep overlap",
        Practice(exchange_overlap=True),
        Practice(exchange_overlap=False),
    ),
)
_BASES = (
    practised(
        "4 bit | 4 bits | nf 4 | int 4 | load in 4 bit | 4 bit base | fp 4 base | 4 bit quantized",
        Practice(base_bits=4),
    ),
    practised("8 bit | 8 bits | load in 8 bit | llm int 8 | int 8 base | 8 bit base | int 8", Practice(base_bits=8)),
    practised("bnb | bitsandbytes | bits and bytes", Practice(dequantization="bitsandbytes")),
    practised(
        "bnb 4 bit | bitsandbytes 4 bit | bnb nf 4 | 4 bit bnb", Practice(base_bits=4, dequantization="bitsandbytes")
    ),
    practised("hqq | hqq 4 bit | 4 bit hqq", Practice(base_bits=4, dequantization="quanto")),
    practised("bnb 8 bit | bitsandbytes 8 bit | 8 bit bnb", Practice(base_bits=8, dequantization="bitsandbytes")),
    practised(
        "gptq | auto gptq | gptq int 4 | gptq 4 bit | awq | int 4 gptq", Practice(base_bits=4, dequantization="gptq")
    ),
    practised("fused dequantization | fused dequant | marlin | exllama", Practice(base_bits=4, dequantization="fused")),
    # The recipes that people mean by it checkpoint: peft's prepare_model_for_kbit_training turns that on.
    ("qlora", Meaning(stack="huggingface", says=_QLORA, beside=_QLORA)),
)
_FORMATS = (
    _precision("fp 32 | float 32 | fp 32 compute | compute fp 32 | full precision | single precision", "fp32"),
    _precision("fp 32 compute dtype | 32 true", "fp32"),
    _precision("tf 32", "tf32"),
    _precision("bf 16 | bfloat 16", "bf16"),
    _precision(
        "fp 16 | float 16 | half precision | fp 16 mixed | fp 16 mixed precision | 16 mixed | apex amp | apex o 1 | "
        "apex o 2",
        "fp16",
    ),
    _precision("fp 8 | float 8 | fp 8 training | fp 8 hybrid | e 4 m 3", "fp8"),
    _precision("fp 8 delayed | delayed scaling | fp 8 delayed scaling | fp 8 ds", "fp8", "delayed"),
    _precision(
        "current scaling | fp 8 current scaling | per tensor scaling | fp 8 cs | tensorwise | tensorwise scaling | "
        "fp 8 tensorwise | float 8 tensorwise",
        "fp8",
        "tensorwise",
    ),
    _precision("rowwise | fp 8 rowwise | float 8 rowwise | rowwise scaling", "fp8", "rowwise"),
    _precision(
        "blockwise | fp 8 blockwise | block scaling | fp 8 block scaling | fp 8 sc | subchannel | "
        "blockwise scaling | blockwise fp 8",
        "fp8",
        "blockwise",
    ),
    _precision("mxfp 8 | mx fp 8 | fp 8 mx", "mxfp8", "mxfp8"),
    _precision("nvfp 4 | nv fp 4", "nvfp4"),
)
_PROJECTS = (
    # Their scripts load weights in BF16 and train them so: benchmarks/scenarios (torch_dtype), README.
    practised("fms acceleration | tinyllama", Practice(master_weights=False)),
)
_SPLITS = (
    # Accelerate's hooks pass one micro-batch from device to device; DataParallel and DDP are what `no` of it means.
    practised(
        "device map auto | device map balanced | device map | balanced device map | naive pipeline | "
        "naive pipeline parallel | naive pipeline parallelism | naive model parallel | naive model parallelism | "
        "layers split across gpus | sequential model parallel | vertical model parallel",
        Practice(stages_alone=True),
        Practice(stages_alone=False),
    ),
    # Trainers of Transformers' models, and FSDP, share sequences where they are told to.
    practised(
        "sequence parallel | sequence parallelism | context parallel | context parallelism | sp | cp | "
        "ring attention | zigzag ring attention | ring flash attention | ring flash attn | ring attn",
        Practice(splits_sequences=True),
        Practice(splits_sequences=False),
    ),
    practised(
        "ulysses | ulysses sp | ulysses sequence parallel | ulysses sequence parallelism | alst | "
        "arctic long sequence training | usp | unified sequence parallel | long context parallel",
        Practice(splits_sequences=True),
        Practice(splits_sequences=False),
    ),
    # A process for each device, each with samples of its own.
    practised("torchrun | torch distributed run | torch distributed launch", Practice(stages_alone=False)),
    (
        "multi gpu | multiple gpus | several gpus | all gpus | multi gpu training | distributed training",
        SEVERAL_DEVICES,
    ),
)
_SHARDINGS = (
    _sharding(
        "zero 3 | zero stage 3 | zero optimization stage 3 | stage 3 | full shard | z 3 | zero++",
        "zero3",
    ),
    _sharding("custom fsdp | mfsdp", "zero3"),
    (
        "hsdp | hybrid shard | hybrid sharding | hybrid sharded data parallel",
        Meaning(says=Facts(sharding="zero3", practice=Practice(shards_in_node=True))),
    ),
    _sharding(
        "zero 2 | zero stage 2 | stage 2 | shard grad op | z 2 | hybrid shard zero 2",
        "zero2",
    ),
    _sharding(
        "zero 1 | zero stage 1 | stage 1 | distributed optimizer | dist opt | zero redundancy optimizer", "zero1"
    ),
    _sharding("zero 0 | zero stage 0 | stage 0 | no shard | plain ddp", "ddp"),
    ("nn data parallel", Meaning(says=Facts(sharding="ddp", practice=Practice(one_process=True)))),
)
_RECOMPUTES = (
    _recompute(
        "gradient checkpointing | activation checkpointing | checkpointing | grad checkpointing | ac | "
        "gradient checkpoint | gc | activation checkpoint | grad ckpt | ckpt | act ckpt",
        "full",
    ),
    _recompute(
        "recompute full | recompute granularity full | activation recompute full | "
        "full ac | full recompute | full recomputation | full activation checkpointing | recompute | "
        "recomputation | activation recomputation | activation recompute | remat | full remat | rematerialization | "
        "full activation recomputation | use gradient checkpointing | activation gradient checkpointing | "
        "full checkpointing | full recompute baseline",
        "full",
    ),
    _recompute(
        "selective | recompute selective | activation recompute selective | recompute granularity selective | "
        "selective ac | selective recompute | selective recomputation | selective activation checkpointing | "
        "selective checkpointing | selective activation recomputation | sac | op sac",
        "selective",
    ),
)
_METHODS = (
    (
        "full parameter | full finetuning | full fine tune | full fine tuning | full finetune | full sft | fft",
        Meaning(says=Facts(method="full")),
    ),
)
"""What is trained, where method is left at its default."""
_HARMLESS = (
    "sft | grpo | ppo | rlhf | rl | pretraining | pretrain | pre training | finetuning | finetune | sharding | "
    "sharded | sharding strategy | precision | dtype | optimizer | optim | attention | attn | attn implementation | "
    "loss | launch | double quant | double quantization | fine tuning | fine tune | fine tuned | rank | instruct | "
    "mixed precision | amp | gradient accumulation | data parallel | data parallelism | dp | "
    "4 d parallel | 3 d parallel | 5 d parallel | 4 d parallelism | 3 d parallelism | 5 d parallelism | "
    "triton | nccl | rccl | zero | torch dispatch | flash mla | torchao | async checkpointing | "
    "distributed checkpointing | dist checkpointing | async checkpoint | async save | torch mm | iso batch | wandb | "
    "vllm | sglang | slurm | ray | dgx cloud benchmarking | benchmarking | cuda | rocm | cudnn | c++ | cpp | "
    "model init kwargs | "
    "python | native | fast | isambard ai | channel last | memory format | script | notebook | jupyter | colab | "
    "google colab | colab notebook | kaggle | kaggle notebook | runpod | sagemaker | vertex ai | azure ml | "
    "azureml | databricks | mosaic ai | together ai | modal | lambda labs | vast ai | lightning ai studio | "
    "determined ai | skypilot | kubeflow | ray train | webdataset | mosaicml streaming | mamba ssm | "
    "causal conv 1 d | causal conv1d | pretrain gpt | pretrain llama | auto wrap | auto wrap policy | wrap | "
    "transformer based wrap | size based wrap | configs | assistant only loss | completion only loss | "
    "precompute ref log probs | textual inversion | streaming dataset | neftune | neftune noise | max autotune"
)
"""Known, and told by another argument, or with no effect of their own."""
_VERSIONED: Mapping[str, str] = MappingProxyType({"cuda": "cuda", "rocm": "rocm"})


PRACTICES: Mapping[str, Meaning] = MappingProxyType(
    {
        **{
            key: Meaning(project=_VERSIONED.get(key, "")) for key in (folded(phrase) for phrase in _HARMLESS.split("|"))
        },
        **by_phrase(
            *_ATTENTION,
            *_KERNELS,
            *_LAUNCHES,
            *_PREDICTIONS,
            *OFFLOADS,
            *_OVERLAPS,
            *PACKINGS,
            *_BASES,
            *_METHODS,
            *DEGREES,
            *_FORMATS,
            *_PROJECTS,
            *_SPLITS,
            *_SHARDINGS,
            *_RECOMPUTES,
        ),
        **CACHES,
        **ADAPTED,
        **ADAPTERS,
        **HELD_WEIGHTS,
        **WEIGHT_WIDTHS,
        **FABRICS,
        **GOALS,
        **LINKS,
        **OPTIMIZERS,
        **WORKERS,
    }
)
"""By folded phrase: `flash-attn 2`, `flash_attn_2` and `FlashAttn2` are all `flashattn2`."""
