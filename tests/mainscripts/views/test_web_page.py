"""The page in a real browser."""

import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from selenium.webdriver.common.keys import Keys

from mainscripts.views import web_view
from mainscripts.views.view import Command, make_view
from tests.mainscripts.views.browser import BROWSERS, DRIVERS, Browser, installed
from tests.mainscripts.views.synthetic import history_of, status_of

pytestmark = pytest.mark.skipif(
    installed(BROWSERS) is None or installed(DRIVERS) is None,
    reason="no Chromium with its chromedriver is installed")

ROOT = Path(__file__).parents[3]
FACES = {"faces": np.full((120, 300, 3), (40, 90, 200), np.uint8),
         "faces masked": np.full((120, 300, 3), (200, 90, 40), np.uint8)}
# Colours of the picture on a canvas: of pixels that are not transparent, how many are near r, g, b.
COUNT_NEAR = """
const [id, r, g, b] = arguments;
const canvas = document.getElementById(id);
const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
let n = 0;
for (let i = 0; i < data.length; i += 4) {
  const far = Math.max(Math.abs(data[i] - r), Math.abs(data[i + 1] - g), Math.abs(data[i + 2] - b));
  if (data[i + 3] > 200 && far < 24) n++;
}
return n;
"""
# Mean colour of a picture as the page shows it.
MEAN_COLOR = """
const picture = document.getElementById(arguments[0]);
if (!picture.complete || !picture.naturalWidth) return null;
const canvas = document.createElement("canvas");
[canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
const pen = canvas.getContext("2d");
pen.drawImage(picture, 0, 0);
const [r, g, b] = pen.getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1).data;
return [r, g, b, canvas.width, canvas.height];
"""
BLUE, ORANGE = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)
DARK_BLUE, DARK_ORANGE = (0x56, 0xB4, 0xE9), (0xE6, 0x9F, 0x00)


@pytest.fixture(scope="module")
def chromium():
    with Browser() as browser:
        yield browser


@pytest.fixture
def training(tmp_path, monkeypatch):
    """A page with a training at iteration 3000."""
    monkeypatch.setattr(web_view, "GOODBYE_SECONDS", 0.0)
    view = make_view("web", tmp_path, on_problem=pytest.fail)
    view.update(status_of(history_of(3000), previews=FACES, saved_at=1.7e9, saved_iteration=2900))
    yield view
    view.close()


@pytest.fixture
def page(chromium, training):
    """The browser with that page open, as a visitor sees it the first time."""
    chromium.forget()
    chromium.as_desktop()
    chromium.prefer_dark(False)
    chromium.complaints()
    chromium.open(training.address)
    chromium.run("localStorage.clear()")
    chromium.wait(lambda: chromium.text("iteration") == "3,000")
    chromium.wait(lambda: chromium.run(MEAN_COLOR, "picture"))
    yield chromium
    assert chromium.complaints() == []


def test_numbers_are_shown(page):
    assert page.title == "3,000 · anna · FaceLab"
    expected = {"name": "anna", "kind": "SAEHD", "target": "of 100,000", "speed": "6.37 it/s",
                "images": "102 /s", "wait": "1.4 ms", "memory": "3.2 GB", "elapsed": "7 min 51 s"}
    assert {name: page.text(name) for name in expected} == expected
    assert page.text("phase").endswith("training")
    assert page.text("left").startswith("4 h 13 min left, done")
    assert "src dssim" in page.text("terms") and "0.1931" in page.text("terms")
    losses = {name: history_of(3000).column(name)[-100:].mean() for name in ("src", "dst")}
    assert page.text("legend").split() == [
        "src", f"{losses['src']:.4f}", "dst", f"{losses['dst']:.4f}"]
    assert "Saved at iteration 2,900" in page.text("news")


def test_both_curves_are_drawn_and_can_be_hidden(page):
    assert page.run(COUNT_NEAR, "chart", *BLUE) > 500
    assert page.run(COUNT_NEAR, "chart", *ORANGE) > 500
    page.run("document.querySelectorAll('#legend button')[1].click()")
    assert page.run(COUNT_NEAR, "chart", *ORANGE) == 0
    assert page.run(COUNT_NEAR, "chart", *BLUE) > 500


def test_the_chart_grows_with_training(page, training):
    before = page.run("return document.getElementById('chart').toDataURL()")
    training.update(status_of(history_of(6000)))
    page.wait(lambda: page.text("iteration") == "6,000")
    page.wait(lambda: page.run("return document.getElementById('chart').toDataURL()") != before)
    page.run("document.getElementById('chart').focus()")
    page.element("chart").send_keys(Keys.ARROW_LEFT)
    shown = page.text("tooltip")
    assert "6,000" in shown.split("\n")[0] and "src" in shown and "dst" in shown


def test_previews_are_shown_chosen_and_renewed(page, training):
    def color(r, g, b):
        found = page.run(MEAN_COLOR, "picture")
        return found is not None and np.abs(np.subtract(found[:3], (r, g, b))).max() <= 4

    assert color(200, 90, 40)
    assert page.run(MEAN_COLOR, "picture")[3:] == [300, 120]
    page.click_words("names", "faces masked")
    page.wait(lambda: color(40, 90, 200))
    page.press(" ")  # the next one, round to the first
    page.wait(lambda: color(200, 90, 40))
    fresh = {name: picture[:, ::-1] // 2 for name, picture in FACES.items()}
    training.update(status_of(history_of(3100), previews=fresh))
    page.wait(lambda: color(100, 45, 20))
    page.wait(lambda: page.text("preview-age") == "iteration 3,100, just now")
    page.click("enlarge")
    assert page.element("full-picture").is_displayed()
    page.click("picture-dialog")
    assert not page.element("full-picture").is_displayed()


@pytest.mark.parametrize("button, key, command, said", [
    ("save", "s", Command.SAVE, "Saved at iteration 3,050"),
    ("backup", "b", Command.BACKUP, "backup of the model as last saved"),
    ("preview", "p", Command.PREVIEW, "New preview")])
def test_buttons_and_keys_reach_training_and_their_end_is_told(page, training, button, key,
                                                               command, said):
    for way in (lambda: page.click(button), lambda: page.press(key)):
        way()
        assert page.wait(training.commands) == [command]
        training.update(status_of(history_of(3050), saved_at=1.71e9, saved_iteration=3050,
                                  previews=FACES if command is Command.PREVIEW else None))
        page.wait(lambda: said in page.text("toasts"))
        page.run("document.getElementById('toasts').replaceChildren()")
        page.wait(lambda: page.element(button).get_attribute("aria-busy") is None)
        training.update(status_of(history_of(3000), saved_at=1.7e9, saved_iteration=2900))
        page.wait(lambda: page.text("iteration") == "3,000")


def test_stop_asks_first_then_reaches_training_and_the_page_tells_the_end(page, training,
                                                                          monkeypatch):
    monkeypatch.setattr(web_view, "GOODBYE_SECONDS", 600.0)
    page.click("stop")
    page.run("document.querySelector('#stop-dialog button[value=no]').click()")
    page.wait(lambda: not page.element("stop-dialog").is_displayed())
    assert training.commands() == []
    page.press(Keys.ENTER)
    page.wait(lambda: page.element("stop-dialog").is_displayed())
    page.run("document.querySelector('#stop-dialog button[value=yes]').click()")
    assert page.wait(training.commands) == [Command.STOP]
    page.wait(lambda: page.text("phase") == "stopping")
    training.update(status_of(history_of(3060)))
    closing = threading.Thread(target=training.close, args=("stopped",), daemon=True)
    closing.start()
    page.wait(lambda: page.text("phase") == "ended")
    closing.join(60)  # it need not wait longer than until the page has all it wants
    assert not closing.is_alive()
    assert page.text("banner").startswith("Training ended. What you see is its last state")
    assert page.text("iteration") == "3,060" and page.title.startswith("ended")
    assert not any(page.element(name).is_enabled() for name in ("save", "backup", "stop"))
    page.press("l")  # what was fetched stays: ranges can still be chosen
    assert page.run(COUNT_NEAR, "chart", *BLUE) > 500


def test_a_reached_target_is_told(page, training, monkeypatch):
    monkeypatch.setattr(web_view, "GOODBYE_SECONDS", 600.0)
    closing = threading.Thread(target=training.close, args=("target iteration",), daemon=True)
    closing.start()
    page.wait(lambda: page.text("banner").startswith("Training ended: target iteration."))
    closing.join(60)
    assert not closing.is_alive()


KILLED = """
from pathlib import Path
from mainscripts.views.view import make_view
from tests.mainscripts.views.synthetic import history_of, status_of

view = make_view("web", Path(), on_info=lambda line: print(line.split()[1], flush=True))
view.update(status_of(history_of(3000)))
input()
"""


def test_a_training_that_is_killed_is_told(page):
    child = subprocess.Popen([sys.executable, "-c", KILLED], cwd=ROOT, text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with child:
        page.open(child.stdout.readline().strip())
        page.wait(lambda: page.text("phase").endswith("training"))
        child.kill()
    page.wait(lambda: page.text("phase") == "not connected")
    assert "training may have ended" in page.text("banner")
    assert not page.element("save").is_enabled()
    assert page.text("iteration") == "3,000"  # what was there stays
    assert all("ERR_" in line for line in page.complaints())


def test_the_page_can_be_loaded_again_and_keeps_its_token_to_itself(page, training):
    token = training.address.partition("token=")[2]
    assert page.address == training.address.partition("?")[0]
    assert token not in page.run("return document.documentElement.outerHTML")
    assert page.cookies() == [] and page.run("return document.cookie") == ""
    page.reload()
    page.wait(lambda: page.text("iteration") == "3,000")
    assert page.address == training.address.partition("?")[0]
    assert all("403" in line for line in page.complaints())


def test_an_address_without_token_shows_what_to_do(page, training):
    for wrong in ("?token=wrong", ""):
        page.run("sessionStorage.clear()")
        page.open(training.address.partition("?")[0] + wrong)
        page.wait(lambda: "Open the address that FaceLab printed" in page.run(
            "return document.body.innerText"))
    assert all("403" in line for line in page.complaints())


def test_a_token_of_an_earlier_training_is_forgotten(page, training):
    page.run("sessionStorage.setItem('token', 'earlier')")
    page.reload()
    page.wait(lambda: page.run("return sessionStorage.getItem('token')") is None)
    page.wait(lambda: "Open the address that FaceLab printed" in page.run(
        "return document.body.innerText"))
    page.complaints()


def test_what_training_calls_things_is_shown_and_not_run(page, training):
    evil = "<img src=x onerror=alert(1)>"
    training.update(status_of(history_of(3001), name=evil, message=evil,
                              terms={evil: 0.5}, previews={evil: FACES["faces"]}))
    page.wait(lambda: page.text("name") == evil)
    page.wait(lambda: evil in page.text("news"))
    page.wait(lambda: evil in page.text("terms") and evil in page.text("names"))
    assert page.run("return document.images.length") == 3  # icon, preview, its large one


def test_losses_that_are_not_finite_leave_a_gap(page, training):
    history = history_of(6000)
    history.column("src")[:] = np.nan
    training.update(status_of(history, losses={"src": float("nan"), "dst": 0.5}))
    page.wait(lambda: page.text("legend").split() == ["src", "not", "finite", "dst", "0.5000"])
    page.wait(lambda: page.run(COUNT_NEAR, "chart", *BLUE) == 0)
    assert page.run(COUNT_NEAR, "chart", *ORANGE) > 500


@pytest.mark.parametrize("n_iterations", [0, 1, 2])
def test_tiny_histories_are_shown(page, training, n_iterations):
    training.update(status_of(history_of(n_iterations)))
    page.wait(lambda: page.text("iteration") == str(n_iterations))
    page.wait(lambda: bool(page.run(COUNT_NEAR, "chart", *BLUE)) == (n_iterations > 0))


# -- looks --------------------------------------------------------------------------------------

def page_brightness(browser):
    """Mean of red, green and blue of the page's background."""
    color = browser.run("return getComputedStyle(document.body).backgroundColor")
    return np.mean([int(part) for part in color[4:-1].split(",")])


def contrast(browser, name):
    """Contrast of an element's text with the page (WCAG 2, section 1.4.3): 1 to 21."""
    colors = browser.run("""
        const text = getComputedStyle(document.getElementById(arguments[0])).color;
        return [text, getComputedStyle(document.body).backgroundColor];""", name)
    lights = []
    for color in colors:
        parts = np.array([int(part) for part in color[4:-1].split(",")]) / 255
        linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        lights.append(linear @ (0.2126, 0.7152, 0.0722) + 0.05)
    return max(lights) / min(lights)


def test_it_is_light_or_dark_as_the_system_says_or_as_chosen(page):
    readable = ("iteration", "target", "left", "name", "kind")
    assert page_brightness(page) > 230
    assert min(contrast(page, name) for name in readable) > 4.5
    page.prefer_dark(True)
    page.wait(lambda: page_brightness(page) < 40)
    assert min(contrast(page, name) for name in readable) > 4.5
    page.wait(lambda: page.run(COUNT_NEAR, "chart", *DARK_BLUE) > 500)
    assert page.run(COUNT_NEAR, "chart", *DARK_ORANGE) > 500
    page.click("theme")  # light, whatever the system says
    page.wait(lambda: page_brightness(page) > 230)
    page.prefer_dark(False)
    page.click("theme")  # dark
    page.wait(lambda: page_brightness(page) < 40)


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_shows_everything_without_scrolling_sideways(page, training, width):
    long = {f"a preview with a long name {i}": FACES["faces"] for i in range(6)}
    training.update(status_of(history_of(3001), name="a_name_" * 12, previews=long,
                              rate_scale=0.25, message="rolled back"))
    page.as_phone(width, 780)
    page.wait(lambda: page.text("iteration") == "3,001")
    page.wait(lambda: page.run("return document.documentElement.scrollWidth") == width)
    for name in ("save", "backup", "preview", "stop", "theme"):
        box = page.element(name).rect
        assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["height"] >= 34
        cut = page.run("const e = document.getElementById(arguments[0]);"
                       "return e.scrollWidth > e.clientWidth + 1", name)
        assert not cut, f"{name} is cut off"
    page.click("save")  # nothing lies on top of it
    assert page.wait(training.commands) == [Command.SAVE]


def test_nothing_overlaps_on_a_desktop(page, tmp_path):
    cards = page.run("return [...document.querySelectorAll('header, .overview, .card, footer')]"
                     ".map(e => { const r = e.getBoundingClientRect();"
                     " return [r.left, r.top, r.right, r.bottom]; })")
    for index, (left, top, right, bottom) in enumerate(cards):
        for left_2, top_2, right_2, bottom_2 in cards[index + 1:]:
            assert (right <= left_2 + 1 or right_2 <= left + 1
                    or bottom <= top_2 + 1 or bottom_2 <= top + 1)
    page.save_picture(tmp_path / "page.png")
    assert cv2.imread(str(tmp_path / "page.png")).std() > 20
