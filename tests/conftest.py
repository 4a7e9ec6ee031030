"""What all tests share."""

from hypothesis import settings

pytest_plugins = ["pytester"]

# The same examples in every run: a gate on privacy must not be red by chance, nor must its tests.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")
