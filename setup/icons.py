"""Draw the phone's icons anew from their SVG, for telephones that take none: .venv/bin/python -m setup.icons."""  # noqa: INP001

from pathlib import Path

from playwright.sync_api import sync_playwright

from bench import browser

STATIC = Path(__file__).parent.parent / "static"
# A telephone that rounds the corners itself gets the picture that fills its square.
ICONS = {
    "patch-180.png": ("patch-mask.svg", 180), "patch-192.png": ("patch.svg", 192), "patch-512.png": ("patch.svg", 512),
    "patch-mask-512.png": ("patch-mask.svg", 512),
}  # fmt: skip
PAGE = "<style>body {{ margin: 0 }} svg {{ display: block; width: {px}px }}</style>{svg}"


def draw() -> None:
    """Write every icon beside the SVG it comes from."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.executable(), args=browser.arguments())
        for name, (source, px) in ICONS.items():
            page = chromium.new_page(viewport={"width": px, "height": px})
            page.set_content(PAGE.format(px=px, svg=(STATIC / source).read_text("utf-8")))
            page.screenshot(path=STATIC / name, omit_background=True)


if __name__ == "__main__":
    draw()
