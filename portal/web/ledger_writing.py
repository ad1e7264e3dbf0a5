"""The forms that write what is agreed for periods: how they are used, targets from history, a line's own list."""

from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts import reads_buckets
from portal.contracts.model import Contract
from portal.contracts.rules_periods import LEAST_DELIVERIES
from portal.contracts.service import get_line
from portal.contracts.service_commitments import get_terms
from portal.contracts.use_words import use_choices
from portal.core import i18n
from portal.core.actor import Actor
from portal.core.db import driver
from portal.core.i18n import _, ngettext
from portal.core.quantities import show_quantity
from portal.shipments.service_ledger import SuggestedLine, suggestions
from portal.web.ledger_forms import CommitmentsForm
from portal.web.typed import Typed, plain


async def terms_context(
    session: AsyncSession, actor: Actor, contract: Contract, typed: Typed | None = None
) -> dict[str, Any]:
    """What `ledger/terms.html` shows."""
    terms = await get_terms(session, contract)
    names = [name for name in CommitmentsForm.model_fields if name != "version"]
    return {
        "contract": contract,
        "typed": typed or Typed(None, None, **{name: plain(getattr(terms, name)) for name in names}),
        "fields": names,
        "use": use_choices(),
    }


class SuggestionView(Struct, frozen=True):
    """One line with what its history says."""

    value: str  # what the form sends; nothing where there is nothing to take
    part: str
    said: str
    target: str
    state: str


def suggestion_view(line: SuggestedLine) -> SuggestionView:
    """The suggestion in words, or why there is none."""
    count = ngettext("{n} delivery", "{n} deliveries", line.said.deliveries).format(n=i18n.number(line.said.deliveries))
    months = ngettext("{n} month with demand", "{n} months with demand", line.said.months).format(n=line.said.months)
    target = "" if line.said.target is None else show_quantity(line.said.target, line.unit)
    free = line.foq is None and not line.periods and line.said.target is not None
    if line.periods or line.foq is not None:
        state = _("has periods or a fixed quantity")
    elif line.said.target is None:
        state = _("stays a pure call-off: fewer than {n} deliveries").format(n=LEAST_DELIVERIES)
    else:
        state = _("median of the months with demand")
    value = f"{line.line_id}:{plain(line.said.target)}" if free else ""
    return SuggestionView(value, f"{line.item_code} · {line.description}", f"{count} · {months}", target, state)


async def targets_context(
    session: AsyncSession, actor: Actor, contract: Contract, typed: Typed | None = None
) -> dict[str, Any]:
    """What `ledger/targets.html` shows."""
    found = await suggestions(await driver(session), actor, contract.id)
    return {
        "contract": contract,
        "typed": typed or Typed(None, None, months="12", since="", chosen=[]),
        "rows": [suggestion_view(line) for line in found],
        "first": typed is None,
    }


async def periods_context(
    session: AsyncSession, actor: Actor, contract: Contract, line_id: UUID, typed: Typed | None = None
) -> dict[str, Any]:
    """What `ledger/periods.html` shows: the periods as rows to type. Raises NotFound."""
    line = await get_line(session, actor, contract.id, line_id)
    rows = await reads_buckets.ledger(await driver(session), actor, contract.id, line_id)
    text = "\n".join(
        f"{row.period_start} {row.period_end} {plain(row.floor)} {plain(row.target)} {plain(row.ceiling)}"
        for row in rows
    )
    return {"contract": contract, "line": line, "typed": typed or Typed(None, None, periods=text)}
