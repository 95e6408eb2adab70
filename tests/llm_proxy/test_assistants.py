"""Assistants: searched, answered with sources, honest when there are none."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
import yaml

from services.kernel.errors import ConfigurationError
from services.kernel.sse import SseParser
from services.llm_proxy.assistants import language_of, parse_assistants
from tests.llm_proxy.conftest import ASSISTANTS, Gateway, Start, chat_body, events_of, text_of
from tests.support.wait import until

pytestmark = pytest.mark.process

PASSAGES = [
    {
        "id": "doc-1",
        "title": "Backup",
        "content": "Stop everything, copy data/, start again. " * 40,
        "snippet": "Stop, copy data/.",
        "url": "https://docs.example/backup",
        "source": "guide/backup.md#how",
        "relevance_score": 0.91,
        "metadata": {},
    },
    {"id": "doc-2", "title": "Restore", "content": "Copy it back.", "relevance_score": 0.5},
]
CITATIONS = [
    {
        "index": 1,
        "id": "doc-1",
        "title": "Backup",
        "url": "https://docs.example/backup",
        "source": "guide/backup.md#how",
        "snippet": "Stop, copy data/.",
        "relevance_score": 0.91,
    },
    {
        "index": 2,
        "id": "doc-2",
        "title": "Restore",
        "url": "",
        "source": "",
        "snippet": "",
        "relevance_score": 0.5,
    },
]


def ask(gateway: Gateway, text: str = "How do I back up?", **more: Any) -> Any:
    return gateway.post("/v1/chat/completions", chat_body("assistant/site", text, **more))


def ask_english(gateway: Gateway, text: str, **more: Any) -> Any:
    return gateway.post("/v1/chat/completions", chat_body("assistant/english", text, **more))


def test_an_answer_names_its_sources(start: Start) -> None:
    with start() as gateway:
        gateway.neighbours.passages = PASSAGES
        body = ask(gateway).json()
        assert body["choices"][0]["message"]["content"] == "Hello 世界!"
        assert body["choices"][0]["message"]["citations"] == CITATIONS
        search = gateway.neighbours.searches[-1]
        assert search == {
            "queries": ["How do I back up?"],
            "collection": "site",
            "top_k": 4,
            "min_score": 0.25,
        }


def test_a_streams_first_chunk_carries_the_sources_and_the_rest_is_the_models(
    start: Start,
) -> None:
    with start() as gateway:
        gateway.neighbours.passages = PASSAGES
        response = ask(gateway, stream=True)
        chunks = [data for _, data in events_of(response) if isinstance(data, dict)]
        assert chunks[0]["citations"] == CITATIONS
        assert chunks[0]["object"] == "chat.completion.chunk"
        assert chunks[0]["id"] == chunks[1]["id"] == "chatcmpl-vendor"
        assert not any("citations" in chunk for chunk in chunks[1:])
        assert text_of(response) == "Hello 世界!"
        event = gateway.neighbours.event_of(response.headers["x-request-id"])
        assert event["attributes"]["trivet.assistant"] == "site"
        assert event["attributes"]["trivet.citations"] == ["doc-1", "doc-2"]
        assert event["attributes"]["gen_ai.request.model"] == "words"


@pytest.mark.parametrize("stream", [True, False])
def test_the_body_and_the_header_name_the_model_that_answered(start: Start, stream: bool) -> None:
    with start() as gateway:
        gateway.neighbours.passages = PASSAGES
        direct = gateway.chat("openai/words").json()["model"]
        response = ask(gateway, stream=stream)
        assert response.headers["x-trivet-model"] == "openai/words"
        if stream:
            chunks = [data for _, data in events_of(response) if isinstance(data, dict)]
            assert {chunk["model"] for chunk in chunks} == {direct}
        else:
            assert response.json()["model"] == direct


@pytest.mark.parametrize("stream", [True, False])
def test_a_model_without_the_language_leaves_the_word_to_the_passage(
    start: Start, stream: bool
) -> None:
    with start() as gateway:
        gateway.neighbours.passages = PASSAGES
        asked = len(gateway.vendor.requests)
        response = ask_english(gateway, "如何备份？", stream=stream)
        if stream:
            chunks = [data for _, data in events_of(response) if isinstance(data, dict)]
            text, citations = text_of(response), chunks[0]["citations"]
        else:
            message = response.json()["choices"][0]["message"]
            text, citations = message["content"], message["citations"]
        assert citations == CITATIONS[:1]
        assert "Stop everything, copy data/" in text
        assert "原文" in text
        assert len(gateway.vendor.requests) == asked
        english = ask_english(gateway, "How do I back up?").json()
        prompt = gateway.vendor.requests[-1].body["messages"][-1]["content"]
        assert "Stop everything" in prompt
        assert "Copy it back." not in prompt
        assert english["choices"][0]["message"]["content"] == "Hello 世界!"


@pytest.mark.parametrize(
    ("question", "word"), [("How do I back up?", "Text:"), ("如何备份 data 目录？", "资料：")]
)
def test_the_prompt_speaks_the_questions_language_and_holds_the_passages(
    start: Start, question: str, word: str
) -> None:
    with start() as gateway:
        gateway.neighbours.passages = PASSAGES
        history = [
            {"role": "system", "content": "You are a pirate."},
            {"role": "user", "content": "x" * 5000},
            {"role": "assistant", "content": "Aye."},
            {"role": "user", "content": question},
        ]
        asked = {
            "model": "assistant/site",
            "messages": history,
            "temperature": 2,
            "max_tokens": 100000,
            "tools": [{"type": "function", "function": {"name": "steal"}}],
        }
        assert gateway.post("/v1/chat/completions", asked).status_code == 200
        sent = gateway.vendor.requests[-1].body
        assert "tools" not in sent
        assert sent["temperature"] == 0.2
        assert sent["max_tokens"] == 400
        roles = [message["role"] for message in sent["messages"]]
        assert roles == ["system", "user", "assistant", "user"]
        assert "pirate" not in str(sent)
        last = sent["messages"][-1]["content"]
        assert word in last
        assert question in last
        assert "Copy it back." in last
        assert len(str(sent)) < 3000


@pytest.mark.parametrize(
    ("question", "answer"),
    [("What is the moon made of?", "I found nothing"), ("月亮是什么做的？", "没有找到")],
)
@pytest.mark.parametrize("stream", [True, False])
def test_when_nothing_is_found_it_says_so_and_asks_no_model(
    start: Start, question: str, answer: str, stream: bool
) -> None:
    with start() as gateway:
        seen = len(gateway.vendor.requests)
        response = ask(gateway, question, stream=stream)
        assert response.status_code == 200
        if stream:
            assert answer in text_of(response)
            events = events_of(response)
            assert events[0][1]["citations"] == []
            assert events[-1] == ("message", "[DONE]")
        else:
            message = response.json()["choices"][0]["message"]
            assert answer in message["content"]
            assert message["citations"] == []
        assert len(gateway.vendor.requests) == seen
        event = gateway.neighbours.event_of(response.headers["x-request-id"])
        assert event["attributes"]["trivet.citations"] == []
        assert event["attributes"]["trivet.usage_source"] == "none"


def conversation(*said: str) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": text} for n, text in enumerate(said)]


def follow_up(gateway: Gateway, *said: str, assistant: str = "site", **more: Any) -> Any:
    body = {"model": f"assistant/{assistant}", "messages": conversation(*said), **more}
    return gateway.post("/v1/chat/completions", body)


def ids_of(response: Any) -> list[str]:
    return [one["id"] for one in response.json()["choices"][0]["message"]["citations"]]


BACKUP = "How do I back up the knowledge base?"


def test_a_follow_up_question_is_searched_with_the_conversation_in_mind(start: Start) -> None:
    with start() as gateway:
        gateway.neighbours.found = {BACKUP: PASSAGES, "how often": [{"id": "noise"}]}
        response = follow_up(gateway, BACKUP, "Copy data/.", "And how often?")
        [search] = gateway.neighbours.searches
        assert search["queries"] == [f"{BACKUP}\nAnd how often?", "And how often?"]
        assert ids_of(response) == ["doc-1", "noise", "doc-2"]


def test_a_question_that_stands_alone_is_searched_alone_unless_it_finds_nothing(
    start: Start,
) -> None:
    ports = "Which ports does Trivet use by default?"
    restore = "Restoring needs which permissions on a server?"
    with start() as gateway:
        gateway.neighbours.found = {ports: PASSAGES[1:], BACKUP: PASSAGES[:1]}
        assert ids_of(follow_up(gateway, BACKUP, "Copy data/.", ports)) == ["doc-2"]
        assert [one["queries"] for one in gateway.neighbours.searches] == [[ports]]
        assert ids_of(follow_up(gateway, BACKUP, "Copy data/.", restore)) == ["doc-1"]
        asked = [one["queries"] for one in gateway.neighbours.searches[1:]]
        assert asked == [[restore], [f"{BACKUP}\n{restore}"]]


def test_a_follow_up_that_finds_nothing_is_answered_honestly(start: Start) -> None:
    with start() as gateway:
        response = follow_up(gateway, BACKUP, "Copy data/.", "And how often?")
        assert "I found nothing" in response.text
        assert ids_of(response) == []


def test_a_model_may_rewrite_the_question_and_what_it_took_is_counted(start: Start) -> None:
    with start() as gateway:
        gateway.neighbours.passages = PASSAGES
        response = follow_up(gateway, BACKUP, "Copy data/.", "Why?", assistant="rewriting")
        assert response.status_code == 200
        assert gateway.neighbours.searches[-1]["queries"] == ["Hello 世界!"]
        asked, answered = gateway.vendor.requests[-2:]
        assert asked.path == "/anthropic/v1/messages"
        assert BACKUP in asked.body["messages"][0]["content"]
        assert answered.body["messages"][-1]["content"].endswith("Question: Why?")
        event = gateway.neighbours.event_of(response.headers["x-request-id"])["attributes"]
        assert event["gen_ai.usage.input_tokens"] == 18
        assert event["gen_ai.usage.output_tokens"] == 6
        assert event["gen_ai.request.model"] == "words"
        first = ask(gateway, "How do I back up?")
        assert first.status_code == 200
        assert gateway.neighbours.searches[-1]["queries"] == ["How do I back up?"]


def test_a_question_that_could_not_be_rewritten_is_searched_as_any_other(start: Start) -> None:
    with start() as gateway:
        gateway.neighbours.passages = PASSAGES
        response = follow_up(gateway, BACKUP, "Copy data/.", "Why?", assistant="unlucky")
        assert response.status_code == 200
        assert gateway.neighbours.searches[-1]["queries"] == ["Why?", f"{BACKUP}\nWhy?"]


@pytest.mark.parametrize("stream", [True, False])
def test_a_prompt_that_is_too_long_for_the_model_is_trimmed_and_it_says_so(
    start: Start, stream: bool
) -> None:
    with start() as gateway:
        gateway.neighbours.passages = PASSAGES
        said = [f"{n} " + "word " * 60 for n in range(6)]
        response = follow_up(gateway, *said, "Why?", assistant="small", stream=stream)
        assert response.status_code == 200
        if stream:
            first = events_of(response)[0][1]
            trimmed, citations = first["trivet"]["trimmed"], first["citations"]
        else:
            message = response.json()["choices"][0]["message"]
            trimmed, citations = message["trivet"]["trimmed"], message["citations"]
        assert trimmed == {"messages": 6, "passages": 1, "shortened": True}
        assert response.headers["x-trivet-trimmed"] == "messages=6, passages=1, shortened=1"
        assert [one["id"] for one in citations] == ["doc-1"]
        sent = gateway.vendor.requests[-1].body
        assert [message["role"] for message in sent["messages"]] == ["system", "user"]
        assert sent["max_tokens"] == 256
        assert "Copy it back." not in str(sent)
        event = gateway.neighbours.event_of(response.headers["x-request-id"])
        assert event["attributes"]["trivet.citations"] == ["doc-1"]


def test_what_was_not_trimmed_is_not_spoken_of(start: Start) -> None:
    with start() as gateway:
        gateway.neighbours.passages = PASSAGES[1:]
        response = follow_up(gateway, "One?", "Two.", "Three?", assistant="small")
        assert "x-trivet-trimmed" not in response.headers
        assert "trivet" not in response.json()["choices"][0]["message"]
        assert len(gateway.vendor.requests[-1].body["messages"]) == 4


def test_a_question_that_is_too_long_for_the_model_is_the_callers_error(start: Start) -> None:
    with start() as gateway:
        gateway.neighbours.passages = PASSAGES
        response = follow_up(gateway, "word " * 300, assistant="small")
        assert response.status_code == 400
        assert "too long" in response.json()["error"]["message"]


@pytest.mark.parametrize("wanted", [True, False])
def test_an_answer_without_a_model_tells_its_usage_where_that_is_asked_for(
    start: Start, wanted: bool
) -> None:
    with start() as gateway:
        response = ask(gateway, stream=True, stream_options={"include_usage": wanted})
    chunks = [data for _, data in events_of(response) if isinstance(data, dict)]
    assert "I found nothing" in text_of(response)
    nothing = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    assert [chunk["usage"] for chunk in chunks if not chunk["choices"]] == [nothing] * wanted


@pytest.fixture
def beating(start: Start) -> Iterator[Gateway]:
    """A gateway whose heart beats fast, beside a kb that is busy."""
    with start(LLM_PROXY_HEARTBEAT_SECONDS="0.05") as gateway:
        gateway.neighbours.passages = PASSAGES
        gateway.neighbours.busy = True
        yield gateway


@contextmanager
def waiting_for_kb(gateway: Gateway) -> Iterator[Iterator[bytes]]:
    """A stream that has begun with a heartbeat while kb still searches; its further bytes."""
    body = chat_body("assistant/site", "How do I back up?", stream=True)
    with (
        gateway.client() as client,
        client.stream("POST", "/v1/chat/completions", json=body) as response,
    ):
        assert response.status_code == 200
        pieces = response.iter_raw()
        assert next(pieces) == b": keep-alive\n\n"
        assert gateway.neighbours.waiting == 1
        yield pieces


def test_hearts_beat_while_kb_searches(beating: Gateway) -> None:
    with waiting_for_kb(beating) as pieces:
        beating.neighbours.busy = False
        said = b"".join(pieces)
    assert b'"citations"' in said
    assert said.endswith(b"data: [DONE]\n\n")


def test_a_search_that_fails_after_a_heartbeat_is_an_event(beating: Gateway) -> None:
    with waiting_for_kb(beating) as pieces:
        beating.neighbours.kb_status = 500
        beating.neighbours.busy = False
        said = b"".join(pieces)
    [event] = [event for event in SseParser().feed(said) if event.data]
    assert event.event == "error"
    assert orjson.loads(event.data)["error"]["type"] == "overloaded_error"
    request_id = orjson.loads(event.data)["error"]["request_id"]
    attributes = beating.neighbours.event_of(request_id)["attributes"]
    assert attributes["http.response.status_code"] == 200
    assert attributes["error.type"] == "overloaded_error"


def test_what_is_said_without_a_model_may_follow_heartbeats(beating: Gateway) -> None:
    with waiting_for_kb(beating) as pieces:
        beating.neighbours.passages = []
        beating.neighbours.busy = False
        said = b"".join(pieces)
    assert "I found nothing" in said.decode()
    assert said.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("kb_status", [500, 503, 429])
def test_when_kb_is_down_it_is_a_plain_503(start: Start, kb_status: int) -> None:
    with start() as gateway:
        gateway.neighbours.kb_status = kb_status
        response = ask(gateway, stream=True)
        assert response.status_code == 503
        assert response.json()["error"]["type"] == "overloaded_error"
        assert "knowledge base" in response.json()["error"]["message"]
        assert int(response.headers["retry-after"]) >= 1
        gateway.neighbours.kb_status = 404  # the collection is not there yet
        assert "I found nothing" in ask(gateway).text


def test_when_kb_cannot_be_reached_models_still_answer(start: Start) -> None:
    with start(TRIVET_KB_URLS="http://127.0.0.1:9") as gateway, gateway.client() as client:
        assert ask(gateway).status_code == 503
        assert gateway.chat("openai/words").status_code == 200
        ready = client.get("/readyz")
        assert ready.status_code == 200
        assert ready.json()["status"] == "degraded"
        assert ready.json()["checks"]["kb"]["ok"] is False


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "assistant", "content": "I say."}],
        [{"role": "user", "content": "a question"}, {"role": "assistant", "content": "no"}],
        [{"role": "user", "content": "x" * 2001}],
    ],
)
def test_it_wants_a_question_of_bounded_length(
    gateway: Gateway, messages: list[dict[str, str]]
) -> None:
    response = gateway.post(
        "/v1/chat/completions", {"model": "assistant/site", "messages": messages}
    )
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "messages"


def test_an_upstreams_error_is_told_as_for_any_chat(start: Start) -> None:
    with start() as gateway:
        gateway.neighbours.passages = PASSAGES
        path = gateway.folder / "assistants.yaml"
        file = yaml.safe_load(path.read_text(encoding="utf-8"))
        file["assistants"]["site"]["model"] = "openai/silent"
        path.write_text(yaml.safe_dump(file, allow_unicode=True), encoding="utf-8")
        gateway.app.state.assistants.refresh()
        assert ask(gateway, stream=True).status_code == 504


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("如何备份？", "zh"),
        ("How?", "en"),
        ("如何重启 PM2 里的 trivet-kb", "zh"),
        ("What does 备份 mean in the documentation of this product", "en"),
        ("?!", "en"),
    ],
)
def test_the_language_of_a_question(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{question}", "nothing", "assistants.site.question"),
        ("top_k: 4", "top_k: many", "assistants.site.top_k"),
        ("top_k: 4", "top_q: 2", "assistants.site.top_q"),
        ("assistants:", "assistants: [", "no valid YAML"),
    ],
)
def test_a_broken_file_is_refused_with_the_place(old: str, new: str, words: str) -> None:
    text = ASSISTANTS.read_text(encoding="utf-8").replace(old, new)
    with pytest.raises(ConfigurationError, match=words):
        parse_assistants(text, {})


def test_a_changed_file_is_taken_and_a_broken_one_leaves_the_old(start: Start) -> None:
    with start() as gateway, gateway.client() as client:
        path = gateway.folder / "assistants.yaml"
        file = yaml.safe_load(path.read_text(encoding="utf-8"))
        file["assistants"]["brandnew"] = file["assistants"]["site"]

        def has_brandnew() -> bool:
            listed = client.get("/v1/models").json()["data"]
            return "assistant/brandnew" in [item["id"] for item in listed]

        def problem() -> str:
            check = client.get("/readyz").json()["checks"]["assistants"]
            return "" if check["ok"] else str(check["detail"])

        path.write_text(yaml.safe_dump(file), encoding="utf-8")
        until(has_brandnew, 5, "the new file is in force")
        file["assistants"]["brandnew"] = {**file["assistants"]["site"], "top_k": 0}
        path.write_text(yaml.safe_dump(file), encoding="utf-8")
        until(problem, 5, "the break is told")
        assert "the old one stays in force" in problem()
        assert "assistants.brandnew.top_k" in problem()
        assert client.get("/readyz").status_code == 200
        assert has_brandnew()
        file["assistants"]["brandnew"] = {**file["assistants"]["site"], "model": "keyless/words"}
        path.write_text(yaml.safe_dump(file), encoding="utf-8")
        until(lambda: "NOBODY_SETS_THIS" in problem(), 5, "a model that cannot be called is told")
        del file["assistants"]["brandnew"]
        path.write_text(yaml.safe_dump(file), encoding="utf-8")
        until(lambda: not problem(), 5, "the mended file is in force")
        assert not has_brandnew()
