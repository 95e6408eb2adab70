"""The local model's own process: a small chat model out of a package, behind OpenAI's API.

It is there so that the stack answers for real without a key or a network. SmolLM2-135M answers a
one-fact question from a given passage, no more.
"""
