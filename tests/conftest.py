"""What all tests share."""

import os

# Workers share the cores: before numpy or torch is loaded, which read it once.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]

# The same examples in every run: a gate on privacy must not be red by chance, nor must its tests.
settings.register_profile(
    "fixed", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("fixed")
