"""A real `train` as a process of its own, watched and steered through its page."""

import time

import pytest

from models.store import ModelStore
from tests.commands import finish, lines_until, start
from tests.mainscripts.views.events import Events
from tests.mainscripts.views.http_client import Client
from tests.models import example

SECONDS = 120.0


@pytest.fixture
def training(faces_workspace):
    """(the process of a training without a target, its events so far)."""
    child = start(*faces_workspace.train_words(), *example.FLAGS, "--preview", "web",
                  "--tensorboard")
    try:
        yield child, lines_until(child, lambda event: "open http" in event.get("message", ""))
    finally:
        child.kill()
        child.communicate()


def wait(client, condition):
    """The state of the page once it meets a condition."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        state = client.get("/api/state").json
        if state["status"] is not None and condition(state):
            return state
        time.sleep(0.05)
    raise AssertionError(f"never came: {state}")


def test_a_training_is_watched_saved_and_stopped_from_its_page(training, faces_workspace):
    child, events = training
    client = Client(events[-1]["message"].split()[1])
    state = wait(client, lambda state: state["status"]["iteration"] >= 5 and state["previews"])
    status = state["status"]
    assert status["kind"] == example.KIND and {"src", "dst"} <= status["losses"].keys()
    name, version = state["previews"][0]["name"], state["previews"][0]["version"]
    assert client.get(f"/api/preview?name={name}".replace(" ", "%20")).body[:2] == b"\xff\xd8"

    client.command("save")
    saved = wait(client, lambda state: state["status"]["saved_iteration"])["status"]
    client.command("preview")
    wait(client, lambda state: state["previews"][0]["version"] > version)
    client.command("backup")
    wait(client, lambda state: "backup" in state["status"]["message"])
    taken = client.command("stop").json["number"]
    outcome = finish(child, events)
    assert outcome.code == 0 and outcome.event("training")["reason"] == "stopped on request"

    store = ModelStore(faces_workspace.path("model"), example.KIND, "new")
    model = store.require()
    assert model.progress.iteration >= saved["saved_iteration"] >= 5
    assert (store.folder / "backups/01").is_dir() and taken == 4
    curve = Events(store.folder / "tensorboard").scalars("loss/src")
    assert curve[-1][0] == model.progress.iteration
