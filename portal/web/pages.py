"""What every page shows, and the Jinja environment: one place where templates meet the house."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Redirect, Template
from litestar.template.config import TemplateConfig
from markupsafe import Markup

from portal.core import clock, i18n, quantities
from portal.core.access import ROLE_NAMES, Permission, Role, permissions_of
from portal.core.actor import Actor, Scope
from portal.core.i18n import N_, Language
from portal.web import assets, left_word, way_back

TEMPLATES = Path(__file__).parent / "templates"


class SignedIn(Protocol):
    """What a page needs to know of the person before it (`accounts.identity.Signed`)."""

    user_name: str
    form_token: str
    actor: Actor | None
    companies: int
    tenant_name: str
    company_name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the side bar; its count is fetched by the page after loading."""

    key: str
    label: str
    href: str
    icon: str
    permission: Permission = Permission.READ
    factory_only: bool = False


NAV = (
    NavItem("today", N_("Today"), "/", "today"),
    NavItem("schedules", N_("Schedules"), "/schedules", "schedules"),
    NavItem("changes", N_("Changes"), "/changes", "git-pull-request"),
    NavItem("forecasts", N_("Forecasts"), "/forecasts", "cloud"),
    NavItem("contracts", N_("Contracts"), "/contracts", "contracts"),
    NavItem("shipments", N_("Shipments"), "/shipments", "shipments"),
    NavItem("receipts", N_("Receipts"), "/receipts", "receipts"),
    NavItem("approvals", N_("Approvals"), "/approvals", "checks", Permission.APPROVE, factory_only=True),
    NavItem("chat", N_("Chat"), "/chat", "message"),
    NavItem("reports", N_("Reports"), "/reports", "reports"),
    NavItem("partners", N_("Partners"), "/partners", "partners", Permission.MANAGE_MASTER_DATA, factory_only=True),
    NavItem("items", N_("Items"), "/items", "items", Permission.MANAGE_MASTER_DATA, factory_only=True),
    NavItem("imports", N_("Imports"), "/imports", "imports", Permission.RUN_IMPORTS, factory_only=True),
    NavItem("people", N_("People"), "/people", "people", Permission.MANAGE_PEOPLE),
    NavItem("sites", N_("Sites"), "/sites", "sites", Permission.KEEP_CALENDARS),
    NavItem("messages", N_("Message log"), "/messages", "bell"),
    NavItem("keys", N_("API keys"), "/keys", "keys", Permission.MANAGE_PEOPLE),
    NavItem("audit", N_("Audit log"), "/audit", "audit", Permission.READ_AUDIT, factory_only=True),
)


class OwnTemplate(Template):
    """A template whose `csrf_input` is ours: Litestar would put its own, which knows no session, in its place."""

    def create_template_context(self, request: Request[Any, Any, Any]) -> dict[str, Any]:
        return super().create_template_context(request) | self.context


class Page:
    """The page being built: the reader, the language, the menu. Handlers call `render`, `fragment` or `go`."""

    def __init__(self, request: Request[Any, Any, Any], signed: SignedIn | None) -> None:
        self._request = request
        self.signed = signed
        self.form_token = signed.form_token if signed else ""
        self.language = i18n.language.get()
        query = request.scope["query_string"].decode("latin-1")
        self.path = request.scope["path"] + (f"?{query}" if query else "")
        actor = signed.actor if signed else None
        self.actor = actor
        self.tenant_name = signed.tenant_name if signed else "Calloff"
        self.company_name = signed.company_name if signed else ""
        self.user_name = signed.user_name if signed else ""
        self.companies_count = signed.companies if signed else 0
        self.scope = actor.scope.value if actor else ""
        self.role_label = i18n._(ROLE_NAMES[actor.role]) if actor else ""
        self.time_zone = signed.time_zone if signed else "UTC"
        self.active = ""
        self.word = ""  # what the answer before left to be said here

    @property
    def nav(self) -> list[tuple[str, str, str, str]]:
        """(key, label, href, icon) of what this role may open; counts are fetched after the page."""
        return menu(self.actor.scope, self.actor.role, self.language) if self.actor else []

    @property
    def here(self) -> str:
        """Where switching the language leads: the page that is shown, or the one whose form it answers."""
        return way_back.here(self._request)

    @property
    def other_language(self) -> Language:
        return Language.EN if self.language is Language.ZH else Language.ZH

    @property
    def zone_note(self) -> str:
        """Which clock the page's times follow, by name and offset."""
        return zone_note(self.time_zone, self.language)

    def render(self, template: str, *, active: str = "", status: int = 200, **context: Any) -> Template:
        """A whole page."""
        self.active = active
        self.word = left_word.left(self._request, self.form_token) if self.signed else ""
        page = self.fragment(template, status=status, **context)
        return left_word.taken(page) if self.word else page

    def fragment(self, template: str, *, status: int = 200, **context: Any) -> Template:
        """A part of a page, swapped in by htmx."""
        return OwnTemplate(template, context=self._context(context), status_code=status)

    def go(self, path: str) -> Redirect:
        """See-other to one of our own pages; as HX-Redirect when htmx asked."""
        if self._request.headers.get("hx-request") == "true":
            return Redirect(path, status_code=303, headers={"HX-Redirect": path})
        return Redirect(path, status_code=303)

    @property
    def by_htmx(self) -> bool:
        return self._request.headers.get("hx-request") == "true"

    def _context(self, context: dict[str, Any]) -> dict[str, Any]:
        csrf = Markup('<input type="hidden" name="_csrf_token" value="%s">') % self.form_token
        return {"page": self, "csrf_input": csrf, "csrf_token": self.form_token, "may": self._may, **context}

    def _may(self, permission: str) -> bool:
        return self.actor is not None and self.actor.may(Permission(permission))


OWN_ZONE_NAMES = {"Asia/Shanghai": N_("China Standard Time"), "UTC": N_("Coordinated Universal Time")}


@cache
def zone_note(zone: str, language: Language) -> str:
    """All times are China Standard Time (UTC+8)."""
    from babel.dates import get_timezone_name  # imported late: start-up does not pay for it

    with i18n.speaking(language):
        now = clock.now().astimezone(ZoneInfo(zone))
        hours = (now.utcoffset() or timedelta(0)) / timedelta(hours=1)
        name = i18n._(OWN_ZONE_NAMES[zone]) if zone in OWN_ZONE_NAMES else ""
        name = name or get_timezone_name(zone, locale=language.replace("-", "_"))
        return i18n._("All times are {zone} (UTC{offset})").format(zone=name, offset=f"{hours:+g}")


@cache
def menu(scope: Scope, role: Role, language: Language) -> list[tuple[str, str, str, str]]:
    """The side bar of a role, in the reader's language."""
    allowed = permissions_of(scope, role)
    with i18n.speaking(language):
        return [
            (item.key, i18n._(item.label), item.href, item.icon)
            for item in NAV
            if item.permission in allowed and (scope is Scope.FACTORY or not item.factory_only)
        ]


def unit_name(unit: str) -> str:
    """pcs, kg: the unit's name in the reader's language."""
    return i18n._(quantities.UNITS[unit][1])


def named(name: str | None) -> str:
    """Who did something: a person as noted then, or the system in the reader's word."""
    return i18n._("system") if name in (None, "", "system") else name


def money(amount: Decimal | None, currency: str) -> str:
    """A price or value, or a dash where there is none or it is not the reader's to see."""
    return "–" if amount is None else quantities.show_money(amount, currency)


def engine() -> JinjaTemplateEngine:
    """Jinja with autoescape, no silent undefined, and the formatters of `core/i18n.py`."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(
        _=i18n._,
        ngettext=i18n.ngettext,
        asset=assets.asset,
        icon=assets.icon,
        number=i18n.number,
        sentences=i18n.sentences,
        signed=i18n.signed,
        percent=i18n.percent,
        day=i18n.day,
        weekday=i18n.weekday,
        week=i18n.week,
        moment=i18n.moment,
        show_quantity=quantities.show_quantity,
        show_money=money,
        unit_name=unit_name,
        named=named,
    )
    return JinjaTemplateEngine.from_environment(environment)


def template_config() -> TemplateConfig[JinjaTemplateEngine]:
    """How Litestar finds the templates."""
    return TemplateConfig(instance=engine())
