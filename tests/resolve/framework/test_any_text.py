"""Whatever is written of software is read without an error, and all of it understood or named as not.

Authority: the contract: nothing that is said is lost.
"""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from estimator.catalogue import catalogue
from estimator.question.request import FRAMEWORK_CHOICES
from estimator.resolve.framework.fillers import FILLERS
from estimator.resolve.framework.named import named_framework
from estimator.resolve.framework.names import NAMES
from estimator.resolve.framework.practices import PRACTICES
from estimator.resolve.framework.reading import reading_of
from estimator.resolve.framework.tokens import text_tokens

_WORDS = st.lists(
    st.one_of(
        st.sampled_from(sorted({*NAMES, *PRACTICES, *FILLERS})),
        st.sampled_from(
            ["25.09", "v0.8", "2024", "Aug", "23e00ed0", "zero++", "C++", ",", "+", "(", ")", "=", ":", "w/o"]
        ),
        st.text(max_size=8),
    ),
    max_size=12,
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(), _WORDS.map(" ".join), _WORDS.map("".join)))
@example("no" * 400)
@example("megatron " * 400)
@example("²³½ 1.²")
def test_no_text_raises_and_every_word_is_either_understood_or_named_as_not(text: str) -> None:
    found = named_framework(text)
    assert found.name in FRAMEWORK_CHOICES
    assert found.released is None or 2010.0 <= found.released < 2030.0
    parts = reading_of(text).parts
    said = (*found.understood, *found.not_understood)
    # A model's name alone says nothing of software.
    assert sorted(said) == sorted(part.text for part in parts if part.text in said or not catalogue.is_named(part.text))
    for token in text_tokens(text):
        covered = any(part.start <= token.start and token.end <= part.end for part in parts)
        assert covered or token.text in FILLERS or token.kind in {"is", "end"}
