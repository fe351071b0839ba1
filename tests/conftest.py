"""What holds for all tests."""

from hypothesis import settings

# the same examples in every run, and no deadline: a busy machine is no fault of the code
settings.register_profile("kitsu", deadline=None, derandomize=True)
settings.load_profile("kitsu")
