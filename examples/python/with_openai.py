"""Asks with the `openai` package: all it needs is another base address.

pip install openai
python examples/python/with_openai.py "How do I back up Trivet?"

TRIVET_BASE is the stack's address, TRIVET_KEY a virtual key (sk_…) where the stack asks for one.
"""

import os
import sys

from openai import APIError, APIStatusError, OpenAI

BASE = os.environ.get("TRIVET_BASE", "http://127.0.0.1:8740")
KEY = os.environ.get("TRIVET_KEY", "anonymous")


def ask(client: OpenAI, question: str) -> None:
    """Prints the sources, then the answer as it is written."""
    stream = client.chat.completions.create(
        model="assistant/site",
        messages=[{"role": "user", "content": question}],
        stream=True,
    )
    for chunk in stream:
        # The package keeps fields that it does not know: the first chunk names the sources.
        for source in (chunk.model_extra or {}).get("citations") or []:
            print(f"[{source['index']}] {source['title']}")
        for choice in chunk.choices:
            print(choice.delta.content or "", end="", flush=True)
    print()


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} QUESTION")
    with OpenAI(base_url=f"{BASE.rstrip('/')}/v1", api_key=KEY) as client:
        try:
            ask(client, sys.argv[1])
        except APIStatusError as error:
            sys.exit(f"refused with status {error.status_code}: {error.message}")
        except APIError as error:  # also what broke after the answer had begun
            sys.exit(f"no whole answer: {error.message}")


if __name__ == "__main__":
    main()
