"""The embedding model in a process of its own, behind OpenAI's `POST /v1/embeddings`.

kb itself stays thin: torch and the weights (about 700 MB) live here alone.
"""
