"""A headless Chromium that looks at one page, and notes what the page says and asks for."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import frozen
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from tests.conftest import NEEDS_BROWSER

CHROMIUM: Final = shutil.which("chromium")
DRIVER: Final = shutil.which("chromedriver")
in_browser: Final = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason=f"Chromium or its driver {NEEDS_BROWSER}"
)
"""Skips a test where there is no browser; the last line of the run says so (`tests/conftest.py`)."""

_ARGUMENTS: Final = (
    "--headless=new",
    "--no-sandbox",  # as root there is none
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
)
_SECONDS: Final = 30


@frozen
class Browser:
    """A page in a browser."""

    driver: webdriver.Chrome

    def open(self, page: Path, width: int = 1280, scheme: str = "light") -> None:
        """Open a report without a network, and wait until it is drawn."""
        self.driver.get("about:blank")
        self._forget()
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.prefer(scheme)
        self.driver.get(page.as_uri())
        self.until("return document.documentElement.dataset.drawn === 'yes'")

    def prefer(self, scheme: str) -> None:
        """Say which theme the system has: light or dark."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page. Gives what it returns."""
        return self.driver.execute_script(script, *arguments)

    def until(self, script: str) -> None:
        """Wait until a script returns what is true."""
        WebDriverWait(self.driver, _SECONDS, 0.05).until(lambda _: self.run(script))

    def texts(self, selector: str) -> list[str]:
        """Give the texts of elements, shown or not."""
        script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)"
        found: list[str] = self.run(script, selector)
        return found

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def tab_to(self, identifier: str, most: int = 200) -> None:
        """Press the tab key until the focus is on an element."""
        for _ in range(most):
            if self.run("return document.activeElement.id") == identifier:
                return
            self.press(Keys.TAB)
        raise AssertionError(f"{identifier} can't be reached by {most} tabs")

    def told(self) -> list[str]:
        """Give what the console has said since the page was opened: warnings and errors, each a text."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def requests(self) -> set[str]:
        """Give the addresses that were asked for since the page was opened."""
        entries = self.driver.get_log("performance")  # type: ignore[no-untyped-call]
        messages = (json.loads(entry["message"])["message"] for entry in entries)
        return {
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        }

    def picture(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        width, height = self.run(
            "const { scrollHeight } = document.documentElement; return [window.innerWidth, scrollHeight]"
        )
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        found = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
        )
        path.write_bytes(base64.b64decode(found["data"]))

    def _forget(self) -> None:
        self.told()
        self.requests()


@contextmanager
def started() -> Iterator[Browser]:
    """Start a browser, and end it."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in _ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        yield Browser(driver)
    finally:
        driver.quit()
