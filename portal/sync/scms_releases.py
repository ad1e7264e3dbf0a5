"""The published set as a history of deliveries, and how steady its weekly releases would have been."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from uuid import NAMESPACE_OID, UUID, uuid5

from portal.schedules.rules_difference import Frozen
from portal.schedules.rules_history import Known
from portal.schedules.rules_stability import Steadiness
from portal.sync.scms_file import ScmsFile


def history(file: ScmsFile) -> list[Known[int]]:
    """Every line of the set; a contract is known by its number in the file."""
    lines = file.lines
    columns = (lines.order_date, lines.received_on, lines.contract_line, lines.external_id, lines.due, lines.quantity)
    parts = [(part.contract, _part_id(part.external_id)) for part in file.contract_lines]
    return [
        Known(ordered, received, parts[at][0], Frozen(_line_id(external), parts[at][1], due, quantity))
        for ordered, received, at, external, due, quantity in zip(*columns, strict=True)
    ]


def steadiness_by_partner(
    file: ScmsFile, found: Mapping[int, Steadiness], direction: str = "sale"
) -> dict[str, Steadiness]:
    """The same by partner: what its contracts of one direction add up to."""
    sums: dict[str, Steadiness] = defaultdict(Steadiness)
    for contract, one in found.items():
        if file.contracts[contract].direction == direction:
            name = file.partner(contract).name
            sums[name] = sums[name].plus(one)
    return dict(sorted(sums.items()))


def told(by_partner: Mapping[str, Steadiness]) -> Iterator[str]:
    """One row a partner: releases compared, stability, changed firm lines and the mean notice in days."""
    yield f"{'Customer':<32} {'Pairs':>6} {'Stability':>10} {'Firm lines':>11} {'Notice, days':>13}"
    for name, one in by_partner.items():
        stability = "-" if one.stability is None else f"{one.stability:.1%}"
        notice = "-" if one.mean_notice is None else f"{one.mean_notice:.1f}"
        yield f"{name[:32]:<32} {one.pairs:>6} {stability:>10} {one.firm_lines:>11} {notice:>13}"


def _line_id(external: str) -> UUID:
    return uuid5(NAMESPACE_OID, f"scms line {external}")


def _part_id(external: str) -> UUID:
    return uuid5(NAMESPACE_OID, f"scms part {external}")
