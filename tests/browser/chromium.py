"""Chromium without a screen, driven through its DevTools protocol over a pipe: no port, no network.

Protocol: https://chromedevtools.github.io/devtools-protocol/. Each message is JSON with a NUL at its end; Chromium
reads descriptor 3 and writes 4.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe"),
)
_DEADLINE = 60.0


class Chromium:
    """One browser process. ``profile``: its folder, which nothing else uses."""

    def __init__(self, profile: Path) -> None:
        assert PROGRAM
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        command = f'exec "$0" "$@" 3<&{to_read} 4>&{to_write}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, PROGRAM, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "HOME": str(profile), "XDG_CONFIG_HOME": str(profile), "XDG_CACHE_HOME": str(profile)},
        )
        os.close(to_read)
        os.close(to_write)
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def close(self) -> None:
        """End the browser and all of its processes."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_DEADLINE)
        os.close(self._read)
        os.close(self._write)

    def call(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        """Send a command; return its result. What else comes meanwhile is an event."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        data = json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0"
        while data:
            data = data[os.write(self._write, data) :]
        while True:
            answer = self._next(method)
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])
            self.events.append(answer)

    def wait_for(self, method: str, session: str) -> None:
        """Wait for an event, unless it has come already."""
        while not any(one.get("method") == method and one.get("sessionId") == session for one in self.events):
            self.events.append(self._next(method))

    def _next(self, wanted: str) -> dict[str, Any]:
        deadline = time.monotonic() + _DEADLINE
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(self._read, 1 << 20) if ready else b""
            assert data, f"{PROGRAM}: no answer to {wanted} within {_DEADLINE:.0f} s (exit code {self._process.poll()})"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(line))


class Tab:
    """A page that was opened. ``dark``: the reader prefers dark; ``script``: scripts run."""

    def __init__(
        self,
        browser: Chromium,
        file: Path,
        *,
        width: int = 1280,
        dark: bool = False,
        script: bool = True,
        hash_: str = "",
    ) -> None:
        self._browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._target = target
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        if not script:
            self.call("Emulation.setScriptExecutionDisabled", value=True)
        browser.events.clear()
        self.call("Page.navigate", url=file.as_uri() + hash_)
        browser.wait_for("Page.loadEventFired", self._session)

    def close(self) -> None:
        """Close the page."""
        self._browser.call("Target.closeTarget", targetId=self._target)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command for this page."""
        return self._browser.call(method, self._session, **params)

    def run(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """Press a key."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def click(self, selector: str) -> None:
        """Click in the middle of the first element that ``selector`` finds."""
        document = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=document, selector=selector)["nodeId"]
        self.call("DOM.scrollIntoViewIfNeeded", nodeId=node)
        x1, y1, _, _, x2, y2, *_ = self.call("DOM.getContentQuads", nodeId=node)["quads"][0]
        for kind in ("mousePressed", "mouseReleased"):
            where = {"x": (x1 + x2) / 2, "y": (y1 + y2) / 2, "button": "left", "clickCount": 1}
            self.call("Input.dispatchMouseEvent", type=kind, **where)

    def complaints(self) -> list[str]:
        """Return what the console has to say."""
        found = []
        for event in self._browser.events:
            params = event.get("params", {})
            if event.get("method") == "Log.entryAdded":
                found.append(str(params["entry"]["text"]))
            elif event.get("method") in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
                found.append(json.dumps(params)[:300])
        return found

    def requests(self) -> list[str]:
        """Return the addresses that were asked for, without those that the page's own policy held back."""
        events = [(event.get("method"), event.get("params", {})) for event in self._browser.events]
        held = {params["requestId"] for _, params in events if params.get("blockedReason") == "csp"}
        sent = [params for method, params in events if method == "Network.requestWillBeSent"]
        return [str(params["request"]["url"]) for params in sent if params["requestId"] not in held]

    def wait_for(self, method: str) -> None:
        """Wait for an event."""
        self._browser.wait_for(method, self._session)

    def picture(self, path: Path, height: int = 1800, begin: str = "", end: str = "") -> None:
        """Take a picture of the page: its top, or from the element ``begin`` to the end of ``end`` (selectors)."""
        place = "(e => {{ const r = e.getBoundingClientRect(); return r.{} + scrollY }})(document.querySelector({!r}))"
        top = self.run(place.format("top", begin)) - 8 if begin else 0
        bottom = self.run(place.format("bottom", end)) + 8 if end else self.run("document.body.scrollHeight")
        width = self.run("innerWidth")
        clip = {"x": 0, "y": top, "width": width, "height": min(height, bottom - top), "scale": 1}
        data = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)["data"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(data))
