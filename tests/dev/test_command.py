"""`portal dev telegram` in a process of its own, and what else reaches the control side."""

import asyncio
import json
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp

import portal
from portal.dev.telegram.client import World
from portal.dev.telegram.page import FILES, STATIC


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_the_command_says_where_it_is_and_answers() -> None:
    port = free_port()
    command = [sys.executable, "-m", "portal.cli", "dev", "telegram", "--port", str(port), "--user", "Ada"]
    command += ["--token", "42:try-it-out", "--username", "try_bot"]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout is not None
        said = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        assert f"http://127.0.0.1:{port}/try_bot?start=" in said
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/bot42:try-it-out/getMe") as response:
                assert (await response.json())["result"]["username"] == "try_bot"
            async with session.get(f"http://127.0.0.1:{port}/ctl/state") as response:
                assert [user["first_name"] for user in (await response.json())["users"]] == ["Ada"]
        again = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        _, complaint = await asyncio.wait_for(again.communicate(), 60)
        assert again.returncode == 2
        assert complaint.decode().startswith(f"portal: Port {port} on 127.0.0.1 cannot be used: ")
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 10)


async def test_no_page_elsewhere_can_post_to_the_control_side(world: World) -> None:
    """A form of another site cannot send JSON without being asked first."""
    async with aiohttp.ClientSession() as session:
        url, body = f"{world.url}/ctl/users", json.dumps({"first_name": "Mallory"})
        async with session.post(url, data=body, headers={"Content-Type": "text/plain"}) as response:
            assert response.status == 415
        async with session.post(url, data="[]", headers={"Content-Type": "application/json"}) as response:
            assert response.status == 400
    assert (await world.state())["users"] == []


def test_the_portal_does_not_load_it() -> None:
    """Start-up of the portal does not pay for the stand-in."""
    code = "import sys, portal.cli; print([m for m in sys.modules if m.startswith(('portal.dev.', 'aiohttp', 'PIL'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['portal.dev.cli']"


def test_the_page_lies_in_the_package_and_is_known_to_it() -> None:
    """Hatch packs every tracked file below `portal`."""
    assert Path(portal.__file__).parent in STATIC.parents
    assert {path.name for path in STATIC.iterdir()} == {*FILES, "phone.html"}
