"""`portal demo`: everything in this terminal, with the demo's factory made first when there is no workspace yet."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from portal.core.provision import Provision

READY_SECONDS = 60
TELEGRAM_TOKEN = "4242424242:stand-in-for-trying-the-portal-0000"  # noqa: S105 - opens nothing but the stand-in


def demo(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the web server.")] = None,
    seed_only: Annotated[bool, typer.Option("--seed-only", help="Make the data and stop.")] = False,
) -> None:
    """Run the portal with a factory to try: real deliveries, work waiting today, sign-ins on the screen."""
    from portal.core.provision import provisioned
    from portal.core.starting import PARTS, choose_port, prepare_database, require_free_port
    from portal.core.supervise import Part, Supervisor

    choose_port(port)
    if not seed_only:
        require_free_port()

    async def run(provision: "Provision") -> int:
        command = [sys.executable, "-m", "portal.cli"]
        parts = [Part(name, [*command, verb]) for name, verb in PARTS]
        supervisor = Supervisor(parts, provision.mend)
        greeting = asyncio.create_task(_greet(provision))
        try:
            return await supervisor.run()
        finally:
            greeting.cancel()

    with provisioned() as provision:
        prepare_database(provision)
        asyncio.run(_seed_if_empty(provision))
        code = 0 if seed_only else asyncio.run(run(provision))
    raise typer.Exit(code)


async def _seed_if_empty(provision: "Provision") -> None:
    from portal.core import db
    from portal.demo import seed

    url = str(provision.settings.database_url)
    if await seed.tenants(url):
        return
    typer.echo("Making the demo: 8,114 deliveries in 558 contracts, and two weekly contracts ...", err=True)
    db.configure(provision.settings, pool_size=2)
    try:
        await seed.seed(url)
    finally:
        await db.dispose()


async def _greet(provision: "Provision") -> None:
    """When the web server answers, say where it is and who can sign in."""
    from portal.core import db
    from portal.demo import seed

    settings = provision.settings
    for _ in range(READY_SECONDS * 5):
        try:
            _reader, writer = await asyncio.open_connection(settings.host, settings.port)
        except OSError:
            await asyncio.sleep(0.2)
            continue
        writer.close()
        break
    db.configure(settings, pool_size=1)
    try:
        known = await seed.is_demo(str(settings.database_url))
    finally:
        await db.dispose()
    show(settings.base_url, known=known)


def show(address: str, *, known: bool) -> None:
    """A box with the address and, for the demo's own factory, the sign-ins in both languages."""
    from rich.console import Console, Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    from portal.core.access import ROLE_NAMES
    from portal.core.i18n import Language, _, speaking
    from portal.demo.people import PASSWORD, PEOPLE
    from portal.demo.seed import NAME, PARTNERS

    console = Console(width=max(Console().width, 118))
    if not known:
        console.print(Panel(Text(f"{address}\nA workspace was here already, so no demo was made."), title="Calloff"))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for person in PEOPLE:
        role = _(ROLE_NAMES[person.role])
        with speaking(Language.ZH):
            zh = f"{_(ROLE_NAMES[person.role])}：{_(person.task)}"
        table.add_row(person.email, PARTNERS.get(person.company, NAME), f"{role}: {_(person.task)}\n{zh}")
    head = Text.from_markup(f"[bold]{address}[/]    Password for all · 所有人的密码: [bold]{PASSWORD}[/]\n")
    chat = f"\nThe bot, without any account · 机器人，无需任何账号: {address}/chat"
    phone = (
        "\nThe same on a phone · 手机上试用: portal dev telegram, and start the demo with "
        f"PORTAL_TELEGRAM_TOKEN={TELEGRAM_TOKEN} PORTAL_TELEGRAM_API=http://127.0.0.1:8081"
    )
    foot = Text(
        f"{chat}{phone}\nWork waits today for each of them. · 每个人今天都有待办。   Ctrl-C stops · 按 Ctrl-C 停止"
    )
    console.print(Panel(Group(head, table, foot), title="Calloff · 履约通", padding=(1, 2)))
