"""The file store where an operator puts it: an S3-compatible server, stood in for by one that keeps a dictionary."""

import threading
from collections.abc import Iterator, MutableMapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from portal.core import files
from portal.core.files import FileMissing, Stored
from portal.core.ids import uuid7
from portal.core.settings import get_settings

OBJECTS: dict[str, bytes] = {}


class Bucket(BaseHTTPRequestHandler):
    """What a store asks of S3 for whole objects: put, get, and 404 for what is not there."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        OBJECTS[self.path] = self.rfile.read(int(self.headers["content-length"]))
        self._answer(200, b"")

    def do_GET(self) -> None:
        content = OBJECTS.get(self.path)
        self._answer(200 if content is not None else 404, content or b"<Error><Code>NoSuchKey</Code></Error>")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Sat, 28 Nov 2026 12:00:00 GMT")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *said: object) -> None:
        """Silent."""


@pytest.fixture
def bucket() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


async def test_files_are_kept_in_a_bucket_with_keys_from_the_environment(
    bucket: str, chosen_environment: MutableMapping[str, str]
) -> None:
    chosen_environment.update(
        {
            "PORTAL_FILES_URL": "s3://portal/files",
            "AWS_ENDPOINT_URL": bucket,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "eu-central-1",
        }
    )
    get_settings.cache_clear()
    files._remote.cache_clear()
    tenant_id, stored = uuid7(), Stored(b"%PDF-1.7", "application/pdf")

    digest = await files.keep(tenant_id, stored)

    assert list(OBJECTS) == [f"/portal/files/{tenant_id}/{digest}"]
    assert await files.fetch(tenant_id, digest) == stored.content
    with pytest.raises(FileMissing):
        await files.fetch(uuid7(), digest)
