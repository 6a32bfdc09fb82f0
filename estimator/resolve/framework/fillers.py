"""Words that deny, switch on or off, join, or say nothing of their own."""

__all__ = ["FILLERS", "LINKS", "NEGATORS", "OFF", "OFF_AFTER_IS", "ON", "ON_AFTER_IS", "STRONG_NEGATORS"]

STRONG_NEGATORS = frozenset({"without", "neither", "sans", "w/o"})
NEGATORS = frozenset({"no", "not", "non", "disable", "disabling", "disabled", "skip"}) | STRONG_NEGATORS
OFF = frozenset({"off", "disabled", "false", "unused"})
ON = frozenset({"on", "enabled", "true", "yes", "used", "active"})
OFF_AFTER_IS = OFF | {"0", "no", "none"}
ON_AFTER_IS = ON | {"1"}
LINKS = frozenset({"is", "are", "was", "were", "turned", "switched", "set", "to", "not"})
FILLERS = (
    NEGATORS
    | ON
    | OFF
    | LINKS
    | frozenset(
        {
            *(
                "a",
                "all",
                "also",
                "an",
                "and",
                "as",
                "at",
                "bandwidth",
                "based",
                "branch",
                "but",
                "by",
                "commit",
                "connected",
                "container",
                "for",
            ),
            *(
                "form",
                "framework",
                "from",
                "full",
                "git",
                "github",
                "in",
                "it",
                "latest",
                "main",
                "my",
                "nightly",
                "nor",
                "of",
            ),
            *(
                "or",
                "our",
                "over",
                "plus",
                "recent",
                "recipe",
                "recipes",
                "release",
                "run",
                "script",
                "scripts",
                "stack",
            ),
            *("stable", "stock", "than", "the", "their", "then", "this", "top", "trainer", "training", "under", "use"),
            *("used", "uses", "using", "v", "version", "via", "we", "with", "plain", "ngc", "nvidia", "amd", "aws"),
            *("config", "core", "cpu", "distributed", "gpu", "gpus", "io", "json", "kernel", "kernels", "loop", "mode"),
            *(
                "moe",
                "multi",
                "cluster",
                "node",
                "nodes",
                "nvcr",
                "pod",
                "pods",
                "py",
                "py3",
                "raw",
                "simple",
                "single",
                "src",
                "tpu",
            ),
            *("linked", "switch", "s", "fork", "forked", "modified", "patched", "tweaked", "adapted", "custom"),
            *(
                "continue",
                "continued",
                "continual",
                "continuing",
                "scratch",
                "dataset",
                "datasets",
                "ours",
                "team",
                "lab",
                "own",
                "some",
            ),
            *("based", "built", "codebase", "code", "repos", "internal", "setup", "workflow", "pipeline", "standard"),
            *("i", "is", "am", "will", "be", "on", "have", "has", "which", "that", "its", "only", "just", "both"),
            *("tpus", "vanilla", "yaml", "yml"),
            *(
                "google",
                "intel",
                "meta",
                "microsoft",
                "library",
                "docker",
                "image",
                "backend",
                "model",
                "base",
                "device",
            ),
            *(
                "bash",
                "cli",
                "launch",
                "launcher",
                "python",
                "python3",
                "m",
                "nohup",
                "sbatch",
                "sh",
                "speedrun",
                "srun",
                "uv",
                "zsh",
            ),
            *("repo", "repository", "official", "reference", "references", "train", "karpathy", "artidoro"),
        }
    )
)
"""Words that say nothing of their own."""
