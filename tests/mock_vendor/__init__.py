"""A stand-in for the vendors' clouds: real sockets, and every trap that vendors are known for.

    with running_vendor() as vendor:
        vendor.ark, vendor.openai, vendor.deepseek, vendor.anthropic  # base URLs
    vendor.compat, vendor.dashscope  # base URLs, too
        vendor.requests      # what has been asked: method, path, headers, body
        vendor.open_streams  # how many answers are being given right now

What happens is chosen by the model's name (for an application by its id), for example `words`,
`words:count=50:delay_ms=20`, `fail:code=QuotaExceeded`, `cut:after=2`: see `behaviour.py`.
"""

from tests.mock_vendor.server import SeenRequest, Vendor, running_vendor

__all__ = ["SeenRequest", "Vendor", "running_vendor"]
