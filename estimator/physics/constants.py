"""Parameters of the step-time model: each a log-normal prior with a reason, replaced by its fitted value.

`mode` is the prior's median and `low` to `high` its central 90 %; log-normal because each parameter is a positive
factor.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from estimator.base.prior import Prior

__all__ = ["PRIORS", "Constants", "prior_constants"]


def _prior(low: float, mode: float, high: float, why: str) -> Prior:
    return Prior(low=low, mode=mode, high=high, why=why)


PRIORS: Mapping[str, Prior] = MappingProxyType(
    {
        "gemm_efficiency": _prior(0.8, 0.95, 1.05, "Large matmuls inside a step against the device's measured ceiling"),
        "shader_efficiency": _prior(
            0.9,
            0.98,
            1.03,
            "The same outside matrix units, where operands arrive long before they are needed and no limit of power "
            "slows the clock in a step that does not slow it in a benchmark",
        ),
        "gemm_tail_power": _prior(0.4, 0.7, 1.0, "How much of a partly filled wave of output tiles is lost"),
        "gemm_depth": _prior(
            60, 130, 260, "Inner dimension at which a matmul reaches half its rate; prologue of tiles"
        ),
        "gemm_bandwidth": _prior(0.6, 0.8, 0.95, "Memory rate of a matmul that is bound by memory"),
        "eight_bit_efficiency": _prior(
            0.8, 0.95, 1.05, "Large 8-bit matmuls in a step against their own ceiling; scaling factors"
        ),
        "four_bit_efficiency": _prior(0.6, 0.9, 1.1, "4-bit matmuls likewise"),
        "quantise_passes": _prior(1, 2, 5, "Times an 8- or 4-bit matmul's inputs are read and written to be quantised"),
        "flash_efficiency": _prior(
            0.35, 0.55, 0.75, "Fused attention against the 16-bit ceiling (Dao 2023, figures 4-6)"
        ),
        "flash_hopper": _prior(
            0.6, 0.9, 1.3, "Fused attention on Hopper and later, relative: FlashAttention 2 is far from their peak"
        ),
        "flash_2_on_hopper": _prior(
            0.4, 0.6, 0.9, "FlashAttention 1 or 2 on Hopper and later, relative: no warpgroup matmuls"
        ),
        "flash_1": _prior(
            0.4,
            0.55,
            0.8,
            "FlashAttention 1, in CUDA or Triton, over FlashAttention 2 (Dao 2023: 1.3 to 3 times slower)",
        ),
        "flash_start_keys": _prior(
            100, 350, 1200, "Keys whose time fused attention loses at the start and end of each sequence"
        ),
        "memory_efficient_attention": _prior(
            0.3, 0.55, 0.9, "SDPA's and xFormers' memory-efficient kernel over FlashAttention 2, relative"
        ),
        "flash_head_power": _prior(0.1, 0.3, 0.7, "Loss of fused attention with heads narrower than 128"),
        "convolution_efficiency": _prior(
            0.4,
            0.65,
            0.9,
            "Convolutions as implicit GEMM over matrix products of their shape: frameworks keep channels first, and "
            "cuDNN's 16-bit kernels want them last, so that each is transposed before and after",
        ),
        "channels_last_convolution": _prior(
            0.75, 0.92, 1.0, "The same where pictures lie in memory with channels last: nothing is transposed"
        ),
        "winograd_gain": _prior(
            1.2,
            1.6,
            2.1,
            "Convolutions of three by three in FP32 over their implicit GEMM: Winograd's algorithm for tiles of two by "
            "two multiplies 2.25 times fewer, and moves inputs and outputs to and fro between two bases",
        ),
        "grouped_convolution": _prior(
            0.2,
            0.4,
            0.8,
            "Convolutions that keep groups of channels apart over large matrices without matrix units: few channels a "
            "group fill no tile",
        ),
        "scan_efficiency": _prior(
            0.1,
            0.25,
            0.5,
            "Chunked scans' products, 64 to 256 wide, against the 16-bit ceiling, where their memory traffic does not "
            "govern (Dao and Gu 2024, figure 10: as fast as FlashAttention 2 at 2,000 tokens of keys)",
        ),
        "scan_bandwidth": _prior(
            0.2,
            0.4,
            0.65,
            "Chunked scans against the datasheet's memory rate: states and small tiles pass through memory between "
            "kernels. Forward kernels measured apart: gated delta rule 0.45 on A800, 0.47 on H200, 0.30 on GB200 "
            "(flash-linear-attention, as QwenLM/FlashQLA and Leslie360/GDN-QSA-sm80 time it), Mamba-2 0.36 on H100 "
            "(mamba_ssm's, vllm-project/vllm pull request 27299)",
        ),
        "vector_share": _prior(
            0.01,
            0.03,
            0.06,
            "Step-by-step scans outside matrix units, over the 16-bit ceiling (FP32 units are a sixteenth of it)",
        ),
        "scan_backward": _prior(
            2.0,
            3.0,
            4.0,
            "Backward pass of a scan over its forward: states are worked out again (gated delta rule 3.0 on H200, as "
            "QwenLM/FlashQLA times flash-linear-attention)",
        ),
        "selective_share": _prior(
            0.03, 0.08, 0.25, "Share of the forward pass that selective recomputation runs again"
        ),
        "unfused_passes": _prior(
            6, 14, 30, "Times unfused attention moves its score matrix: mask, softmax, dropout and back"
        ),
        "unfused_efficiency": _prior(0.3, 0.5, 0.8, "Batched matmuls of unfused attention against the ceiling"),
        "residual_passes": _prior(
            8, 16, 30, "Elements moved per element of the residual stream and layer: norms, adds, dropout"
        ),
        "hidden_passes": _prior(2, 3, 6, "Elements moved per element of heads and MLP: rotary, bias, activation"),
        "backward_traffic": _prior(1.0, 1.2, 2.0, "Elementwise bytes of the backward pass over the forward's"),
        "stream_bandwidth": _prior(0.7, 0.85, 0.95, "Elementwise kernels against the datasheet's memory rate"),
        "logits_passes": _prior(3, 6, 14, "Times the logits are moved: softmax, cross-entropy, in FP32"),
        "unfused_logits_passes": _prior(
            8,
            16,
            28,
            "The same where each step of it is a kernel of its own and a copy: upcast, shift, softmax, gradient",
        ),
        "dequantize_passes": _prior(
            1.2,
            2.2,
            5,
            "Time of expanding a 4-bit base each pass, over that of its bytes, packed and expanded, at full rate: one "
            "library's kernel everywhere (bitsandbytes), which releases and double quantisation change by half or "
            "twice. Published runs hardly tell (a tenth of their steps at most); over a 4-bit base one H200's steps of "
            "4,096 tokens took 0.02 to 0.035 s longer than over 16 bits, which is 1.6 to 2.7",
        ),
        "gptq_passes": _prior(4, 9, 20, "The same by the kernels that GPTQ had in 2023"),
        "gradient_bytes": _prior(2, 4, 8, "Bytes moved per weight and micro-batch to accumulate gradients"),
        "scale_up_fraction": _prior(0.5, 0.75, 0.9, "Achieved share of NVLink-like bandwidth in collectives"),
        "scale_out_fraction": _prior(0.4, 0.7, 0.9, "Achieved share of the network's bandwidth"),
        "pcie_fraction": _prior(0.25, 0.5, 0.8, "Achieved share of PCIe bandwidth"),
        "pcie_host_fraction": _prior(0.1, 0.25, 0.5, "The same where it goes through host memory: consumer cards"),
        "host_link_fraction": _prior(0.3, 0.6, 0.9, "Achieved share of PCIe bandwidth between a device and its host"),
        "host_bytes_per_s": _prior(8e9, 20e9, 60e9, "Host memory's rate for one device's share of a CPU Adam"),
        "latency_s": _prior(5e-6, 15e-6, 40e-6, "Start-up of one collective per doubling of ranks"),
        "tensor_visible": _prior(0.4, 0.8, 1.0, "Share of tensor-parallel communication that nothing hides"),
        "tensor_visible_beside": _prior(0.2, 0.45, 0.8, "The same on stacks that run it beside matmuls"),
        "context_visible": _prior(
            0.05, 0.2, 0.5, "Share of ring attention's communication that attention does not hide"
        ),
        "pipeline_visible": _prior(0.1, 0.4, 1.0, "Share of stage-to-stage transfers that is waited for"),
        "bubble": _prior(0.6, 1.0, 1.4, "Pipeline bubble over (p - 1)/v stage times"),
        "shard_overlap": _prior(0.5, 0.8, 0.95, "Share of compute that sharded gathers can hide behind"),
        "shard_slowdown": _prior(0.03, 0.1, 0.3, "What communication costs compute while both run"),
        "gradient_visible": _prior(0.05, 0.2, 0.6, "Share of the step's gradient reduction that is not hidden"),
        "optimizer_bytes": _prior(10, 20, 40, "Bytes the optimizer moves per parameter it owns"),
        "expert_efficiency": _prior(0.6, 0.85, 1.0, "Grouped matmuls of experts against one large matmul"),
        "expert_permutation": _prior(4, 8, 20, "Times routed tokens are moved: permute, pad, weigh, unpermute"),
        "expert_start_s": _prior(15e-6, 45e-6, 120e-6, "Time per local expert and layer to start its products"),
        "expert_floor_s": _prior(
            0.4e-3,
            1.2e-3,
            3.6e-3,
            "Time of an expert layer whatever its tokens: the router's small kernels, and four waits for counts of "
            "tokens (two exchanges, forward and backward), after each of which the host starts from an empty queue",
        ),
        "fused_expert_overhead": _prior(
            0.15, 0.35, 0.8, "Routing and permutation in fused kernels without host waits, over those with"
        ),
        "spared_expert_overhead": _prior(
            0.4,
            0.6,
            0.9,
            "The same where about half of it is spared: DeepEP or HybridEP send tokens sorted by expert, where NCCL's "
            "all-to-all takes a permutation before it and one after it; a graph of whole layers waits for no counts",
        ),
        "exchange_fraction": _prior(
            0.5,
            0.85,
            1.1,
            "Bandwidth in all-to-all over what other collectives reach (DeepEP's own figures: 153 to 158 GB/s of "
            "NVLink's 160 on an H800, 43 to 58 of a port's 50 between nodes; NCCL's are somewhat lower)",
        ),
        "exchange_visible": _prior(
            0.7,
            0.95,
            1.05,
            "Share of all-to-all that nothing hides, whichever library sends: experts wait for their tokens, and the "
            "next layer for theirs",
        ),
        "routing_unevenness": _prior(
            0.05,
            0.15,
            0.5,
            "By how much the busiest of many ranks has more routed tokens than the mean, where routers choose freely: "
            "loads of experts differ by a third in a micro-batch, and a rank holds several",
        ),
        "exchange_visible_beside": _prior(
            0.1,
            0.3,
            0.7,
            "The same where another micro-batch is worked on meanwhile (1F1B with batch-level overlap)",
        ),
        "launch_s": _prior(5e-6, 10e-6, 18e-6, "Host's time to launch one kernel from an eager layer, Python included"),
        "launch_hiding": _prior(
            0.25,
            0.7,
            2.5,
            "Exponent beyond 1 by which host and device hide each other: 0 adds them, large takes the longer",
        ),
        "hook_s": _prior(
            150e-6,
            500e-6,
            1.5e-3,
            "Host's time for one unit that FSDP gathers, and pass: 40 times that of launching a kernel where the unit "
            "is one matrix and 100 times where it is a layer, timed on a CPU with layers 64 wide (PyTorch 2.14, two "
            "ranks by gloo, whose part is in it)",
        ),
        "module_hook_s": _prior(
            120e-6,
            250e-6,
            700e-6,
            "Host's time for one module that DeepSpeed's ZeRO-3 gathers, and pass: trace, fetch, wait; 21 to 25 times "
            "that of launching a kernel, timed likewise on one rank with and without adapters (DeepSpeed 0.19)",
        ),
        "checkpoint_s": _prior(
            80e-6,
            250e-6,
            800e-6,
            "Host's time for one recomputed layer beside its kernels: states of random numbers on host and device "
            "fetched, restored and put back, another pass of autograd (PyTorch's and Megatron's checkpoint functions)",
        ),
        "micro_step_s": _prior(
            2e-3, 8e-3, 30e-3, "A general trainer's own time a micro-batch: loader, checks, callbacks"
        ),
        "step_constant_s": _prior(5e-3, 15e-3, 50e-3, "Time of a step outside the model: data, logging, gradient norm"),
        "stragglers": _prior(0.001, 0.004, 0.012, "Slowdown per doubling of the cluster beyond 8 devices"),
        "untuned_traffic": _prior(1.0, 1.8, 3.5, "Elementwise traffic without fused kernels over that with them"),
        "adapter_passes": _prior(
            1, 2.5, 5, "Elements moved per element that enters or leaves an adapted matrix: down, up, scaling, sum"
        ),
        "eager_adapter_passes": _prior(
            4,
            7.5,
            13,
            "The same by PEFT's linear layer, each step of it a kernel, its pairs in FP32 (counted, forward: 10 bytes "
            "an element in and 28 an element out; under autocast 14 and 12)",
        ),
        "surroundings_slowness": _prior(
            1.5,
            2.5,
            4.0,
            "Times as long as on the machines of published runs that hosts of people's own take for the same launches, "
            "and for what they send by sockets (one rented H200 under PyTorch 2.11: launches took 2.3 to 3.4 times as "
            "long)",
        ),
        "people_slowness": _prior(
            1.0,
            1.4,
            2.5,
            "Times as long as published that devices are busy with people's own small steps on a general trainer, many "
            "of them together: whoever publishes chose version and settings; fitted to what people report, not to "
            "published runs. Hosts, networks and waiting for the longest of padded samples are none of it",
        ),
        "people_alone": _prior(
            0.63,
            1.0,
            1.58,
            "The same of one device alone: 25 of this project's own small steps took 1.01 times as long as published "
            "ones would in the middle; how far machines differ is as of many devices",
        ),
        "stage_imbalance": _prior(0.1, 0.5, 1.0, "Share of the last stage's logits that balancing does not spread"),
    }
)


@dataclass(frozen=True, slots=True)
class Constants(Mapping[str, float]):
    """Values of all constants of the model."""

    values_by_name: Mapping[str, float]

    def __getitem__(self, name: str) -> float:
        """Return one value."""
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        """Return the names."""
        return iter(self.values_by_name)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.values_by_name)


def prior_constants() -> Constants:
    """Return every constant at its prior's mode."""
    return Constants({name: prior.mode for name, prior in PRIORS.items()})
