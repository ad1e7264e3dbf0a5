"""A small HTTP client: one keep-alive connection a client, as little work as possible beside the server it loads."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

HOST = "127.0.0.1"


class Answer(NamedTuple):
    """What the server said."""

    status: int
    head: bytes
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str:
        """One header's value, or an empty text."""
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return ""


def request(method: str, path: str, headers: dict[str, str], body: Any = None) -> bytes:
    """The bytes of one request, made before the clock runs."""
    content = b"" if body is None else json.dumps(body, default=str).encode()
    lines = [f"{method} {path} HTTP/1.1", f"host: {HOST}", *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None:
        lines += ["content-type: application/json", f"content-length: {len(content)}"]
    elif method != "GET":
        lines.append("content-length: 0")
    return "\r\n".join([*lines, "", ""]).encode() + content


class Client:
    """One connection, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, raw: bytes) -> Answer:
        """Send a request and read its whole answer."""
        self._writer.write(raw)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        begin = lower.index(b"content-length:") + 15
        length = int(lower[begin : lower.index(b"\r\n", begin)])
        return Answer(int(head[9:12]), head, await self._reader.readexactly(length) if length else b"")

    async def good(self, raw: bytes) -> Answer:
        """An answer that must be a success."""
        answer = await self.send(raw)
        if not 200 <= answer.status < 300:
            first = raw.split(b"\r\n", 1)[0].decode()
            raise RuntimeError(f"{first} answered {answer.status}: {answer.body[:600].decode(errors='replace')}")
        return answer

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def clients(port: int, count: int) -> AsyncIterator[list[Client]]:
    """So many open connections."""
    opened = [Client(*await asyncio.open_connection(HOST, port, limit=2**22)) for _ in range(count)]
    try:
        yield opened
    finally:
        for client in opened:
            client.close()


async def burst(fleet: Sequence[Client], requests: Sequence[bytes]) -> list[float]:
    """Send all requests, each client its share one after the other. Returns each answer's seconds."""

    async def one(client: Client, share: Sequence[bytes]) -> list[float]:
        times = []
        for raw in share:
            begin = time.perf_counter()
            await client.good(raw)
            times.append(time.perf_counter() - begin)
        return times

    shares = [requests[n :: len(fleet)] for n in range(len(fleet))]
    taken = await asyncio.gather(*(one(client, share) for client, share in zip(fleet, shares, strict=True)))
    return [seconds for times in taken for seconds in times]
