"""A real Chromium without a window."""

import shutil

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
DRIVERS = ("chromedriver", "chromium-driver")
SECONDS = 180.0
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--window-size=1440,900")


def installed(names):
    """The path of the first of these programs, or None."""
    return next(filter(None, map(shutil.which, names)), None)


class Browser:
    """What tests do in a browser; a context manager."""

    def __enter__(self):
        options = Options()
        options.binary_location = installed(BROWSERS)
        options.page_load_strategy = "normal"
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        for argument in ARGUMENTS:
            options.add_argument(argument)
        self._driver = webdriver.Chrome(options, Service(installed(DRIVERS)))
        return self

    def __exit__(self, *failure):
        self._driver.quit()

    def open(self, address):
        self._driver.get(address)

    def reload(self):
        self._driver.refresh()

    @property
    def address(self):
        return self._driver.current_url

    @property
    def title(self):
        return self._driver.title

    def forget(self):
        """As a browser that was never here."""
        self._driver.get("about:blank")
        self.wait(lambda: self.run("return location.href") == "about:blank")
        self._driver.execute_cdp_cmd("Network.clearBrowserCookies", {})

    def cookies(self):
        return self._driver.get_cookies()

    def run(self, script, *arguments):
        """What a script returns."""
        return self._driver.execute_script(script, *arguments)

    def element(self, name):
        return self._driver.find_element(By.ID, name)

    def text(self, name):
        return self.element(name).text

    def click(self, name):
        self.element(name).click()

    def click_words(self, group, words):
        """Clicks the button with these words in a group."""
        for button in self.element(group).find_elements(By.TAG_NAME, "button"):
            if button.text == words:
                button.click()
                return
        raise AssertionError(f"no button {words!r} in {group}")

    def press(self, key):
        """A key, pressed while nothing is chosen."""
        self._driver.find_element(By.TAG_NAME, "body").send_keys(key)

    def wait(self, condition):
        """Waits until a condition is true; gives what it gave."""
        return WebDriverWait(self._driver, SECONDS, 0.05).until(lambda _: condition())

    def complaints(self):
        """What the console told of since the last call: errors, and breaches of the policy."""
        return [line["message"] for line in self._driver.get_log("browser")
                if line["level"] in ("SEVERE", "WARNING")
                and "willReadFrequently" not in line["message"]]  # of the tests' own looking

    def prefer_dark(self, dark):
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def as_phone(self, width, height):
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 2, "mobile": True})

    def as_desktop(self):
        self._driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def save_picture(self, path):
        self._driver.save_screenshot(str(path))
