"""Networks that are neither modelled nor near to a decoder of text of their size, known by words in their names."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

__all__ = ["NotModelled", "not_modelled"]

_WORD = re.compile(r"[^\W_]+")
_LETTERS_AND_NUMBER = re.compile(r"(?<=[a-z])v?\d+$")
"""`alphafold2` and `dreamerv3` are of their families."""
_SIZE = re.compile(r"(?<![\w.])\d+(?:\.\d+)?[mbk](?![^\W_])")
_LONGEST_NAME, _MOST_WORDS = 200, 4
_SURE = 6
"""Letters from which a word means one thing wherever it stands in a name; shorter ones are read where it begins."""
_LARGEST = 4e9
"""Parameters of any of them but those of robots; what has more and is called so is a decoder: Chronos-Hermes-13B."""
_BEFORE = frozenset({"a", "an", "custom", "deep", "large", "my", "own", "pytorch", "simple", "small", "the", "tiny"})
"""Words before a name that are none of it."""
_ROBOT = "a policy of robots"
_TREES = "a model of trees or of plain statistics"
_FEW_WEIGHTS = "a network of a few weights"
_ENVIRONMENT = "reinforcement learning in an environment"
_IN_STEPS = "time some 100 steps of your script, its data loader with them, and multiply by the steps of the run"
_PRICED = (
    f'{_IN_STEPS}; for what that costs, give its parameter count as model (such as "93M") with '
    "observed_tokens_per_second and tokens, both counted in whatever it reads: samples, frames, positions"
)
_FLOPS = "or divide the FLOPs that a profiler counts of the run by those the GPUs reach"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModelled:
    """What a name is the name of, and why its parameters do not tell the work."""

    kind: str
    why: str
    remedy: str
    """What answers for it instead."""


_REMEDIES: Mapping[str, str] = {
    _TREES: "time a fit on a small share of the rows, and scale it with rows × rounds (trees or iterations)",
    _FEW_WEIGHTS: _IN_STEPS,
    _ENVIRONMENT: "time some thousand steps of the environment with the workers that you have, and multiply by the "
    "steps of the run",
    "a recommender": f"{_IN_STEPS}, which are samples over batch",
    **dict.fromkeys(
        (
            "a generative adversarial network",
            "an autoencoder",
            "a network of volumes",
            "a network of correspondences, flow or cells",
        ),
        f"{_PRICED}; {_FLOPS}",
    ),
}
"""What to do, by kind, where it is not what serves for most of them."""
_KINDS: Mapping[tuple[str, str], str] = {
    ("a recommender", "it reads tables of embeddings, whose size says nothing of its FLOPs"): (
        "dlrm|dcn|dcnv2|deep cross|two tower|deepfm|xdeepfm|wide deep|ncf|neural collaborative filtering|"
        "matrix factorization|matrix factorisation|sasrec|bert4rec|gru4rec|din|dien|mmoe|hstu|lightgcn|recommender"
    ),
    (_TREES, "it is fitted, most often on processors, and not by passes"): (
        "xgboost|lightgbm|lgbm|catboost|gbdt|gbm|random forest|decision tree|gradient boosting|svm|knn|k means|"
        "logistic regression|linear regression|naive bayes|arima|prophet"
    ),
    ("a network of graphs", "its work follows from nodes, edges and neighbours"): (
        "gcn|graphsage|gat|gatv2|gin|gnn|graph neural network|graph transformer|graphormer|schnet|mace|dimenet|"
        "nequip|allegro|painn|equiformer|gemnet|m3gnet|chgnet|mpnn|proteinmpnn|node2vec|deepwalk|rgcn|appnp|egnn"
    ),
    ("a model of time series", "its tokens are windows of values, as long as its patches are"): (
        "patchtst|timesfm|chronos|chronos bolt|moirai|lag llama|n beats|nbeats|nhits|informer|autoformer|fedformer|"
        "itransformer|tft|temporal fusion transformer|deepar|timesnet|timegpt|tsmixer|moment|dlinear|tcn"
    ),
    ("a network that speaks", "it works on frames of sound at several rates, beside networks that judge it"): (
        "tacotron|fastspeech|fastpitch|glow tts|vits|mms tts|xtts|f5 tts|e2 tts|hifi gan|hifigan|bigvgan|wavenet|"
        "waveglow|parallel wavegan|wavegrad|diffwave|styletts|kokoro|matcha tts|gradtts|grad tts|piper|gpt sovits|"
        "rvc|so vits"
    ),
    ("a network of proteins or molecules", "it works on pairs of residues, cubic in the length of a chain"): (
        "alphafold|openfold|esmfold|boltz|rosettafold|rf diffusion|rfdiffusion|chai 1|protenix|omegafold|helixfold|"
        "uni mol|unimol|diffdock|equibind"
    ),
    ("a generative adversarial network", "two networks of convolutions take turns, on every pixel"): (
        "gan|stylegan|dcgan|cyclegan|wgan|wgan gp|progan|biggan|pix2pix|pix2pixhd|stargan|srgan|esrgan|real esrgan|"
        "vqgan|gigagan|gaugan|infogan|projected gan|ctgan|tabgan|starganv2"
    ),
    ("an autoencoder", "its convolutions work on every pixel or sample, so that its parameters tell little"): (
        "vae|vqvae|vq vae|beta vae|autoencoder|variational autoencoder|encodec|soundstream|dac|snac|wavtokenizer"
    ),
    ("a recurrent network", "it takes one step of a sequence after another, bound by latency and not by FLOPs"): (
        "lstm|bilstm|bi lstm|convlstm|rnn|gru|bigru|birnn|seq2seq lstm|crnn|char rnn|elmo|awd lstm|esn"
    ),
    (_ROBOT, "pictures, states and actions are most of what it reads, and it says no text"): (
        "octo|gr00t|groot|openvla oft|pi0|pi05|pi0 fast|smolvla|rt 1|rt 2|rt x|act|aloha act|diffusion policy|"
        "tinyvla|spatialvla|cogact|robocat|rdt|rdt 1b|bc z|dexvla|univla|x vla|molmoact|vq bet"
    ),
    ("a network of points or of scenes", "it samples points and rays, whose number is that of the scene"): (
        "pointnet|pointnet plus plus|point transformer|point net|dgcnn|minkowski|pointpillars|voxelnet|centerpoint|"
        "bevformer|nerf|instant ngp|mip nerf|nerfacto|gaussian splatting|3d gaussian splatting|3dgs|pv rcnn"
    ),
    ("a network of volumes", "its convolutions work on every voxel, so that its parameters tell little"): (
        "nnunet|nn unet|nnu net|3d u net|3d unet|3dunet|unet3d|unet 3d|u net 3d|v net|vnet|unetr|swin unetr|"
        "swinunetr|segresnet|medformer|resnet3d|3d resnet|i3d|c3d|slowfast|x3d|r2plus1d"
    ),
    ("a model of tables", "its tokens are rows and columns of a table"): (
        "tabpfn|tabnet|tabtransformer|ft transformer|fttransformer|tabm|node tabular|tabicl|tabular resnet"
    ),
    (_ENVIRONMENT, "its environment, and not its small network, takes the time"): (
        "ppo cartpole|cartpole|ppo atari|atari|mujoco|dqn|rainbow dqn|ddqn|dreamer|sac|td3|ddpg|a2c|a3c|impala rl|"
        "muzero|alphazero|alphago|decision transformer|ppo lunarlander|lunarlander|isaac gym|trpo|efficientzero|"
        "nnue|stockfish"
    ),
    ("a model of weather", "its work follows from its grid"): (
        "graphcast|pangu weather|fourcastnet|climax|gencast|fuxi|aurora weather|neuralgcm|fengwu|aifs|sfno"
    ),
    (_FEW_WEIGHTS, "its data loader and its launches take the time, and not its FLOPs"): (
        "lenet|perceptron|mlp|mlp mixer|multilayer perceptron|cnn|simple cnn|word2vec|glove|fasttext|doc2vec|"
        "skip gram|feed forward network|feedforward network|dnn|ann|kan"
    ),
    ("a network of correspondences, flow or cells", "its work follows from every pixel of its pictures"): (
        "cellpose|stardist|superglue|superpoint|loftr|raft stereo|raft optical flow|pwc net|flownet|monodepth|"
        "openpose|alphapose"
    ),
}
"""Names that people use, by what they are and why their size is no answer."""
_BY_WORDS: Mapping[str, NotModelled] = {
    name.replace(" ", ""): NotModelled(kind=kind, why=why, remedy=_REMEDIES.get(kind, _PRICED))
    for (kind, why), names in _KINDS.items()
    for name in names.split("|")
}
_SPACED = frozenset(name.replace(" ", "") for names in _KINDS.values() for name in names.split("|") if " " in name)
"""Those of several words, which may be joined; of one word, none is divided: VITS speaks, and ViT-S sees."""


def not_modelled(name: str, parameters: float | None, *, anywhere: bool = False) -> NotModelled | None:
    """Return what `name` is, of so many parameters if it says, where no answer for a decoder of its size would do.

    None where it is nothing of the kind. Names count where they stand at the beginning, and with `anywhere` the longer
    ones beside other words too. Separators do not matter, nor does a version: `AlphaFold2`, `alpha-fold`.
    """
    words = _words(name)
    starts = range(len(words)) if anywhere else range(min(1, len(words)))
    for start in starts:
        for part in _parts(words[start:]):
            found = _BY_WORDS.get(part)
            if found is None or (start and len(part) < _SURE):
                continue
            if parameters is None or parameters <= _LARGEST or found.kind == _ROBOT:
                return found
    return None


def _words(name: str) -> list[str]:
    """Return the words of a name, its owner's and those before it aside."""
    tail = name[:_LONGEST_NAME].casefold().rstrip("/").rpartition("/")[2]
    words: list[str] = _WORD.findall(_SIZE.sub(" ", tail))
    while words and words[0] in _BEFORE:
        del words[0]
    return words


def _parts(words: list[str]) -> Iterator[str]:
    """Yield the first words together, the longest run first, each as it is and without a version behind it."""
    for length in range(min(_MOST_WORDS, len(words)), 0, -1):
        part = "".join(words[:length])
        for name in (part, _LETTERS_AND_NUMBER.sub("", part)):
            if length == 1 or name in _SPACED:
                yield name
