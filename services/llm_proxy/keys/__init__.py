"""Keys: virtual ones that callers use, and providers' own, kept encrypted."""
