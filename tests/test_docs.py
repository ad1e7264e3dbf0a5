"""The documents say what is true now. Run this file as a module to write the generated parts again."""

import importlib
import pkgutil
import re
from dataclasses import fields
from pathlib import Path

import pytest

import portal
from portal.contracts.rules_life import CONTRACT_STATES
from portal.core.access import BY_SCOPE, ROLE_NAMES, Permission
from portal.core.errors import PortalError
from portal.core.journal import Event
from portal.core.settings import Settings, markdown_table, variable
from portal.web.pages import NAV

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BEGIN, END = "<!-- settings -->", "<!-- end of settings -->"


def roles_page() -> str:
    """Which role may do what, from the one table."""
    parts = ["# Roles\n\nWritten from `portal/core/access.py`; a test compares.\n"]
    for scope, roles in BY_SCOPE.items():
        parts.append(f"\n## {scope.capitalize()}\n")
        parts.append("| permission | " + " | ".join(ROLE_NAMES[role] for role in roles) + " |")
        parts.append("| --- |" + " --- |" * len(roles))
        for permission in Permission:
            marks = ["yes" if permission in allowed else "" for allowed in roles.values()]
            parts.append(f"| `{permission}` | " + " | ".join(marks) + " |")
    return "\n".join(parts) + "\n"


def refusals_page() -> str:
    """Every refusal with its code and kind, as the interface answers it."""
    for module in pkgutil.walk_packages(portal.__path__, "portal."):
        if not module.name.startswith("portal.migrations"):
            importlib.import_module(module.name)
    rows = sorted({(kind.code, kind.__mro__[1].__name__, kind.text) for kind in descendants(PortalError)})
    head = "# Refusals\n\nThe last part of a problem's `type`, written from the classes; a test compares.\n\n"
    return (
        head
        + "| code | kind | sentence |\n| --- | --- | --- |\n"
        + "".join(f"| `{c}` | {k} | {t} |\n" for c, k, t in rows)
    )


def descendants(kind: type[PortalError]) -> list[type[PortalError]]:
    """All classes of the product below a kind."""
    found = [child for child in kind.__subclasses__() if child.__module__.startswith("portal.")]
    return [*found, *(grandchild for child in found for grandchild in descendants(child))]


def events_page() -> str:
    """Every event with what it carries, as a sender of webhooks finds it in the outbox."""
    refusals_page()  # all modules are known now
    parts = [EVENTS]
    for module in sorted({kind.__module__ for kind in Event.all.values() if kind.__module__.startswith("portal.")}):
        parts.append(f"\n## {module.split('.')[1].capitalize()}\n\n| event | carries | when |\n| --- | --- | --- |\n")
        for name, kind in sorted(Event.all.items()):
            if kind.__module__ == module:
                carried = ", ".join(f"`{part.name}`" for part in fields(kind))
                parts.append(f"| `{name}` | {carried} | {meaning(kind)} |\n")
    return "".join(parts)


def meaning(kind: type[Event]) -> str:
    """What an event's class says of itself; a dataclass without a text only repeats its fields."""
    text = kind.__doc__ or ""
    return "" if text.startswith(f"{kind.__name__}(") else " ".join(text.split())


EVENTS = """# Events

Written from the classes; a test compares. An event is a row of the table `outbox`, written in the transaction of the
deed and seen after its commit: `id` (UUID version 7, ordered by time, a receiver's idempotency key), `tenant_id`,
`party_id` (the partner it concerns, the factory for its own), `name`, `data` (the fields below as JSON; ids only, never
figures), `member_id` (who did it; empty: the portal itself) and `created_at`. A receiver reads what it is about over
the interface with its own key, so that an event shows nobody more than they may see. Subscribers stand in
`jobs/subscriptions.py`; each gets every event at least once, with tries of its own.
"""
PAGES = {"events.md": events_page, "roles.md": roles_page, "refusals.md": refusals_page}


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == PAGES[name](), "run: python -m tests.test_docs"


def test_every_event_says_when_it_is_told() -> None:
    events_page()
    ours = {name: kind for name, kind in Event.all.items() if kind.__module__.startswith("portal.")}
    assert [name for name, kind in ours.items() if not meaning(kind)] == []


def test_every_deed_in_a_contracts_life_has_an_event() -> None:
    of_contracts = {name: kind for name, kind in Event.all.items() if kind.__module__ == "portal.contracts.events"}
    told = " ".join(of_contracts).lower()
    assert [move.action for move in CONTRACT_STATES if move.action[:5] not in told] == []


def test_the_settings_table_is_the_settings() -> None:
    assert markdown_table().strip() in README.read_text("utf-8"), "run: python -m tests.test_docs"


def test_every_setting_named_in_a_document_exists() -> None:
    known = {variable(name) for name in Settings.model_fields}
    for page in [README, *(ROOT / "docs").rglob("*.md")]:
        named = set(re.findall(r"PORTAL_[A-Z0-9_]+", page.read_text("utf-8")))
        assert named <= known | {"PORTAL_REQUIRE_BROWSER"}, page


def test_every_command_named_in_a_document_exists() -> None:
    """Each `portal ...` of a document, as far as it is written in words: commands of commands, and options."""
    from typer.main import get_command

    from portal.cli import app

    found = 0
    for page in (README, *(ROOT / "docs").glob("*.md")):
        for written in re.findall(r"`portal ([a-z][^`]*)`", page.read_text("utf-8").replace("\n", " ")):
            words, command = written.split(), get_command(app)
            while words and (below := getattr(command, "commands", {}).get(words[0])) is not None:
                command, words = below, words[1:]
            assert not getattr(command, "commands", None), f"{page.name}: portal {written}"
            options = {name for parameter in command.params for name in parameter.opts}
            assert {word for word in words if word.startswith("--")} <= options, f"{page.name}: portal {written}"
            found += 1
    assert found > 20


def test_no_code_stands_for_two_refusals() -> None:
    refusals_page()
    codes = [kind.code for kind in descendants(PortalError)]
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize("name", ["guide.en.md", "guide.zh.md"])
def test_links_between_documents_lead_somewhere(name: str) -> None:
    text = (ROOT / "docs" / name).read_text("utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / "docs" / target).exists(), target


def test_the_guides_name_every_entry_of_the_menu() -> None:
    from portal.core.i18n import Language, _, speaking

    english, chinese = ((ROOT / "docs" / name).read_text("utf-8").lower() for name in ("guide.en.md", "guide.zh.md"))
    for item in NAV:
        if item.key in {"audit", "items", "partners", "keys", "sites", "shipments"}:
            continue
        assert item.label.lower() in english, item.label
        with speaking(Language.ZH):
            assert _(item.label) in chinese, item.label


if __name__ == "__main__":
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page(), "utf-8")
    text = README.read_text("utf-8")
    head, rest = text.split(BEGIN)
    README.write_text(f"{head}{BEGIN}\n{markdown_table().strip()}\n{END}{rest.split(END)[1]}", "utf-8")
