"""What holds for all tests."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def facelab_data_dir(tmp_path_factory):
    """Signing keys of the tests lie in a folder of their own, one for the whole run."""
    folder = tmp_path_factory.getbasetemp() / "facelab_data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACELAB_DATA_DIR", str(folder))
        yield folder
