"""Finds a Chromium for the browser tests, or installs it: `python tests/find_browser.py [--install]` says where."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """The path of a Chromium of the system, else of Playwright's own, else None."""
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    return _browser_of_playwright()


def _browser_of_playwright() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return str(path) if path.is_file() else None


def install_browser() -> None:
    """Debian's package and a Chinese font where we may, else Playwright's download."""
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        packages = ("chromium", "fonts-noto-cjk")
        subprocess.run(("apt-get", "update", "-q"), check=True, env=quiet)
        subprocess.run(("apt-get", "install", "-y", "-q", "--no-install-recommends", *packages), check=True, env=quiet)
        return
    subprocess.run((sys.executable, "-m", "playwright", "install", "chromium"), check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", action="store_true", help="install a Chromium where none is found")
    arguments = parser.parse_args()
    path = find_browser()
    if path is None and arguments.install:
        install_browser()
        path = find_browser()
    if path is None:
        print("No Chromium found. Run `python tests/find_browser.py --install`.", file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
