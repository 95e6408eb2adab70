"""PNG → WebP, by the browser that is there anyway; GitHub and every browser show it."""

from __future__ import annotations

import base64

from playwright.sync_api import Page

MAX_BYTES = 150_000
_QUALITIES = (0.9, 0.8, 0.7, 0.6, 0.5)
_ENCODE = """
async ([png, quality]) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d").drawImage(image, 0, 0);
  const webp = await canvas.convertToBlob({ type: "image/webp", quality });
  return btoa(Array.from(new Uint8Array(await webp.arrayBuffer()), (byte) =>
    String.fromCharCode(byte)).join(""));
}
"""


def shrunk(blank: Page, png: bytes) -> bytes:
    """The picture as WebP, as good as `MAX_BYTES` allow. `blank`: a page without a policy."""
    encoded = base64.b64encode(png).decode()
    for quality in _QUALITIES:
        webp = base64.b64decode(blank.evaluate(_ENCODE, [encoded, quality]))
        if len(webp) <= MAX_BYTES:
            return webp
    raise AssertionError(f"a picture of {len(png)} bytes does not become small enough")
