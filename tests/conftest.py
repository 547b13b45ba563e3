"""What all suites share."""

from __future__ import annotations

import os
import time
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

# Times that say no zone are in the host's: of tests, the same everywhere.
os.environ["TZ"] = "UTC"
time.tzset()

# Time limits belong to pytest-timeout: a busy machine must not fail a property. CI tries the same examples on every run.
settings.register_profile(
    "house",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=DirectoryBasedExampleDatabase(Path(__file__).parent.parent / "target" / "hypothesis"),
)
settings.register_profile("ci", settings.get_profile("house"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "house")
