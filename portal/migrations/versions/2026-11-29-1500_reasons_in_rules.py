"""A change's reason in a rule is one of the known ones: what was typed becomes the reasons that it fitted.

Revision ID: 0042
Revises: 0041
"""

import json
from collections.abc import Sequence
from typing import Any

from alembic import op
from sqlalchemy import text

revision = "0042"
down_revision: str | None = "0041"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

REASONS = ("demand", "production", "material", "capacity", "transport", "quality", "stock", "holiday", "other")
OPPOSITE = {"in": "not_in", "not_in": "in"}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("alter table rule_set no force row level security")  # rows of every tenant
    connection = op.get_bind()
    for tenant, key, content in connection.execute(
        text("select tenant_id, id, content::text from rule_set where point = 'change'")
    ).all():
        values = {"tenant": tenant, "key": key, "content": json.dumps(chosen(json.loads(content)))}
        connection.execute(
            text("update rule_set set content = cast(:content as jsonb) where tenant_id = :tenant and id = :key"),
            values,
        )
    op.execute("alter table rule_set force row level security")


def chosen(said: Any) -> Any:
    """The same rules with chosen reasons. What fitted none of them says so by the opposite of all."""
    if isinstance(said, list):
        return [chosen(each) for each in said]
    if not isinstance(said, dict):
        return said
    if said.get("fact") != "reason" or said.get("op") not in {*OPPOSITE, "contains"}:
        return {name: chosen(value) for name, value in said.items()}
    typed = said["values"]
    if said["op"] == "contains":
        kind, values = "in", [code for code in REASONS if any(part.lower() in code for part in typed)]
    else:
        kind, values = said["op"], [code for code in REASONS if code in typed]
    return said | ({"op": kind, "values": values} if values else {"op": OPPOSITE[kind], "values": list(REASONS)})


def downgrade() -> None:
    """Chosen reasons are words like any other."""
