"""Words of a fine-tune's name that nobody here knows, which may say that its network is not its base's."""

import re

from estimator.base.names import tokens
from estimator.catalogue.variants import leaves_layers, said_words

__all__ = ["unread_words"]

_PIECE = re.compile(r"\d+(?:\.\d+)*|[^\W\d_]+")
_NUMBERED = re.compile(
    r"v?\d+(?:\.\d+)*[kmbet]?|r\d+|\d+(?:st|nd|rd|th)|[ivx]+|\d+(?:e|ep|epochs?|steps?)|ckpt\d+|[a-z]"
)
"""A release, a date, a length, a rank, a count of steps, a letter."""
_SHORTEST = 3
"""Letters of a word that says anything."""
_TUNES = (
    "airoboros|alma|alpaca|bagel|baize|beluga|biomistral|cabra|calme|camel|capybara|chocolatine|chronos|"
    "cinematika|dolly|dolphin|eeve|firefly|gorilla|guanaco|hercules|hermes|hyperion|kunoichi|lexi|lumimaid|"
    "magnum|maverick|medalpaca|meditron|metamath|mythalion|mytho|mythomax|nemo|neural|neuralbeagle|noromaid|nous|"
    "oasst|openbuddy|openchat|openhermes|openorca|orca|platypus|pygmalion|rocinante|saiga|samantha|sauerkraut|"
    "sauerkrautlm|shisa|slimorca|starling|stheno|storm|swallow|tiefighter|toolace|tulu|vicuna|vigogne|vikhr|"
    "wizard|wizardcoder|wizardlm|wizardmath|xwin|yarn|zephyr"
)
"""Fine-tunes that many know, which leave the layers of their base."""
_DATA = (
    "alpagasus|c4|cc|cifar|cnn|coco|code|codealpaca|commonvoice|conll|conll03|dailydialog|dailymail|deita|dolma|"
    "emotion|evolinstruct|fineweb|flan|glue|gsm8k|hh|imagenet|imdb|in1k|in21k|in22k|librispeech|lima|magpie|math|"
    "mnli|mrpc|msmarco|mteb|ner|nli|numina|openwebtext|oscar|pile|pubmed|qnli|qqp|samsum|sharegpt|snli|sql|squad|"
    "sst|stanford|sts|swag|trivia|ultrachat|ultrafeedback|wiki|wikipedia|wikitext|wmt|xnli|xsum"
)
_TASKS = (
    "agent|answer|answering|arabic|assistant|bio|biology|bot|calling|chatbot|chemistry|chinese|classification|"
    "classifier|classify|cls|coder|coding|completion|cot|detection|dialog|dialogue|distill|distilled|domain|"
    "dutch|edu|education|embed|embedding|embeddings|en|english|extraction|finance|financial|fr|french|function|"
    "game|german|guard|health|hindi|humor|intent|italian|ja|japanese|job|json|ko|korean|language|law|legal|math|"
    "med|medical|medicine|multilingual|news|nlp|novel|paraphrase|persian|pii|poem|poetry|polish|portuguese|"
    "python|qa|question|rag|ranker|recipe|reranker|retrieval|review|reviews|reward|rm|roleplay|rp|russian|safety|"
    "sales|sarcasm|science|search|sentiment|similarity|solidity|spam|spanish|sql|story|storytelling|"
    "summarisation|summarization|summary|support|swedish|tagger|thai|tool|tools|topic|toxic|toxicity|translation|"
    "translator|turkish|tweet|tweets|twitter|vietnamese|writer|writing|zh"
)
_TRAINING = (
    "a|adam|adamw|all|an|and|apo|as|batch|bestofn|by|cased|cft|ckpts|continual|continued|cpo|cpt|custom|dare|"
    "data|dataset|demo|domain|dora|dpop|epoch|epochs|exp|experiment|fast|fine|first|for|from|full|galora|galore|"
    "gen|hard|high|in|ipo|last|learning|long|low|lr|mask|merge|mine|mix|mixed|my|new|of|on|only|our|packed|part|"
    "post|private|quality|raft|rank|research|rft|rlvr|run|seed|self|slerp|spin|split|stage|step|steps|student|"
    "supervised|task|teacher|test|the|ties|to|train|trained|trainer|training|trial|trl|tune|tuning|uncased|"
    "version|weights|with"
)
_HARMLESS = frozenset(f"{_TUNES}|{_DATA}|{_TASKS}|{_TRAINING}".split("|"))
"""Words that leave the layers as they are."""


def unread_words(given: str, matched: str) -> tuple[str, ...]:
    """Return the words of `given` beside `matched`, the catalogued name that it holds, whose meaning nobody here knows.

    Not those of fine-tunes that many know, of tasks, languages and sets of data, and of how weights are trained, which
    all leave the layers as they are.
    """
    known = {piece for word in tokens(matched) for piece in (word, *_PIECE.findall(word))}
    return tuple(
        word
        for word in dict.fromkeys(said_words(given))
        if not (
            leaves_layers(word) or _is_read(word, known) or all(_is_read(one, known) for one in _PIECE.findall(word))
        )
    )


def _is_read(word: str, known: set[str]) -> bool:
    return word in known or word in _HARMLESS or len(word) < _SHORTEST or _NUMBERED.fullmatch(word) is not None
