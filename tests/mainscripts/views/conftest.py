"""A page with a training on it."""

import numpy as np
import pytest

from mainscripts.views import web_view
from mainscripts.views.view import make_view
from tests.mainscripts.views.http_client import Client
from tests.mainscripts.views.synthetic import history_of, status_of

FACES = np.full((20, 30, 3), (40, 90, 200), np.uint8)


@pytest.fixture
def told():
    """What a view said about where it is."""
    return []


@pytest.fixture
def web(tmp_path, told, monkeypatch):
    """A page at iteration 3000; its end does not wait for whoever looks at it."""
    monkeypatch.setattr(web_view, "GOODBYE_SECONDS", 0.0)
    view = make_view("web", tmp_path, on_info=told.append, on_problem=pytest.fail)
    view.update(status_of(history_of(3000), previews={"faces": FACES, "größe & co": FACES[:9]}))
    yield view
    view.close()


@pytest.fixture
def client(web):
    """Somebody who knows the token."""
    return Client(web.address)
