"""The browser that tests and measurements look at pages with: Chromium of the system, or the one that is named."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
ON_MACOS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)


def executable() -> str | None:
    """Name its program: SHAOTU_BROWSER, or the first that is installed; None leaves the choice to Playwright."""
    named = os.environ.get("SHAOTU_BROWSER")
    on_path = (found for name in NAMES if (found := shutil.which(name)))
    return named or next(on_path, None) or next((str(path) for path in ON_MACOS if path.exists()), None)


def arguments() -> list[str]:
    """Return what it is started with: containers have little shared memory, and its sandbox refuses to run as root."""
    return ["--disable-dev-shm-usage", *([] if os.getuid() else ["--no-sandbox"])]
