"""What holds for all tests."""

import pytest


@pytest.fixture(autouse=True)
def facelab_data_dir(monkeypatch, tmp_path_factory):
    """Signing keys of the tests lie in a folder of their own, one for the whole run."""
    folder = tmp_path_factory.getbasetemp() / "facelab_data"
    monkeypatch.setenv("FACELAB_DATA_DIR", str(folder))
    return folder
