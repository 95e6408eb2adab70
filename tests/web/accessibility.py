"""axe-core's judgement of a page: https://github.com/dequelabs/axe-core"""

from __future__ import annotations

from playwright.sync_api import Page

from scripts.stack.places import ROOT

_AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def faults(page: Page) -> list[str]:
    """What is serious or worse, with the elements that it concerns; shadow roots included."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{fault['id']}: {fault['help']} {[node['target'] for node in fault['nodes']]}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
