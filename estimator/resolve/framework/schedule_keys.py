"""Keys of trainers' configurations that say how often is evaluated and saved, and on how much, in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from estimator.resolve.framework.pasted import Setting
from estimator.resolve.framework.setting_keys import OFF, ON

__all__ = ["ScheduledKeys", "is_scheduled"]


def _by_key(rows: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({key: what for what, keys in rows.items() for key in keys.split()})


_KEYS: Mapping[str, str] = _by_key(
    {
        "eval_steps": "eval_steps evaluation_steps eval_interval eval_every eval_every_n_steps eval_freq "
        "steps_per_eval run_val_every_n_steps val_interval val_every_n_steps "
        "eval_step_interval validation_interval eval_every_steps eval.interval validation.freq test_freq",
        "eval_epochs": "check_val_every_n_epoch eval_every_n_epochs eval_epochs eval_every_epochs",
        "eval_per_epoch": "evals_per_epoch",
        "eval_of_epoch": "val_check_interval",
        "eval_strategy": "eval_strategy evaluation_strategy",
        "evaluates": "do_eval",
        "held": "val_size val_set_size test_size eval_split_ratio val_split_ratio split_dataset_ratio "
        "validation_split val_split val_fraction",
        "held_percent": "validation_split_percentage",
        "samples": "max_eval_samples max_val_samples num_eval_samples eval_samples max_validation_samples",
        "batches": "eval_iters val_batches limit_val_batches max_eval_batches eval_subset_num_batches eval.max_iters "
        "eval_batches max_eval_steps num_eval_batches validation.steps",
        "generates": "predict_with_generate do_bench_eval do_causal_lm_eval eval_use_generate "
        "eval_with_generate sample_every_n_steps sample_every_n_epochs validation_prompt validation_prompts",
        "save_steps": "save_steps save_interval save_every save_every_n_steps checkpointing_steps checkpoint_every "
        "save_freq ckpt_interval every_n_train_steps checkpoint.interval train.save_interval save_step_interval "
        "checkpoint_interval save_every_steps ckpt_freq",
        "save_epochs": "save_every_n_epochs save_every_n_epoch save_every_epochs every_n_epochs checkpointing_epochs",
        "save_per_epoch": "saves_per_epoch",
        "save_strategy": "save_strategy",
        "weights_alone": "save_only_model save_weights_only only_save_model no_save_optim",
        "background": "async_save enable_async_checkpoint checkpoint.async_mode",
        # They say how many samples are worked on at once, of which a run takes as long.
        "idle": "per_device_eval_batch_size per_gpu_eval_batch_size eval_batch_size val_batch_size eval_packing "
        "device_eval_batch_size per_device_test_batch_size eval_accumulation_steps eval_sample_packing "
        "eval_micro_batch_size validation_epochs",
    }
)
"""What a key tells, with the key above it where that tells more."""
_LOGGED_EVERY = 500.0
"""Steps between logs in Transformers where nothing is said, which evaluations by steps then are apart, too."""
_NEVER = OFF | {"never", "null"}
_PERCENT = 100.0
_MOST = 1e12
_SPANS: Mapping[str, str] = MappingProxyType(
    {"ba": "steps", "batch": "steps", "iter": "steps", "ep": "epochs", "epoch": "epochs", "dur": "dur"}
)
"""Units of LLM Foundry's intervals: `500ba`, `1ep`, `0.1dur`."""


def is_scheduled(path: tuple[str, ...]) -> bool:
    """Return whether the last of these keys, from the outermost to its own, is one of evaluations or checkpoints."""
    return bool(_meaning(path))


def _meaning(path: tuple[str, ...]) -> str:
    return _KEYS.get(".".join(path[-2:])) or _KEYS.get(path[-1], "")


@dataclass(slots=True)
class ScheduledKeys:
    """Settings of evaluations and checkpoints, one taken after another."""

    told: dict[str, str] = field(default_factory=dict)
    """Value by what the key tells."""
    logged_every: float = _LOGGED_EVERY

    def take(self, setting: Setting) -> bool:
        """Return whether `setting` is one of these, and then is taken."""
        if setting.key == "logging_steps":
            self.logged_every = _positive(setting.value) or self.logged_every
            return False
        meaning = _meaning(setting.path)
        if meaning and setting.value:
            self.told[meaning] = setting.value.casefold()
        return bool(meaning)

    @property
    def phrases(self) -> tuple[str, ...]:
        """What was taken, in words that are understood here."""
        return (*self._evaluations(), *self._sizes(), *self._saves())

    def _evaluations(self) -> list[str]:
        strategy = self.told.get("eval_strategy", "")
        nothing_held = "held" in self.told and not _positive(self.told["held"])
        every = self._every("eval", "evaluation")
        if strategy in _NEVER and strategy:
            return ["no evaluation"]
        if self.told.get("evaluates", "") in OFF or (nothing_held and not every and not strategy):
            return ["no evaluation"]
        if strategy in {"epoch", "epochs"}:
            return ["evaluation every epoch"]
        if not every and strategy in {"step", "steps"}:
            return [f"evaluation every {_plain(self.logged_every)} steps"]
        return every

    def _sizes(self) -> list[str]:
        out: list[str] = []
        held, percent = (_positive(self.told.get(name, "")) for name in ("held", "held_percent"))
        if percent or 0.0 < held < 1.0:
            out.append(f"{_plain(percent or _PERCENT * held)}% held out")
        elif held:
            out.append(f"{_plain(held)} samples held out")
        counts = {name: _positive(self.told.get(name, "")) for name in ("samples", "batches")}
        # A share of the batches is of a set whose size is not told.
        out += [f"evaluation on {_plain(count)} {name}" for name, count in counts.items() if count > 1.0]
        generates = self.told.get("generates", "")
        return [*out, "evaluation by generating"] if generates and generates not in _NEVER else out

    def _saves(self) -> list[str]:
        strategy = self.told.get("save_strategy", "")
        saves = ["no saving"] if strategy in _NEVER and strategy else self._every("save", "saving")
        if strategy in {"epoch", "epochs"}:
            saves = ["saving every epoch"]
        elif not saves and strategy in {"step", "steps"}:
            saves = [f"saving every {_plain(_LOGGED_EVERY)} steps"]
        saves += ["saving weights alone"] if self.told.get("weights_alone", "") in ON else []
        background = self.told.get("background", "disabled") not in _NEVER
        return [*saves, "saving in the background"] if background else saves

    def _every(self, what: str, words: str) -> list[str]:
        """Return how often by steps, epochs or times an epoch, of which trainers have one."""
        if (many := self.told.get(f"{what}_per_epoch")) is not None:
            return [f"{words} {_plain(_positive(many))} times per epoch"] if _positive(many) else [f"no {words}"]
        of_epoch = self.told.get(f"{what}_of_epoch", "")
        told = self.told.get(f"{what}_epochs", "") or of_epoch or self.told.get(f"{what}_steps", "")
        number = told.rstrip("abcdefghijklmnopqrstuvwxyz")
        every, unit = _positive(number), _SPANS.get(told[len(number) :], "steps")
        if f"{what}_epochs" in self.told or "." in of_epoch:
            unit = "epochs"
        if every < 1.0 and unit == "steps":
            unit = "dur"
        if not every:
            return []
        return [
            f"{words} every {_plain(_PERCENT * every)}% of the run"
            if unit == "dur"
            else f"{words} every {_plain(every)} {unit}"
        ]


def _positive(value: str) -> float:
    """Return a value as a number above zero; 0 for what is none."""
    try:
        number = float(value.replace("_", "").replace(",", ""))
    except ValueError:
        return 0.0
    return number if 0.0 < number < _MOST else 0.0


def _plain(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")
