"""Asks with Python's standard library alone.

python examples/python/with_stdlib.py "How do I back up Trivet?"

TRIVET_BASE is the stack's address, TRIVET_KEY a virtual key (sk_…) where the stack asks for one.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

BASE = os.environ.get("TRIVET_BASE", "http://127.0.0.1:8740")
KEY = os.environ.get("TRIVET_KEY", "anonymous")
_SECONDS = 120  # of silence, not of the whole answer: heartbeats come in between


def events_of(lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """(name, data) of each event of a stream; lines that begin with ":" are heartbeats."""
    name, data = "message", []
    for raw in lines:
        field, _, value = raw.decode().rstrip("\r\n").partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif not field and not value:  # a blank line ends the event
            if data:
                yield name, "\n".join(data)
            name, data = "message", []


def ask(question: str) -> None:
    """Prints the sources, then the answer as it is written."""
    messages = [{"role": "user", "content": question}]
    body = {"model": "assistant/site", "messages": messages, "stream": True}
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    address = f"{BASE.rstrip('/')}/v1/chat/completions"
    request = Request(address, json.dumps(body).encode(), headers)  # noqa: S310  # your address
    with urlopen(request, timeout=_SECONDS) as response:  # noqa: S310
        for name, data in events_of(response):
            if data == "[DONE]":
                print()
                return
            show(name, json.loads(data))
    sys.exit("no whole answer: it broke off")


def show(name: str, chunk: dict[str, Any]) -> None:
    """Prints what one event says."""
    if name == "error":
        sys.exit(f"no whole answer: {chunk['error']['message']}")
    for source in chunk.get("citations") or []:
        print(f"[{source['index']}] {source['title']}")
    for choice in chunk.get("choices", []):
        print(choice["delta"].get("content") or "", end="", flush=True)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} QUESTION")
    try:
        ask(sys.argv[1])
    except HTTPError as error:
        message = json.load(error)["error"]["message"]
        sys.exit(f"refused with status {error.code}: {message}")
    except URLError as error:
        sys.exit(f"{BASE} cannot be reached: {error.reason}")


if __name__ == "__main__":
    main()
