"""How far the packaged model's own engine lies from torch in float32: nDCG@10, vectors alone."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from bench.kb_collection import Vectors
from bench.kb_engines import Engines
from bench.kb_measure import torch
from services.kb.evaluation import DEPTH, GoldenSet, read_squad

AT_ONCE = 64


@dataclass(frozen=True)
class Precision:
    """Of one language's questions and paragraphs. `cosine`: of the same paragraph's two vectors."""

    language: str
    served_ndcg: float
    float32_ndcg: float
    cosine: float


def precision(engines: Engines, golden: Sequence[str]) -> list[Precision]:
    """Each file's questions over its own paragraphs. Files that are not SQuAD-shaped are left
    out."""
    found = []
    for path in (Path(name) for name in golden):
        if path.suffix == ".jsonl":
            continue
        squad = read_squad(orjson.loads(path.read_bytes()))
        questions = [text for text, _ in squad.questions]
        bare = torch(engines, squad.paragraphs, questions, with_vectors=True)
        passages = _served(engines, squad.paragraphs, "passage")
        served = ndcg(passages, _served(engines, questions, "query"), squad)
        exact = np.array(bare["passages"], np.float32)
        float32 = ndcg(exact, np.array(bare["queries"], np.float32), squad)
        cosine = float(np.mean((passages * exact).sum(axis=1)))
        found.append(Precision(path.stem.rpartition(".")[2], served, float32, cosine))
    return found


def ndcg(passages: Vectors, queries: Vectors, squad: GoldenSet) -> float:
    """nDCG@10 where each question has one paragraph: 1 / log2(1 + its rank)."""
    cosines = queries @ passages.T
    own = cosines[np.arange(len(queries)), [number for _, number in squad.questions]]
    ranks = 1 + (cosines > own[:, None]).sum(axis=1)
    return float(np.mean(np.where(ranks <= DEPTH, 1 / np.log2(1 + ranks), 0.0)))


def _served(engines: Engines, texts: Sequence[str], kind: str) -> Vectors:
    rows: list[Any] = []
    with engines.embedding() as client:
        for first in range(0, len(texts), AT_ONCE):
            body = {"input": list(texts[first : first + AT_ONCE]), "input_type": kind}
            answer = client.post("/v1/embeddings", json={**body, "encoding_format": "base64"})
            rows += [item["embedding"] for item in answer.raise_for_status().json()["data"]]
    return np.stack([np.frombuffer(base64.b64decode(row), "<f4") for row in rows])
