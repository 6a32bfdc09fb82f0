"""What callers call arguments elsewhere: `batch_size`, `seq_len`, `num_gpus` and their kin, by meaning."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

__all__ = ["changes_nothing", "meant"]

_BATCH = ("global_batch_sequences", "micro_batch_size")
_DATA = ("tokens", "samples")
_MEANT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("batch", "batchsize", "bs", "trainbatchsize", "globalbatch", "globalbatchsize", "gbs"), _BATCH
        ),
        **dict.fromkeys(
            ("effectivebatchsize", "totalbatchsize", "batchtokens", "tokensperbatch", "tokensperstep"), _BATCH
        ),
        **dict.fromkeys(("perdevicetrainbatchsize", "perdevicebatchsize", "microbatch", "mbs"), _BATCH[1:]),
        **dict.fromkeys(("gradaccum", "gradientaccumulationsteps", "gradaccumsteps", "ga"), ("gradient_accumulation",)),
        **dict.fromkeys(("seqlen", "seqlength", "maxseqlen", "maxseqlength", "sequencelen"), ("sequence_length",)),
        **dict.fromkeys(("maxlength", "maxlen", "context", "contextlength", "contextlen"), ("sequence_length",)),
        **dict.fromkeys(("contextwindow", "contextsize", "ctx", "ctxlen", "blocksize", "nctx"), ("sequence_length",)),
        **dict.fromkeys(("gpus", "gpucount", "numgpus", "ngpu", "gpunum", "gpuscount", "worldsize"), ("n_gpus",)),
        **dict.fromkeys(("devices", "numdevices", "accelerators", "count", "ndevices"), ("n_gpus",)),
        **dict.fromkeys(
            ("gputype", "gpuname", "gpumodel", "hardware", "device", "accelerator", "card"), ("gpu", "gpus")
        ),
        **dict.fromkeys(("nodes", "numnodes", "nnodes"), ("n_gpus", "gpus_per_node")),
        **dict.fromkeys(("dataset", "data", "datasetsize", "datasize", "corpus", "trainingdata"), _DATA),
        **dict.fromkeys(("numtokens", "ntokens", "trainingtokens", "totaltokens", "traintokens"), ("tokens",)),
        **dict.fromkeys(("numsamples", "nsamples", "examples", "numexamples", "rows", "images"), ("samples",)),
        **dict.fromkeys(("epoch", "numepochs", "nepochs", "numtrainepochs", "passes"), ("epochs",)),
        **dict.fromkeys(("maxsteps", "numsteps", "nsteps", "trainsteps", "trainingsteps", "iterations"), ("steps",)),
        **dict.fromkeys(("modelname", "modelid", "modelnameorpath", "basemodel"), ("model", "models")),
        **dict.fromkeys(
            ("params", "parameters", "numparams", "modelsize", "nparams", "numparameters"), ("model", "models")
        ),
        **dict.fromkeys(("config", "modelconfig", "configjson", "architecture"), ("hf_config", "model")),
        **dict.fromkeys(("tp", "tpsize", "tensorparallelsize"), ("tensor_parallel",)),
        **dict.fromkeys(("pp", "ppsize", "pipelineparallelsize"), ("pipeline_parallel",)),
        **dict.fromkeys(("cp", "cpsize", "sequenceparallel"), ("context_parallel",)),
        **dict.fromkeys(("ep", "epsize"), ("expert_parallel",)),
        **dict.fromkeys(("zero", "zerostage", "sharding", "fsdp", "strategy"), ("data_sharding", "framework")),
        **dict.fromkeys(("optimizer", "optim", "deepspeed", "library", "trainer", "stack", "software"), ("framework",)),
        **dict.fromkeys(("flashattention", "compile", "offload", "attention"), ("framework",)),
        **dict.fromkeys(("dtype", "bf16", "fp16", "fp8", "mixedprecision", "torchdtype"), ("precision", "precisions")),
        **dict.fromkeys(("gradientcheckpointing", "activationcheckpointing", "recompute"), ("activation_recompute",)),
        **dict.fromkeys(("rank", "r", "lorar"), ("lora_rank",)),
        **dict.fromkeys(("peft", "finetuning", "finetuningtype", "trainingtype"), ("method", "methods")),
        **dict.fromkeys(("loss", "task", "rl"), ("objective",)),
        **dict.fromkeys(("mfu", "efficiency"), ("utilization", "observed_mfu")),
        **dict.fromkeys(("flops", "tflops", "peakflops"), ("peak_tflops", "observed_tflops_per_gpu")),
        **dict.fromkeys(("throughput", "speed", "tokenspersecond", "toks", "tps"), ("observed_tokens_per_second",)),
        **dict.fromkeys(("steptime", "stepseconds", "secondsperstep", "sit"), ("observed_step_seconds",)),
        **dict.fromkeys(("hours", "time", "elapsed"), ("observed_hours", "deadline")),
        **dict.fromkeys(("log", "logs", "trainerlog"), ("observed_log",)),
        **dict.fromkeys(
            ("price", "priceperhour", "costperhour", "hourlyrate", "gpuprice", "rate"),
            ("price_per_gpu_hour", "prices_per_gpu_hour"),
        ),
        **dict.fromkeys(("timelimit", "maxtime", "duration", "maxdays", "days", "within"), ("deadline",)),
        **dict.fromkeys(("cost", "maxcost", "money", "maxbudget"), ("budget",)),
        **dict.fromkeys(("network", "bandwidth", "interconnect", "infiniband"), ("network_gbps_per_gpu",)),
        **dict.fromkeys(("resolution", "imgsize", "imageresolution"), ("image_size",)),
        **dict.fromkeys(("goal", "solve", "find", "target"), ("solve_for",)),
        **dict.fromkeys(("verbose", "verbosity"), ("detail",)),
    }
)
"""By what is written elsewhere, without case and marks: arguments here, the likeliest first."""
_NOTHING = frozenset(
    {"adambeta1", "adambeta2", "beta1", "beta2", "dropout", "learningrate", "loraalpha", "loradropout", "lr"}
    | {"lrscheduler", "lrschedulertype", "maxgradnorm", "momentum", "scheduler", "seed", "shuffle", "temperature"}
    | {"warmup", "warmupratio", "warmupsteps", "wd", "weightdecay"}
)
"""What a run has and its time does not go by."""


def meant(given: str, good: Collection[str]) -> Sequence[str]:
    """Return those of the `good` arguments that `given` is another word for, the likeliest first."""
    return [name for name in _MEANT.get(_folded(given), ()) if name in good]


def changes_nothing(given: str) -> bool:
    """Return whether `given` is an argument of trainers on which neither time nor memory depend."""
    return _folded(given) in _NOTHING


def _folded(name: str) -> str:
    return "".join(letter for letter in name[:64].casefold() if letter.isalnum())
