"""As much of an OSCAR cluster as tells its Python client which storages a service uses."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def oscar_cluster(service: str, providers: Mapping[str, Any]) -> Iterator[str]:
    """Serve the description of one service for as long as the body runs; give the address."""
    answers = {
        f"/system/services/{service}": {"storage_providers": dict(providers)},
        "/system/config/": {"minio_provider": {}},
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path)
            self.send_response(404 if answer is None else 200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *args: object) -> None:
            """The requests are the client's business."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
