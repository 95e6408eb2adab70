"""The embedder as a process with the packaged model, by OpenAI's API."""

import base64
import struct
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.kb import processes
from tests.kb.conftest import EmbedderProcess
from tests.support.ports import free_port


@pytest.fixture(scope="module")
def client(embedder: EmbedderProcess) -> Iterator[httpx.Client]:
    token = (embedder.data_dir / "service-token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(
        base_url=embedder.base_url, headers=headers, timeout=30, trust_env=False
    ) as client:
        yield client


def vectors(client: httpx.Client, texts: list[str], input_type: str) -> np.ndarray:
    body = {"input": texts, "input_type": input_type}
    response = client.post("/v1/embeddings", json=body)
    response.raise_for_status()
    return np.array([item["embedding"] for item in response.json()["data"]])


def test_it_says_what_its_vectors_depend_on(client: httpx.Client) -> None:
    (model,) = client.get("/v1/models").json()["data"]
    assert model["id"] == "multilingual-e5-small"
    assert (model["dimensions"], model["max_tokens"]) == (384, 512)
    assert (model["query_prefix"], model["passage_prefix"]) == ("query: ", "passage: ")
    assert len(model["revision"]) == 64
    assert model["key"]


def test_a_question_lies_nearest_to_its_answer_in_either_language(client: httpx.Client) -> None:
    passages = [
        "To back up, stop the program, copy the folder data and start it again.",
        "The office is open from nine to five on weekdays.",
        "备份的方法是先停止程序，复制数据目录，再重新启动。",
        "办公室工作日九点到五点开放。",
    ]
    questions = [
        "How do I make a backup?",
        "如何备份数据？",
        "When is the office open?",
        "几点上班？",
    ]
    cosines = vectors(client, questions, "query") @ vectors(client, passages, "passage").T
    english, chinese = cosines[:, [0, 1]], cosines[:, [2, 3]]
    assert english.argmax(axis=1).tolist() == [0, 0, 1, 1]
    assert chinese.argmax(axis=1).tolist() == [0, 0, 1, 1]


def test_vectors_have_length_one_and_the_prefix_counts(client: httpx.Client) -> None:
    query, passage = (vectors(client, ["备份"], kind) for kind in ("query", "passage"))
    assert np.linalg.norm(query) == pytest.approx(1, abs=1e-5)
    assert float((query @ passage.T)[0, 0]) < 0.99
    typed = vectors(client, ["query: 备份"], "query")
    assert float((query @ typed.T)[0, 0]) < 0.9999, "the prefix is added, not recognised"


def test_many_texts_come_back_in_their_order(client: httpx.Client) -> None:
    texts = [f"number {n} " * (1 + 7 * n % 11) for n in range(9)]
    together = vectors(client, texts, "passage")
    alone = np.concatenate([vectors(client, [text], "passage") for text in texts])
    assert np.abs(together - alone).max() < 1e-3


def test_base64_holds_the_same_floats(client: httpx.Client) -> None:
    body = {"input": "one text", "encoding_format": "base64", "model": "multilingual-e5-small"}
    answer = client.post("/v1/embeddings", json=body).json()
    raw = base64.b64decode(answer["data"][0]["embedding"])
    assert np.allclose(struct.unpack("<384f", raw), vectors(client, ["one text"], "query")[0])
    assert answer["usage"]["prompt_tokens"] > 2


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"input": "x", "model": "other"}, 404, "model"),
        ({"input": "x", "dimensions": 8}, 422, "dimensions"),
        ({"input": []}, 422, None),
        ({"input": [""]}, 422, None),
        ({"input": [[1, 2]]}, 422, None),
        ({"input": ["x"] * 257}, 422, None),
        ({}, 422, "input"),
    ],
)
def test_what_it_cannot_embed_is_refused(
    client: httpx.Client, body: dict[str, object], status: int, param: str | None
) -> None:
    response = client.post("/v1/embeddings", json=body)
    assert response.status_code == status
    error = response.json()["error"]
    assert error["code"] == status
    assert param is None or error["param"] == param


def test_a_text_beyond_the_models_limit_is_cut(client: httpx.Client) -> None:
    answer = client.post("/v1/embeddings", json={"input": "备份数据" * 20_000}).json()
    assert answer["usage"]["prompt_tokens"] == 512


def test_strangers_are_refused(embedder: EmbedderProcess) -> None:
    for path, method in (("/v1/models", "GET"), ("/v1/embeddings", "POST")):
        response = httpx.request(method, embedder.base_url + path, trust_env=False)
        assert response.status_code == 401


def test_a_bad_model_path_ends_the_process_with_78(tmp_path: Path) -> None:
    environ = {
        "TRIVET_DATA_DIR": str(tmp_path),
        "KB_EMBEDDER_PORT": str(free_port()),
        "KB_MODEL_PATH": str(tmp_path),
    }
    log = tmp_path / "log"
    command = processes.python("-m", "services.kb.embedder")
    with processes.process(command, environ, log) as started:
        assert started.wait(30) == 78
    assert "KB_MODEL_PATH" in log.read_text()


def test_tokens_are_counted_as_the_model_reads_them(client: httpx.Client) -> None:
    texts = ["What is a trivet?", "三足之鼎立于火上。", ""]
    answer = client.post("/v1/tokens", json={"input": texts}).json()
    assert answer["tokens"][2] == 0
    for text, tokens in zip(texts[:2], answer["tokens"], strict=False):
        body = {"input": text, "input_type": "passage"}
        used = client.post("/v1/embeddings", json=body).json()["usage"]["prompt_tokens"]
        assert abs(used - answer["overhead_tokens"] - tokens) <= 1
    assert answer["max_tokens"] == 512
