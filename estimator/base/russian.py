"""Quantities in Russian: number words, multiples, units and what is counted, in the cases that follow numbers."""

import re
from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["ABOUT", "AT_MOST", "SMALL", "WORDS", "with_halves"]

ABOUT = r"примерно|приблизительно|около|порядка|почти"
"""What says that a quantity is not exact, in a regular expression."""
AT_MOST = r"не\s+(?:более|больше|дольше)|до\b|за\b|максимум|в\s+течение|меньше|менее"
"""What says that it is a limit, likewise."""
SMALL: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("один", "одна", "одну", "одной"), 1),
        **dict.fromkeys(("два", "две", "двух"), 2),
        **dict.fromkeys(("три", "трёх", "трех"), 3),
        "четыре": 4,
        "пять": 5,
        "шесть": 6,
        "семь": 7,
        "восемь": 8,
        "девять": 9,
        "десять": 10,
    }
)
_ENGLISH: Mapping[str, str] = {
    "thousand": "тысяча тысячи тысяч тысячу тыс к",
    "million": "миллион миллиона миллионов млн м",
    "billion": "миллиард миллиарда миллиардов млрд",
    "trillion": "триллион триллиона триллионов трлн",
    "tokens": "токен токена токенов токены",
    "parameters": "параметр параметра параметров параметры",
    "examples": "пример примера примеров примеры",
    "samples": "образец образца образцов образцы сэмпл сэмпла сэмплов семплов",
    "documents": "документ документа документов",
    "sentences": "предложение предложения предложений",
    "images": "изображение изображения изображений картинка картинки картинок",
    "lines": "строка строки строк",
    "steps": "шаг шага шагов итераций итерации",
    "epochs": "эпоха эпохи эпох эпоху",
    "words": "слово слова слов",
    "characters": "символ символа символов знаков",
    "pages": "страница страницы страниц",
    "books": "книга книги книг",
    "seconds": "секунда секунды секунд секунду сек",
    "minutes": "минута минуты минут минуту мин",
    "hours": "час часа часов ч",
    "days": "день дня дней сутки суток",
    "weeks": "неделя недели недель неделю",
    "months": "месяц месяца месяцев мес",
    "years": "год года лет",
    "night": "ночь ночи ночей",
    "weekend": "выходные выходных",
    "dollars": "доллар доллара долларов",
    "rub": "рубль рубля рублей",
    "gpus": "видеокарта видеокарты видеокарт карт",
    "kb": "кб",
    "mb": "мб мегабайт",
    "gb": "гб гигабайт",  # noqa: RUF001 - Cyrillic letters
    "tb": "тб терабайт",
    "and": "и",
}
WORDS: Mapping[str, str] = MappingProxyType(
    {word: english for english, words in _ENGLISH.items() for word in words.split()}
)
"""English for each; a bare `м` is a million, as a Latin m is."""
_HALF_OF = re.compile(r"\bпол[\s-]?(?=(?:тысяч|миллион|миллиард|триллион)[аиу]\b)")  # noqa: RUF001
"""In `полмиллиона`."""
_ONE_AND_A_HALF = re.compile(r"\b(?:полтор[аы]|полутора)\b")
_AND_A_HALF = re.compile(r"(?<=\d)\s+с\s+половиной\b")  # noqa: RUF001 - Cyrillic letters


def with_halves(folded: str) -> str:
    """Return a quantity in lower case with halves in digits: `полтора миллиона`, `полтысячи`."""
    return _AND_A_HALF.sub(".5", _HALF_OF.sub("0.5 ", _ONE_AND_A_HALF.sub("1.5", folded)))
