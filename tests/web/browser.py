"""A headless Chromium, and what it shows of a server's pages."""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from importlib.resources import files
from typing import Any
from unittest import SkipTest

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

from tests.end_to_end.processes import TIMEOUT, TWISTD, ProcessCase

OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
"""No sandbox: tests may run as root, and open nothing but our own pages."""

AXE = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
"""The script of axe-core."""


def start_browser() -> Any:
    """Start Chromium; skips the test if it or its driver is missing."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        raise SkipTest(
            "there is no Chromium or no chromedriver: apt-get install chromium chromium-driver"
        )
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for option in OPTIONS:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options, Service(driver))


class BrowserCase(ProcessCase):
    """Starts a browser for each test, and a server with pages."""

    def setUp(self) -> None:
        super().setUp()
        # Whatever proxy this user has, all is on this machine.  Chromium does not start without a
        # home to write to, nor where temporary files have a long path: it makes a socket there.
        mine = {"no_proxy": "localhost,127.0.0.1", "HOME": str(self.home), "TMPDIR": "/tmp"}
        self.patch(os, "environ", {**os.environ, **mine})
        self.driver: Any = start_browser()
        self.addCleanup(self.driver.quit)

    def served(self, *options: str) -> None:
        """Start a server; ``where`` is its endpoint string, ``page`` the address of its page."""
        self.running, self.where = self.server("--web=tcp:0:interface=127.0.0.1", *options)
        self.page = self.running.wait_for_line(r"the live page is at (http://\S+),")[1]

    def show(self, path: str = "", width: int = 1280, scheme: str = "light") -> None:
        """Open a page, in a window of ``width`` pixels, and wait until it is live."""
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.get(self.page + path)

    def wait_for(self, expression: str) -> Any:
        """Wait until an expression of JavaScript is true, and return its value."""
        wait = WebDriverWait(self.driver, TIMEOUT / 2, poll_frequency=0.1)
        return wait.until(
            lambda driver: driver.execute_script(f"return {expression}"), f"never: {expression}"
        )

    def value(self, expression: str) -> Any:
        return self.driver.execute_script(f"return {expression}")

    def text(self, selector: str) -> str:
        found: str = self.value(f"document.querySelector({json.dumps(selector)}).textContent")
        return found

    def figure(self, name: str) -> str:
        return self.text(f"td[data-figure='{name}']")

    def get_json(self, path: str) -> Any:
        with urllib.request.urlopen(self.page + path, timeout=TIMEOUT) as answer:
            return json.load(answer)

    def load(self, *options: str) -> None:
        """Put a load on the server, and wait for its end."""
        # Relative, as its path would be too long for a UNIX socket.
        status = "--status=unix:status"
        client = self.start(
            *(*TWISTD, "-n", "--pidfile=", "tlsclient", f"--connect={self.where}", status),
            *(self.certs, *options),
        )
        self.assertEqual(client.wait(), 0, client.output)

    def assert_accessible(self) -> None:
        """Fail if axe-core finds something, or if the page is wider than its window."""
        self.driver.execute_script(AXE)
        found = self.driver.execute_async_script("axe.run().then(arguments[0])")
        self.assertGreater(len(found["passes"]), 10)
        violations = [
            f"{each['help']}: {node['target']} {node['html']:.200}"
            for each in found["violations"]
            for node in each["nodes"]
        ]
        self.assertEqual(violations, [])
        self.assertLessEqual(self.value("document.documentElement.scrollWidth - innerWidth"), 0)

    def assert_no_complaints(self) -> None:
        """Fail if the browser has logged something, such as a violation of the policy."""
        self.assertEqual(self.driver.get_log("browser"), [])
