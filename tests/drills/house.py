"""A portal of its own for drills: PostgreSQL, Valkey, web server and worker as processes that can be killed."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from portal.core.embedded import Postgres, Valkey, start_postgres, start_valkey
from portal.core.launch import die_with_parent
from portal.core.roles import FACTORY, IDENTITY, OWNER, PARTNER
from portal.core.settings import Settings, variable

DATABASE = "portal"
PATIENCE = 60.0  # seconds in which a part must be back
ROOT = Path(__file__).parent.parent.parent


class House:
    """The four parts over one data folder. `kill` is kill -9 and the start after it."""

    def __init__(self, data: Path, mail_url: str | None = None) -> None:
        self.data = data
        self.mail_url = mail_url
        self.postgres: Postgres = start_postgres(data)
        self.valkey: Valkey = start_valkey(data)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._parts: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> Settings:
        """Complete settings; they stay the same over every restart."""
        return Settings(
            data=self.data,
            database_url=self.postgres.url(OWNER, DATABASE),
            database_factory_url=self.postgres.url(FACTORY, DATABASE),
            database_partner_url=self.postgres.url(PARTNER, DATABASE),
            database_identity_url=self.postgres.url(IDENTITY, DATABASE),
            redis_url=self.valkey.url,
            secret_key="a key that signs nothing but the forms of drills",
            port=self.port,
            log_level="warning",
            smtp_url=self.mail_url,
            mail_from="Calloff <portal@example.com>",
        )

    def start(self, part: str) -> None:
        command = {
            "web": ["-m", "portal.cli", "serve"],
            "worker": ["-m", "tests.drills.worker"],
            "bot": ["-m", "portal.cli", "bot"],
        }[part]
        settings = self.settings
        ours = {
            variable(name): str(value)
            for name in Settings.model_fields
            if (value := getattr(settings, name)) not in ("", None)
        }
        others = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
        parent = os.getpid()
        with self.log(part).open("ab") as output:
            self._parts[part] = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env={**others, **ours},
                stdout=output,
                stderr=output,
                preexec_fn=lambda: die_with_parent(parent, signal.SIGKILL),  # also when the drill itself is killed
            )

    def kill(self, part: str) -> None:
        """kill -9, and start again."""
        match part:
            case "postgres":
                assert self.postgres.process is not None
                _kill(self.postgres.process)
                self.postgres = start_postgres(self.data)
            case "valkey":
                assert self.valkey.process is not None
                _kill(self.valkey.process)
                self.valkey = start_valkey(self.data)
            case _:
                _kill(self._parts[part])
                self.start(part)

    def ready(self) -> bool:
        assert self._parts["web"].poll() is None, self.said("web")
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        return False

    def wait(self, condition: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"{otherwise}\n{self.said('web')}\n{self.said('worker')}"
            time.sleep(0.05)

    def close(self) -> None:
        """Stop everything that still runs, politely."""
        for process in self._parts.values():
            process.terminate()
        for process in self._parts.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            _kill(process)
        self.valkey.stop()
        self.postgres.stop()

    def log(self, part: str) -> Path:
        return self.data / f"{part}.log"

    def said(self, part: str) -> str:
        """The last words of a part."""
        log = self.log(part)
        return log.read_text(encoding="utf-8", errors="replace")[-4000:] if log.exists() else ""


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def house(mail_url: str | None = None) -> Iterator[House]:
    """A house in a temporary folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="portal-drill-", ignore_cleanup_errors=True) as folder:
        built = House(Path(folder), mail_url)
        try:
            yield built
        finally:
            built.close()
