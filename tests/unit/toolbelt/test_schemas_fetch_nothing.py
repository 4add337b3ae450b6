"""A schema that refers to elsewhere is never followed: third parties write them."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from aiops.errors import ToolFailed
from aiops.model.canonical import canonical
from aiops.model.tool import ToolSpec
from aiops.toolbelt.schemas import Schemas


@pytest.fixture
def asked():
    """Paths that somebody asked a local server for; and its port."""
    paths: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"type": "string"}')

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield paths, server.server_port
        server.shutdown()
        thread.join()


def test_a_reference_to_elsewhere_is_refused_and_not_fetched(asked):
    paths, port = asked
    away = {"type": "object", "properties": {"x": {"$ref": f"http://127.0.0.1:{port}/schema"}}}
    spec = ToolSpec(
        name="other.tool",
        description="Reads.",
        arguments=canonical({"type": "object"}),
        result=canonical(away),
        effect="read",
        capability="probe",
    )
    with pytest.raises(ToolFailed, match="refers to what is not there"):
        Schemas(spec).check_result('{"x":"y"}')
    assert paths == []
