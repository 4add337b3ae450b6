"""A model on a real port that says what a script tells it to, well or badly.

    with scripted(calls(("pods.list", {"namespace": "shop"})), says("done")) as model:
        ...  # an endpoint at model.url; model.asked holds the requests

The script is replies in their order (the last one is repeated), or a function from the request to
a reply. Streams are made of the same replies where a request asks for one.
"""

import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

NAME = "scripted-small"
MOST_S = 120.0
"""How long an answer is held back."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its JSON body, and its headers in lower case."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def said(self) -> str:
        """The text of its last message."""
        return str(self.body["messages"][-1]["content"])


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent.

    Attributes:
        completion: a chat completion, sent as one body or as a stream; None to send ``raw``.
        pace_s: seconds between two pieces.
        cut: pieces after which the connection is closed, as if all were well.
        reset: whether it is closed before a word is said.
        piece: bytes of ``raw`` that are sent at once.
        goes_on: set by whoever has seen the first half; the second is sent then.
    """

    completion: Mapping[str, Any] | None = None
    raw: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pace_s: float = 0.0
    cut: int | None = None
    reset: bool = False
    piece: int = 16
    goes_on: threading.Event | None = None


Script = Callable[[Asked], Reply]


def completion(message: Mapping[str, Any], finish: str | None = "stop", **more: Any) -> Reply:
    """A well-formed completion around ``message``; ``more`` replaces parts of it."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    whole = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": NAME,
        "choices": [choice],
        "usage": usage,
    }
    return Reply({**whole, **more})


def says(text: str, finish: str | None = "stop", **more: Any) -> Reply:
    """An answer in words."""
    return completion({"content": text}, finish, **more)


def gives(value: Any) -> Reply:
    """An answer that is a JSON value."""
    return says(json.dumps(value))


def calls(*wanted: tuple[str, Any], ids: tuple[str, ...] = ()) -> Reply:
    """Tool calls: names as we call the tools, and arguments (text is sent as it is)."""
    made = [
        {
            "id": ids[at] if at < len(ids) else f"call_{at}",
            "type": "function",
            "function": {
                "name": re.sub(r"[^a-zA-Z0-9_-]", "_", name),
                "arguments": given if isinstance(given, str) else json.dumps(given),
            },
        }
        for at, (name, given) in enumerate(wanted)
    ]
    return completion({"content": None, "tool_calls": made}, "tool_calls")


def fails(status: int, error: Any = "no luck today", **headers: str) -> Reply:
    """An error as most endpoints send it: ``{"error": ...}``; bytes are sent as they are."""
    raw = error if isinstance(error, bytes) else json.dumps({"error": error}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(raw=raw, status=status, headers=named)


@dataclass(slots=True)
class ScriptedModel:
    """A running endpoint.

    Attributes:
        dropped: requests whose client went away before the end.
    """

    url: str
    script: Script
    asked: list[Asked] = field(default_factory=list)
    dropped: int = 0


@contextmanager
def scripted(
    *script: Reply | Script, tls: tuple[Path, Path] | None = None
) -> Iterator[ScriptedModel]:
    """An endpoint on a free port, ended with the block.

    Args:
        tls: files of a certificate and its key, for https.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 0

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.path, body, headers)
            with lock:
                model.asked.append(asked)
                reply = model.script(asked)
            try:
                self._send(reply, stream=bool(body.get("stream")))
            except OSError:  # the client has had enough
                model.dropped += 1
                self.close_connection = True

        def _send(self, reply: Reply, *, stream: bool) -> None:
            if reply.reset:
                self.close_connection = True
                return
            pieces = _pieces(reply, stream=stream)
            size = sum(map(len, pieces))
            self.send_response(reply.status)
            kind = "text/event-stream" if stream and reply.completion else "application/json"
            for name, value in {"Content-Type": kind, **reply.headers}.items():
                self.send_header(name, value)
            if stream:
                self.send_header("Connection", "close")
            else:
                self.send_header("Content-Length", str(size))
            self.close_connection = stream or reply.cut is not None
            self.end_headers()
            for number, piece in enumerate(pieces[: reply.cut]):
                if reply.goes_on is not None and number == len(pieces) // 2:
                    reply.goes_on.wait(MOST_S)
                self.wfile.write(piece)
                time.sleep(reply.pace_s)

        def handle(self) -> None:
            with suppress(OSError):
                super().handle()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    lock = threading.Lock()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        listener.block_on_close = False
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            listener.socket = context.wrap_socket(listener.socket, server_side=True)
        scheme = "https" if tls is not None else "http"
        url = f"{scheme}://127.0.0.1:{listener.server_port}/v1"
        model = ScriptedModel(url, _script(script))
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield model
        finally:
            listener.shutdown()
            thread.join()


def _script(given: tuple[Reply | Script, ...]) -> Script:
    turns = iter(given)
    last: list[Reply | Script] = [says("nothing is scripted")]

    def script(asked: Asked) -> Reply:
        last[0] = next(turns, last[0])
        turn = last[0]
        return turn if isinstance(turn, Reply) else turn(asked)

    return script


def _pieces(reply: Reply, *, stream: bool) -> list[bytes]:
    """The body in the pieces in which it is sent."""
    if reply.completion is None:
        return [reply.raw[at : at + reply.piece] for at in range(0, len(reply.raw), reply.piece)]
    if not stream:
        body = json.dumps(reply.completion).encode()
        return [body[at : at + 64] for at in range(0, len(body), 64)]
    return [b"data: " + event + b"\n\n" for event in (*_chunks(reply.completion), b"[DONE]")]


def _chunks(whole: Mapping[str, Any]) -> Iterator[bytes]:
    """A completion as OpenAI streams it: words one by one, arguments in halves, usage last."""

    def chunk(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return json.dumps({"object": "chat.completion.chunk", "choices": [choice]}).encode()

    for choice in filter(None, whole.get("choices") or ()):
        message = choice["message"]
        yield chunk({"role": "assistant", "content": ""})
        for word in re.findall(r"\S+\s*|\s+", message.get("content") or ""):
            yield chunk({"content": word})
        for at, call in enumerate(message.get("tool_calls") or ()):
            text = call["function"]["arguments"]
            half = len(text) // 2
            begun = {
                **call,
                "index": at,
                "function": {**call["function"], "arguments": text[:half]},
            }
            yield chunk({"tool_calls": [begun]})
            yield chunk({"tool_calls": [{"index": at, "function": {"arguments": text[half:]}}]})
        if message.get("refusal"):
            yield chunk({"refusal": message["refusal"]})
        yield chunk({}, choice["finish_reason"])
    yield json.dumps({"choices": [], "usage": whole.get("usage")}).encode()
