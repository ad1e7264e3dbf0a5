"""The operator's commands, run as an operator runs them."""

import os
import subprocess
import sys

from portal.accounts import identity, service_joining
from portal.core.access import Role
from portal.core.settings import Settings
from tests.accounts.makers import PASSWORD, make_person, new_email
from tests.factories import Tenant

RUN = "from portal.accounts.cli import tenant_app, user_app; import typer; app = typer.Typer();"
RUN += "app.add_typer(tenant_app, name='tenant'); app.add_typer(user_app, name='user'); app()"


def portal(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", RUN, *words], capture_output=True, text=True, timeout=60, env=os.environ, check=False
    )


async def test_an_operator_makes_a_workspace_and_its_administrator_joins_by_the_link(database: Settings) -> None:
    code, email = "w" + new_email()[1:9], new_email()
    words = ("tenant", "create", code, "--name", "Hengyuan", "--admin", email, "--admin-name", "Lena Vogt")
    made = portal(*words, "--time-zone", "Asia/Shanghai", "--language", "zh-CN")
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip().rpartition("/")[2]
    invitation = await identity.find_invitation(token)
    assert invitation is not None
    assert invitation.email == email
    again = portal(*words)
    assert again.returncode != 0
    assert "exists already" in again.stderr


async def test_an_operator_makes_and_disables_a_person(database: Settings) -> None:
    email = new_email()
    made = portal("user", "create", email, "--name", "Olga", "--password", PASSWORD, "--instance-admin")
    assert made.returncode == 0, made.stderr
    assert await identity.sign_in(email, PASSWORD, "", "operator") is not None
    common = portal("user", "password", email, "--password", "password1")
    assert (common.returncode, "first that others try" in common.stderr) == (1, True)
    assert portal("user", "disable", email).returncode == 0
    assert await identity.sign_in(email, PASSWORD, "", "operator") is None


async def test_a_password_given_by_the_operator_ends_the_sessions(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    await service_joining.reset_password(ann.email, "seven blue herons")
    assert await identity.signed_in(ann.token) is None
    assert await identity.sign_in(ann.email, "seven blue herons", "", "operator") is not None


async def test_what_an_operator_mistypes_is_named_and_makes_nothing(database: Settings) -> None:
    code = "w" + new_email()[1:9]
    words = ("tenant", "create", code, "--name", "Hengyuan", "--admin", new_email(), "--admin-name", "Lena Vogt")
    for wrong, said in ((("--currency", "EURO"), "currency: “EURO” is not written"), (("--time-zone", "Mars"), "Mars")):
        done = portal(*words, *wrong)
        assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert portal(*words).returncode == 0, "nothing was made before"
    for verb in (("disable",), ("password", "--password", PASSWORD), ("second-factor",), ("second-factor", "--remove")):
        nobody = portal("user", verb[0], "nobody@people.example", *verb[1:])
        assert (nobody.returncode, "Nobody signs in with this e-mail." in nobody.stderr) == (1, True), nobody.stderr
