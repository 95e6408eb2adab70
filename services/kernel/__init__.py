"""What at least two services import. Imports none of them."""

VERSION = "0.1.0"
