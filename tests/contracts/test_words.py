"""The terms of a line in words: what a reader is told of packs, on pages, on paper and between two versions."""

from decimal import Decimal

import pytest

from portal.contracts.words import pack_words
from portal.core.i18n import Language, speaking
from portal.web.contract_version_views import NOTHING, compared
from tests.contracts.test_rules import Terms

ONE, TEN, NONE = Decimal(1), Decimal(10), Decimal(0)
STORED = Decimal("1.000000")


@pytest.mark.parametrize(
    ("line", "language", "words"),
    [
        (Terms(pack_size=ONE, minimum_order=NONE), Language.EN, "Any whole quantity"),
        (Terms(pack_size=ONE, minimum_order=NONE), Language.ZH, "任意整数数量"),
        (Terms("XPK", pack_size=STORED, minimum_order=TEN), Language.EN, "Any whole quantity · at least 10 packs"),
        (Terms("XPK", pack_size=TEN, minimum_order=NONE), Language.EN, "Multiples of 10 packs"),
        (Terms("XPK", pack_size=TEN, minimum_order=NONE), Language.ZH, "10 包的整数倍"),
        (Terms(), Language.EN, "Packs of 40 pcs · at least 80 pcs"),
        (Terms(pack_size=Decimal("0.5"), unit="KGM", minimum_order=NONE), Language.ZH, "每包 0.5 千克"),
    ],
)
def test_a_pack_of_one_unit_is_no_rule_of_packing(line: Terms, language: Language, words: str) -> None:
    with speaking(language):
        assert pack_words(line).replace("\xa0", " ") == words


@pytest.mark.parametrize(
    ("language", "begins", "ends"),
    [
        (Language.EN, "Pack size is new: 40 pcs.", "Pack size is gone; it was 40 pcs."),
        (Language.ZH, "包装量为新增：40 件。", "包装量已取消，原为 40 件。"),
    ],
)
def test_a_rule_of_packing_begins_and_ends_between_versions(language: Language, begins: str, ends: str) -> None:
    line = {"line_no": 1, "item_code": "A", "unit": "H87", "prices": []}
    loose, packed = ({"lines": [line | {"pack_size": size}]} for size in ("1", "40"))

    with speaking(language):
        rows = [*compared(loose, packed, shows_prices=True), *compared(packed, loose, shows_prices=True)]

    assert [row.before == NOTHING for row in rows] == [True, False]
    assert [row.after == NOTHING for row in rows] == [False, True]
    for row, said in zip(rows, (begins, ends), strict=True):
        assert row.text.replace("\xa0", " ").endswith(said)
