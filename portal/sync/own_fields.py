"""What a factory's own spreadsheet can hold, and which column of it probably holds what.

Pure. A heading is compared with the names that each field goes by in both languages: equal after folding, or so close
that a person would say so too. A suggestion is only that; the person decides on the mapping page.
"""

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from portal.core.i18n import N_

SURE = 100
LIKELY = 82  # from here on a heading is suggested
EXACT = "税"  # with or without tax: a sign less is another price
ROWS_SEARCHED = 20  # where the heading may stand


class Target(StrEnum):
    """What the rows become."""

    CONTRACTS = "contracts"
    SCHEDULE = "schedule"
    OPENING = "opening"


TARGETS = {
    Target.CONTRACTS: N_("Contracts with their lines"),
    Target.SCHEDULE: N_("Deliveries of contracts in force"),
    Target.OPENING: N_("Opening balances of contracts in force"),
}


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DAY = "day"
    WHOLE = "whole"
    UNIT = "unit"
    CADENCE = "cadence"


class OwnField(Struct, frozen=True):
    """One thing that a column can hold. names: what headings call it, folded when they are compared."""

    name: str
    label: str
    names: tuple[str, ...]
    kind: Kind = Kind.TEXT
    needed: bool = False
    longest: int = 60


_CONTRACT = OwnField(
    "number",
    N_("Contract number"),
    (
        *("合同编号", "合同号", "协议编号", "协议号", "框架合同号", "合同", "合约号"),
        *(
            "contract no",
            "contract number",
            "contract",
            "agreement no",
            "agreement",
            "contract id",
            "outline agreement",
        ),
    ),
    needed=True,
)
_PARTNER = OwnField(
    "partner",
    N_("Partner"),
    (
        *("客户", "客户名称", "客户简称", "客户代码", "供应商", "供应商名称", "供应商代码", "供方", "需方", "往来单位"),
        *("合作方", "乙方", "甲方", "partner", "customer", "customer name", "customer code", "supplier"),
        *("supplier name", "supplier code", "vendor", "vendor name", "vendor code", "client", "buyer", "partner code"),
    ),
    needed=True,
    longest=200,
)
_ITEM = OwnField(
    "item_code",
    N_("Item code"),
    (
        *(
            "物料编码",
            "物料号",
            "料号",
            "物料代码",
            "产品编码",
            "产品编号",
            "存货编码",
            "品号",
            "零件号",
            "图号",
            "物料",
        ),
        *("item", "item code", "item no", "part no", "part number", "material", "material no", "material number"),
        *("product code", "sku", "article", "article no"),
    ),
    needed=True,
)
_LINE = OwnField(
    "line_no",
    N_("Line"),
    ("行号", "合同行号", "行项目", "项次", "序号", "line", "line no", "line number", "position", "pos"),
    Kind.WHOLE,
)
_UNIT = OwnField(
    "unit",
    N_("Unit"),
    ("单位", "计量单位", "数量单位", "unit", "uom", "unit of measure", "measure"),
    Kind.UNIT,
)

FIELDS: dict[Target, tuple[OwnField, ...]] = {
    Target.CONTRACTS: (
        _CONTRACT,
        _PARTNER,
        _ITEM,
        OwnField(
            "description",
            N_("Description"),
            (
                *("品名", "物料名称", "物料描述", "产品名称", "名称", "规格", "存货名称", "描述"),
                *("description", "item name", "product", "product name", "part name", "material description"),
            ),
            longest=300,
        ),
        OwnField(
            "partner_part_no",
            N_("Partner's part number"),
            (
                *("客户料号", "客户物料号", "客户图号", "供应商料号", "对方料号"),
                *("customer part no", "customer item", "supplier part no", "vendor part no", "customer material"),
            ),
        ),
        _UNIT,
        OwnField(
            "valid_from",
            N_("Valid from"),
            (
                *("生效日期", "开始日期", "起始日期", "合同开始日", "有效期起", "签订日期"),
                *("valid from", "start", "start date", "effective from", "effective date", "from"),
            ),
            Kind.DAY,
            needed=True,
        ),
        OwnField(
            "valid_to",
            N_("Last day"),
            (
                *("失效日期", "结束日期", "截止日期", "到期日", "合同到期日", "有效期止", "终止日期"),
                *("valid to", "end", "end date", "expiry", "expiry date", "valid until", "until"),
            ),
            Kind.DAY,
        ),
        OwnField(
            "foq",
            N_("Fixed quantity per period"),
            (
                *("固定订货量", "每期数量", "周用量", "月用量", "每月数量", "每周数量", "月需求量", "周期数量"),
                *("foq", "fixed quantity", "fixed order quantity", "quantity per period", "monthly quantity"),
                *("weekly quantity", "qty per month", "qty per week"),
            ),
            Kind.NUMBER,
        ),
        OwnField(
            "cadence",
            N_("Period"),
            ("周期", "频率", "期间", "交货周期", "period", "cadence", "frequency", "rhythm"),
            Kind.CADENCE,
        ),
        OwnField(
            "target_quantity",
            N_("Target over the validity"),
            (
                *("合同数量", "总数量", "合同总量", "年用量", "年度数量", "目标数量", "数量"),
                *("target", "target quantity", "contract quantity", "total quantity", "annual quantity", "quantity"),
                *("qty", "total qty"),
            ),
            Kind.NUMBER,
        ),
        OwnField(
            "price",
            N_("Price"),
            (
                *("单价", "价格", "合同单价", "不含税单价", "未税单价"),
                *("price", "unit price", "net price", "contract price"),
            ),
            Kind.NUMBER,
        ),
        OwnField("currency", N_("Currency"), ("币种", "币别", "货币", "currency", "ccy", "curr"), longest=10),
        OwnField(
            "pack_size",
            N_("Pack size"),
            ("包装数", "包装数量", "每箱数量", "最小包装", "pack size", "pack qty", "packing quantity", "lot size"),
            Kind.NUMBER,
        ),
        OwnField(
            "minimum_order",
            N_("Minimum per delivery"),
            ("最小订货量", "起订量", "最小批量", "moq", "minimum order", "minimum quantity", "min order qty"),
            Kind.NUMBER,
        ),
        OwnField(
            "ship_to_code",
            N_("Ship-to code"),
            (
                "收货地点",
                "交货地点",
                "送货地址代码",
                "收货工厂",
                "工厂",
                "ship to",
                "ship-to",
                "plant",
                "delivery place",
            ),
            longest=40,
        ),
        OwnField(
            "title",
            N_("Title"),
            ("合同名称", "项目", "项目名称", "标题", "title", "contract name", "project", "subject"),
            longest=200,
        ),
        OwnField(
            "partner_reference",
            N_("Partner's reference"),
            ("客户合同号", "对方合同号", "客户订单号", "partner reference", "customer reference", "your reference"),
        ),
        OwnField(
            "payment_terms",
            N_("Payment terms"),
            ("付款条件", "付款方式", "结算方式", "账期", "payment", "payment terms", "terms of payment"),
            longest=200,
        ),
    ),
    Target.SCHEDULE: (
        _CONTRACT,
        OwnField("partner", _PARTNER.label, _PARTNER.names, longest=200),
        _LINE,
        OwnField("item_code", _ITEM.label, _ITEM.names),
        OwnField(
            "due_date",
            N_("Due date"),
            (
                *("交货日期", "需求日期", "要求交期", "交期", "到货日期", "要货日期", "计划交货日期", "日期"),
                *("due", "due date", "delivery date", "required date", "requested date", "need by", "date"),
            ),
            Kind.DAY,
            needed=True,
        ),
        OwnField(
            "quantity",
            N_("Quantity"),
            (
                *("数量", "需求数量", "要货数量", "交货数量", "订单数量", "计划数量"),
                *("quantity", "qty", "order quantity", "required quantity", "delivery quantity"),
            ),
            Kind.NUMBER,
            needed=True,
        ),
        _UNIT,
        OwnField(
            "order_no",
            N_("Order"),
            ("订单号", "采购订单", "采购订单号", "要货单号", "order", "order no", "po", "po number", "purchase order"),
            longest=40,
        ),
    ),
    Target.OPENING: (
        _CONTRACT,
        OwnField("partner", _PARTNER.label, _PARTNER.names, longest=200),
        _LINE,
        OwnField("item_code", _ITEM.label, _ITEM.names),
        OwnField(
            "cut_over",
            N_("Cut-over date"),
            (
                *("切换日期", "截止日期", "期初日期", "截至日期", "期初截止日", "截止日", "盘点日期"),
                *("cut-over date", "cut over", "cutover", "as of", "balance date", "opening date", "until", "up to"),
            ),
            Kind.DAY,
            needed=True,
        ),
        OwnField(
            "period_day",
            N_("Any day of the period"),
            (
                *("周期", "周期首日", "周期开始", "期间", "所属周期", "月份"),
                *("period", "period start", "first day", "period from", "month"),
            ),
            Kind.DAY,
        ),
        OwnField(
            "called",
            N_("Called off"),
            (
                *("已下达", "已要货", "已订数量", "累计下达", "累计要货", "订货数量", "下达数量"),
                *("called", "called off", "ordered", "ordered quantity", "total ordered", "cumulative ordered"),
            ),
            Kind.NUMBER,
        ),
        OwnField(
            "shipped",
            N_("Shipped"),
            (
                *("已发货", "发货数量", "累计发货", "已发数量", "出货数量"),
                *("shipped", "shipped quantity", "despatched", "total shipped", "cumulative shipped"),
            ),
            Kind.NUMBER,
        ),
        OwnField(
            "received",
            N_("Received"),
            (
                *("已收货", "收货数量", "累计收货", "入库数量", "实收", "已入库"),
                *("received", "received quantity", "goods received", "total received", "cumulative received"),
            ),
            Kind.NUMBER,
        ),
        _UNIT,
    ),
}
BY_NAME = {target: {field.name: field for field in fields} for target, fields in FIELDS.items()}


def folded(heading: str) -> str:
    """A heading as headings are compared: width, case, spaces, signs and what stands in brackets make no other."""
    plain = unicodedata.normalize("NFKC", heading).casefold()
    plain = re.sub(r"[(（\[【].*?[)）\]】]", "", plain)
    return re.sub(r"[\s_\-./*:：#＊]+", "", plain)


def likeness(field: OwnField, heading: str) -> int:
    """How surely a heading means the field, 0 to 100. Short names have to be equal."""
    wanted = folded(heading)
    if not wanted:
        return 0
    best = 0
    for name in field.names:
        known = folded(name)
        if known == wanted:
            return SURE
        if min(len(known), len(wanted)) >= 3 and EXACT not in wanted:
            from rapidfuzz import fuzz  # imported late: it is not needed to start

            best = max(best, int(fuzz.ratio(known, wanted)))
    return min(best, SURE - 1)


def suggest(target: Target, header: Sequence[str]) -> dict[str, int]:
    """Field -> column, the surest pairs first; each column and each field once."""
    pairs = sorted(
        (-likeness(field, heading), at, column, field.name)
        for at, field in enumerate(FIELDS[target])
        for column, heading in enumerate(header)
    )
    found: dict[str, int] = {}
    for score, _at, column, name in pairs:
        if -score >= LIKELY and name not in found and column not in found.values():
            found[name] = column
    return found


def header_row(target: Target, rows: Sequence[Sequence[str]]) -> int:
    """The row that is the heading: of the first ones the one with most headings that are known, then the fullest."""

    def known(row: Sequence[str]) -> tuple[int, int]:
        return len(suggest(target, row)), len({cell for cell in row if cell.strip()})

    places = range(min(len(rows), ROWS_SEARCHED))
    return max(places, key=lambda at: (*known(rows[at]), -at), default=0)


def fitting(target: Target, header: Sequence[str], saved: dict[str, str]) -> dict[str, int] | None:
    """A saved mapping (field -> heading) in this file's columns; None where a heading of it is missing."""
    places: dict[str, int] = {}
    for column, heading in enumerate(header):
        places.setdefault(folded(heading), column)
    known = {name: folded(heading) for name, heading in saved.items() if name in BY_NAME[target]}
    if not known or not all(heading in places for heading in known.values()):
        return None
    return {name: places[heading] for name, heading in known.items()}
