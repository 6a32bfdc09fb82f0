"""Quantities written in Chinese, Japanese and Korean, put into Latin letters: `15万亿词元` is 15e12 tokens."""

import re
import unicodedata
from collections.abc import Mapping

__all__ = ["latin"]

_DIGITS: Mapping[str, int] = {
    **{digit: value for value, digit in enumerate("零一二三四五六七八九")},
    "〇": 0,  # noqa: RUF001 - a zero, and not a letter
    "两": 2,
    "兩": 2,
}
_TENS: Mapping[str, float] = {"十": 1e1, "百": 1e2, "千": 1e3}
_MYRIADS: Mapping[str, float] = {
    **dict.fromkeys("万萬만", 1e4),
    **dict.fromkeys("亿億억", 1e8),
    # 兆 is left out: a million in mainland China, a million million in Taiwan and Japan.
    "조": 1e12,
}
_FACTORS: Mapping[str, float] = {**_TENS, **_MYRIADS}
_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("词元", "詞元", "令牌", "トークン", "토큰"), "tokens"),
    **dict.fromkeys(("参数量", "参数", "參數", "パラメータ", "파라미터"), "parameters"),
    **dict.fromkeys(("样本", "樣本", "サンプル", "샘플"), "samples"),
    **dict.fromkeys(("步", "ステップ"), "steps"),
    **dict.fromkeys(("秒钟", "秒鐘", "秒", "초"), "s"),
    **dict.fromkeys(("分钟", "分鐘", "分間", "分", "분"), "minutes"),
    **dict.fromkeys(("小时", "小時", "钟头", "鐘頭", "時間", "시간"), "hours"),
    **dict.fromkeys(("天", "日間", "日", "일"), "days"),
    **dict.fromkeys(("星期", "礼拜", "禮拜", "週間", "周", "週", "주"), "weeks"),
    **dict.fromkeys(("ヶ月", "か月", "カ月", "ケ月", "개월", "月"), "months"),
    **dict.fromkeys(("季度",), "quarters"),
    **dict.fromkeys(("年間", "年", "년"), "years"),
    **dict.fromkeys(("美元", "美金", "美刀", "ドル", "달러"), "usd"),
    **dict.fromkeys(("人民币", "人民幣", "元", "块钱", "块", "圆"), "cny"),
    **dict.fromkeys(("日元", "日圆", "円"), "jpy"),
    **dict.fromkeys(("欧元", "歐元", "ユーロ"), "eur"),
    **dict.fromkeys(("港元", "港币"), "hkd"),
    **dict.fromkeys(("원", "韩元"), "krw"),
    **dict.fromkeys(("每秒", "毎秒", "초당"), "per s"),
    **dict.fromkeys(("约", "大约", "大概", "約", "大約", "약"), "about"),
    **dict.fromkeys(("不超过", "不超過", "最多", "至多", "最大"), "at most"),
    **dict.fromkeys(("以内", "以內", "之内", "以下", "이내", "이하"), "or less"),
    **dict.fromkeys(("左右", "程度", "정도"), ""),
    **dict.fromkeys(("字符", "字元", "汉字", "漢字", "字"), "chinese characters"),
    "文字": "japanese characters",
    "글자": "korean characters",
    **dict.fromkeys(("单词", "單詞", "単語", "단어"), "words"),
    **dict.fromkeys(("日本語", "日语", "日語", "日文", "일본어"), "japanese"),
    **dict.fromkeys(("中文", "汉语", "漢語", "中国語", "중국어"), "chinese"),
    **dict.fromkeys(("英文", "英语", "英語", "영어"), "english"),
    **dict.fromkeys(("韩语", "韓語", "韓国語", "한국어"), "korean"),
    **dict.fromkeys(("代码", "代碼", "コード", "코드"), "code"),
    **dict.fromkeys(("文本", "テキスト", "텍스트"), "text"),
    **dict.fromkeys(("本书", "本書"), "books"),
    **dict.fromkeys(("的", "の", "의"), ""),
    **dict.fromkeys(("轮", "輪", "エポック", "에폭"), "epochs"),
    # Counters say nothing: 3个月, 5万条, 8张卡.
    **dict.fromkeys(
        ("个", "個", "条", "條", "张", "張", "卡", "枚", "台", "块卡", "件", "篇", "份", "例", "句", "개"), ""
    ),
}
_WORD = re.compile("|".join(sorted(map(re.escape, _WORDS), key=len, reverse=True)))
_SPELT = "".join(_DIGITS) + "".join(_TENS)
_NUMERAL = re.compile(f"[{_SPELT}]+")
_FACTOR_RUN = f"[{''.join(_FACTORS)}]+"
_PART = re.compile(rf"(\d+(?:\.\d+)?)\s*({_FACTOR_RUN})")
_PARTS = re.compile(rf"(?:\d+(?:\.\d+)?\s*{_FACTOR_RUN})+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
_DIGIT = re.compile(r"\d")
_KNOWN = frozenset(_SPELT).union(_FACTORS, *_WORDS)


def latin(text: str) -> str:
    """Return `text` with East Asian numerals, powers of ten, units and nouns as Latin ones; other text as it is.

    What is not known stays, for the reader of the quantity to refuse.
    """
    if text.isascii():
        return text
    folded = unicodedata.normalize("NFKC", text).replace("半", "0.5")
    if _KNOWN.isdisjoint(folded):
        return text
    folded = _THOUSANDS.sub("", folded)
    # Beside digits, 百 and 千 are powers of ten: only a number without any is spelt.
    if _DIGIT.search(folded) is None:
        folded = _NUMERAL.sub(_spelt, folded)
    folded = _PARTS.sub(_multiplied, folded)
    return " ".join(_WORD.sub(lambda word: f" {_WORDS[word.group()]} ", folded).split())


def _spelt(numeral: re.Match[str]) -> str:
    """Return a number below ten thousand that is spelt: 一百二十 is 120, 十五 is 15, and 千 alone a thousand."""
    total, digit = 0.0, None
    for letter in numeral.group():
        if letter in _TENS:
            total += (1 if digit is None else digit) * _TENS[letter]
            digit = None
        else:
            digit = (digit or 0) * 10 + _DIGITS[letter]
    return f"{total + (digit or 0):.15g}"


def _multiplied(parts: re.Match[str]) -> str:
    """Return a number with its powers of ten multiplied out: 1.5万亿 is 1.5e12, and 1亿2千万 is 1.2e8."""
    total = 0.0
    for number, letters in _PART.findall(parts.group()):
        factor = 1.0
        for letter in letters:
            factor *= _FACTORS[letter]
        total += float(number) * factor
    return f"{total:.15g} "
