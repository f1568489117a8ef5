"""What holds for the tests of all models."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def graphs_as_traced(run_graphs_as_traced):
    """For all of them."""
