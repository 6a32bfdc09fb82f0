"""Quantities in words, put into the digits and English units that are read: `zwei Wochen` is `2 weeks`.

What is not known stays, for the reader of the quantity to refuse.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from estimator.base import hindi, russian
from estimator.base.east_asian import latin
from estimator.base.numerals import NUMERAL

__all__ = ["RANGE", "spoken", "without_bound"]

_FRACTIONS: Mapping[str, str] = {"½": ".5", "¼": ".25", "¾": ".75"}
_FRACTION = re.compile(r"(?P<whole>\d*)\s?(?P<part>[½¼¾])")
_SMALL: Mapping[str, int] = {
    **dict.fromkeys(("one", "eins", "ein", "eine", "einen", "einer", "einem", "un", "une", "uno", "una"), 1),
    **dict.fromkeys(("two", "zwei", "deux", "dos"), 2),
    **dict.fromkeys(("three", "drei", "trois", "tres"), 3),
    **dict.fromkeys(("four", "vier", "quatre", "cuatro"), 4),
    **dict.fromkeys(("five", "fünf", "cinq", "cinco"), 5),
    **dict.fromkeys(("six", "sechs", "seis"), 6),
    **dict.fromkeys(("seven", "sieben", "sept", "siete"), 7),
    **dict.fromkeys(("eight", "acht", "huit", "ocho"), 8),
    **dict.fromkeys(("nine", "neun", "neuf", "nueve"), 9),
    **dict.fromkeys(("ten", "zehn", "dix", "diez"), 10),
    **dict.fromkeys(("eleven", "elf", "onze"), 11),
    **dict.fromkeys(("twelve", "zwölf", "douze", "doce"), 12),
    **dict.fromkeys(("fourteen", "vierzehn", "quatorze", "catorce"), 14),
    **dict.fromkeys(("fifteen", "fünfzehn", "quinze", "quince"), 15),
    "thirteen": 13,
    "sixteen": 16,
    "eighteen": 18,
    **russian.SMALL,
}
_TENS: Mapping[str, int] = {
    **dict.fromkeys(("twenty", "zwanzig", "vingt", "veinte"), 20),
    **dict.fromkeys(("thirty", "dreißig", "dreissig", "trente", "treinta"), 30),
    **dict.fromkeys(("forty", "vierzig", "quarante", "cuarenta"), 40),
    **dict.fromkeys(("fifty", "fünfzig", "cinquante", "cincuenta"), 50),
    **dict.fromkeys(("sixty", "sechzig", "soixante", "sesenta"), 60),
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
_NUMBER_WORD = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})(?:[\s-](?P<ones>{'|'.join(_SMALL)}))?|(?P<small>{'|'.join(_SMALL)})"
    r"|(?P<dozen>(?:a\s+)?dozen|ein(?:em)?\s+dutzend|une\s+douzaine(?:\s+de)?)|(?P<pair>(?:a\s+)?couple(?:\s+of)?))\b"
)
_POINT = re.compile(r"(?<=\d)\s+point\s+(\d)\b")
"""In `one point five`, its words in digits."""
_HALF = re.compile(
    r"\b(?:half\s+an?|a\s+half|(?:an?\s+)?half|eine[nr]?\s+halbe[nrs]?|halbe[nrs]?|une?\s+demi[e-]*|demi[e-]*|medi[oa])\s+"
)
_AND_A_HALF = re.compile(r"(?<=\w)\s+(?:and\s+a\s+half|et\s+demie?|y\s+medi[oa])\b")
_ARTICLE = re.compile(r"^an?\s+(?=[^\W\d_])")
_HYPHEN = re.compile(r"(?<=\d)-(?=[^\W\d_])")
"""In `a 30-day window`."""
_SUPERSCRIPT = re.compile(r"(?<=\d)[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_DIGIT_OF = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_ABOUT = re.compile(
    r"^(?:(?:just\s+)?(?:about|over\b|more\s+than|approximately|approx\b\.?|around|roughly|circa|ca\b\.?|c\.|some|nearly|almost|maybe|etwa"
    rf"|{russian.ABOUT}|ungefähr|rund|knapp|environ|à\s+peu\s+près|unos|unas|alrededor\s+de|aproximadamente|aprox\b\.?|≈|≃|~)\s*)+"
    r"|\s*(?:\(?(?:approx\b\.?|approximately|roughly|environ|aproximadamente)\)?|-ish|(?<=\d)ish|(?<=[\w.])\s?\+)$"
)
_BOUND_BEFORE = re.compile(
    r"^(?:(?:at|no|not)\s+(?:the\s+)?(?:most|more\s+than|over|longer\s+than|later\s+than|exceed(?:ing)?)|max(?:imum)?\b\.?"
    r"(?:\s+of)?|maximal|up\s+to|under|below|within|less\s+than|fewer\s+than|in\s+(?:under|less\s+than)|limit(?:ed\s+to)?"
    r"|cap(?:ped\s+at)?|budget(?:\s+of)?|in\b|höchstens|bis\s+zu|unter\b|innerhalb(?:\s+von)?|binnen|dentro\s+de|au\s+(?:plus|maximum)"
    rf"|{russian.AT_MOST}|moins\s+de|jusqu'à|como\s+máximo|máximo|hasta|menos\s+de|<=|≤|<)\s*[:=]?\s*"
)
_BOUND_BEHIND = re.compile(
    r"[\s,]*\(?\b(?:or\s+(?:so|less|fewer|under|sooner)|at\s+(?:the\s+)?most|max(?:imum)?\.?|tops|maximal|höchstens|maximum"
    r"|máximo|como\s+máximo|au\s+(?:plus|maximum)|budget|total|in\s+total)\)?$"
)
_FILLER = re.compile(r"(?<=\w)\s+(?:of|de|d'|von)\s+(?=\w)|(?<=\w)\s+d'(?=\w)")
RANGE = re.compile(
    rf"(?:between\s+|from\s+|zwischen\s+|entre\s+)?(?P<low>{NUMERAL})\s*(?P<of_low>[^\W\d_]*)\s*"
    rf"(?:-|–|—|\bto\b|\band\b|\bbis\b|~)\s*(?P<high>{NUMERAL})(?P<behind>\s*[^\W\d_].*|)"
)
"""Two numbers, the first with its own multiple or with that of the second."""
_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("tausend", "tsd", "mille"), "thousand"),
    **dict.fromkeys(("millionen", "millón", "millones", "mio"), "million"),
    **dict.fromkeys(("mrd", "milliarde", "milliarden", "milliard", "milliards", "mds"), "billion"),
    **dict.fromkeys(("billionen", "billón", "billones", "bio"), "trillion"),
    **dict.fromkeys(("lakhs", "lac"), "lakh"),
    **dict.fromkeys(("crores", "cr"), "crore"),
    **dict.fromkeys(("sekunde", "sekunden", "secondes", "segundo", "segundos", "seg"), "seconds"),
    **dict.fromkeys(("minuten", "minuto", "minutos"), "minutes"),
    **dict.fromkeys(("stunde", "stunden", "std", "heure", "heures", "hora", "horas"), "hours"),
    **dict.fromkeys(("tag", "tage", "tagen", "jour", "jours", "journée", "día", "días", "dia", "dias"), "days"),
    **dict.fromkeys(("woche", "wochen", "semaine", "semaines", "semana", "semanas"), "weeks"),
    **dict.fromkeys(("monat", "monate", "monaten", "mois", "mes", "meses"), "months"),
    **dict.fromkeys(("quartal", "quartale", "trimestre", "trimestres"), "quarters"),
    **dict.fromkeys(("jahr", "jahre", "jahren", "année", "années", "ans", "año", "años"), "years"),
    **dict.fromkeys(("fortnights",), "fortnight"),
    **dict.fromkeys(("weekends",), "weekend"),
    **dict.fromkeys(("jetons", "tokenes"), "tokens"),
    **dict.fromkeys(("beispiele", "beispielen", "exemples", "ejemplos", "muestras"), "examples"),
    **dict.fromkeys(("bilder", "bildern", "imágenes", "imagenes"), "images"),
    **dict.fromkeys(("zeilen", "lignes", "líneas"), "lines"),
    **dict.fromkeys(("schritte", "schritten", "étapes", "pas", "pasos"), "steps"),
    **dict.fromkeys(("epoche", "epochen", "époque", "époques", "época", "épocas"), "epochs"),
    **dict.fromkeys(("paramètres", "parámetros"), "parameters"),
    **dict.fromkeys(("wort", "wörter", "wörtern", "worte", "mots", "palabras"), "words"),
    **dict.fromkeys(("seiten", "páginas"), "pages"),
    **dict.fromkeys(("buch", "bücher", "büchern", "livres", "libros"), "books"),
    **dict.fromkeys(("zeichen", "caractères", "caracteres"), "characters"),
    **dict.fromkeys(("dólares", "dolares", "dólar", "bucks"), "dollars"),
    **dict.fromkeys(("gpus", "karten", "grafikkarten", "cartes", "tarjetas"), "gpus"),
    **dict.fromkeys(("pro", "par", "por"), "per"),
    **dict.fromkeys(("und", "et", "y"), "and"),
    **dict.fromkeys(("gigabyte", "gigabytes", "gig", "gigs", "gigaoctets"), "gb"),
    **dict.fromkeys(("megabyte", "megabytes", "meg", "megs"), "mb"),
    **dict.fromkeys(("terabyte", "terabytes", "teras"), "tb"),
    "octets": "bytes",
    **dict.fromkeys(("nights", "nacht", "nächte", "nuit", "nuits", "noche", "noches"), "night"),
    **russian.WORDS,
}
_WORD = re.compile(r"[^\W\d_]+\.?")
_MIL_MILLIONS = re.compile(r"\bmil\s+millones\b")
_MIL = re.compile(r"\bmil(?=\s+(?:ejemplos|muestras|palabras|páginas|libros|horas|pasos|im[aá]genes|d[oó]lares)\b)")
"""A thousand beside another word of Spanish; alone it is a million as often."""
_OVERNIGHT = re.compile(r"\b(?:over[\s-]night|über nacht|за ночь)\b")
_QUESTIONS = re.compile(r"\bq\s?[&/]\s?a\b")


@lru_cache(maxsize=1024)
def spoken(text: str) -> str:
    """Return a quantity in lower case with digits for numbers in words, English units, and no `about`."""
    text = _FRACTION.sub(lambda half: (half["whole"] or "0") + _FRACTIONS[half["part"]], text)
    text = _SUPERSCRIPT.sub(lambda power: "^" + power[0].translate(_DIGIT_OF), text)
    folded = " ".join(unicodedata.normalize("NFKC", latin(hindi.in_latin(text))).casefold().replace("’", "'").split())
    folded = _ABOUT.sub("", _OVERNIGHT.sub("overnight", folded)).strip()
    folded = _HALF.sub("0.5 ", _AND_A_HALF.sub(".5", folded))
    # `a one point five billion` has an article and a number.
    folded = russian.with_halves(_POINT.sub(r".\1", _NUMBER_WORD.sub(_in_digits, folded)))
    folded = _ARTICLE.sub("1 ", folded)
    folded = _QUESTIONS.sub("qa", _MIL.sub("thousand", _MIL_MILLIONS.sub("billion", folded)))
    folded = _FILLER.sub(" ", _WORD.sub(_in_english, _HYPHEN.sub(" ", folded)))
    return " ".join(folded.split())


def without_bound(text: str) -> str:
    """Return the amount in a limit: `max $20k`, `within a week`, `3 days or less`."""
    folded = _OVERNIGHT.sub("overnight", " ".join(latin(text).casefold().split()))
    return _BOUND_BEHIND.sub("", _BOUND_BEFORE.sub("", folded)).strip()


def _in_digits(word: re.Match[str]) -> str:
    if word["dozen"]:
        return "12"
    if word["pair"]:
        return "2"
    if word["small"]:
        return str(_SMALL[word["small"]])
    return str(_TENS[word["tens"]] + (_SMALL[word["ones"]] if word["ones"] else 0))


def _in_english(word: re.Match[str]) -> str:
    bare = word[0].removesuffix(".")
    return _WORDS.get(bare, word[0])
