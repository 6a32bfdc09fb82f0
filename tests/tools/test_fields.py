"""Arguments are read as people spell them.

Authority: the trainers' own names for the same stage of sharding.
"""

import pytest
from pydantic import TypeAdapter

from tools.fields import DataSharding


@pytest.mark.parametrize(("given", "stage"), [("FSDP", "zero3"), ("ZeRO-1", "zero1"), ("zero3", "zero3")])
def test_a_sharding_is_found_by_what_trainers_call_it(given: str, stage: str) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(DataSharding)
    assert adapter.validate_python(given) == stage
