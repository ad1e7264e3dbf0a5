"""`portal dev`: what developers and newcomers run beside the portal."""

import asyncio
from typing import Annotated

import typer

dev_app = typer.Typer(help="Stand-ins for services of others.", no_args_is_help=True, rich_markup_mode=None)


@dev_app.callback()
def dev() -> None:
    """Stand-ins for services of others, for trying the portal without an account anywhere."""


@dev_app.command()
def telegram(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the stand-in.")] = 8081,
    host: Annotated[str, typer.Option(help="Address it listens on. Whoever reaches it can be anybody.")] = "127.0.0.1",
    token: Annotated[str | None, typer.Option(help="The bot's token; else the demo's.")] = None,
    username: Annotated[str | None, typer.Option(help="The bot's name in links; else the demo's.")] = None,
    user: Annotated[list[str] | None, typer.Option(help="A person with the app; may be given again.")] = None,
    webhook: Annotated[str | None, typer.Option(help="Post updates here, as after setWebhook.")] = None,
    secret: Annotated[str | None, typer.Option(help="The webhook's secret token.")] = None,
    speed: Annotated[float, typer.Option(min=0, help="Seconds of its clock in one second; for load tests.")] = 1.0,
    limits: Annotated[bool, typer.Option(help="Answer 429 to who sends too fast.")] = True,
) -> None:
    """Run a stand-in for Telegram's Bot API, with a page that looks like a phone."""
    from portal.dev.telegram.running import Choices, run

    choices = Choices(
        host=host, port=port, token=token, username=username, users=user or ["Lena", "陈丽"], webhook=webhook,
        secret=secret, speed=speed, limits=limits,
    )  # fmt: skip
    asyncio.run(run(choices))
