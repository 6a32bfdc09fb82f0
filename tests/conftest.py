"""What every test shares."""

from hypothesis import settings

__all__: list[str] = []

# The same examples each time, and no deadline: a slow machine is not a wrong answer.
settings.register_profile("traintime", deadline=None, derandomize=True, database=None)
settings.load_profile("traintime")
