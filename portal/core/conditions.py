"""The WHERE of a hot list: what this reader may see and what they asked for, with numbered parameters."""

from typing import Any

from portal.core.actor import Actor


class Conditions:
    """SQL conditions on one table. `$1` is always the tenant; the own company and the contracts in sight follow.

    table: its alias, or nothing where no other table is near. contract: the column that names a row's contract;
    nothing where the caller restricts colleagues in its own way.

    The length of a page stands in a statement's own text: of a limit that is a parameter PostgreSQL expects a tenth of
    all rows, finds no plan for all values worth keeping, and plans each page anew.
    """

    def __init__(self, actor: Actor, *args: Any, table: str = "", contract: str | None = None) -> None:
        prefix = f"{table}." if table else ""
        self.args: list[Any] = [actor.tenant_id, *args]
        self.sql = f"{prefix}tenant_id = $1"
        if not actor.is_factory:
            self.also(f"{prefix}party_id =", actor.party_id)
        if contract is not None and actor.contract_ids is not None:
            self.sql += f" and {prefix}{contract} = any({self.arg(list(actor.contract_ids))})"

    def arg(self, value: Any) -> str:
        """The placeholder of one more parameter."""
        self.args.append(value)
        return f"${len(self.args)}"

    def also(self, condition: str, value: Any) -> None:
        """One more condition, with its value on the right."""
        self.sql += f" and {condition} {self.arg(value)}"

    def equal(self, **columns: Any) -> None:
        """Columns that must have these values; None asks for nothing."""
        for column, value in columns.items():
            if value is not None:
                self.also(f"{column} =", value)


def containing(words: str) -> str:
    """The ILIKE pattern that finds the words anywhere, whatever signs they hold."""
    return "%" + beginning(words)


def beginning(words: str) -> str:
    """The ILIKE pattern that finds what begins with the words."""
    return words.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
