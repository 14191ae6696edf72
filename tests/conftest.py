"""What all tests share: where the real data lie."""

from __future__ import annotations

from pathlib import Path

import pytest

REAL_DATA = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data files; the test is skipped where it is missing."""
    if not REAL_DATA.is_dir():
        pytest.skip("real data are not at ../shared/data")
    return REAL_DATA
