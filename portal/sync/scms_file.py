"""What one SCMS delivery file becomes, before any database: the rows of `scms.parse`, ready to be written.

Records point at each other by their place in the lists (0 is the first). Money is USD, quantities are packs (XPK).
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from portal.core.actor import Direction
from portal.sync.findings import Refusal, Remark

SOURCE = "scms"
FACTORY_VENDOR = "SCMS from RDC"
UNIT = "XPK"
CURRENCY = "USD"


class Stage(StrEnum):
    """How far a schedule line has come. Imported history is received; the demo has all four."""

    RECEIVED = "received"
    SHIPPED = "shipped"
    PROPOSED = "proposed"  # the seller is asked for an answer
    PUBLISHED = "published"


class Place(Struct, frozen=True, gc=False):
    """Where goods are received. The source has no addresses."""

    code: str  # ISO 3166-1 alpha-2 of the country; the factory's distribution centres: RDC
    country: str  # as the file spells it
    zone: str  # IANA time zone


class Party(Struct, frozen=True, gc=False):
    """An organisation. `external_id` is the vendor or country exactly as in the file."""

    external_id: str
    code: str
    name: str
    place: Place | None = None  # customers: their country; the factory: its distribution centres


class Item(Struct, frozen=True, gc=False):
    """`code` follows from the description alone, so the same item has the same code in every file."""

    code: str
    description: str
    category: str  # product group and sub classification
    pack_content: str  # units in a pack
    maker_brand: str
    unit: str = UNIT


class Contract(Struct, frozen=True, gc=False):
    """Project code x vendor. `partner` is the place in `customers` (sale) or `suppliers` (purchase)."""

    external_id: str
    direction: Direction
    partner: int
    project_code: str  # the customer's reference; on a purchase contract not for the supplier's eyes
    vendor: str
    ship_to: Place
    valid_from: date  # first order date
    valid_to: date  # last due or received date
    currency: str = CURRENCY


class ContractLine(Struct, frozen=True, gc=False):
    """Contract x item, without a fixed quantity. The ship-to is the contract's."""

    external_id: str
    contract: int
    item: int
    line_no: int  # from 1 within the contract


class Price(Struct, frozen=True, gc=False):
    """USD per pack of one order. Where an order holds two on one day both stand here and the line's own price wins."""

    contract_line: int
    order_no: str
    order_date: date
    price: Decimal
    ambiguous: bool


class Shipment(Struct, frozen=True, gc=False):
    """A delivery note: one contract, one order, one delivered date. The source records no day of despatch."""

    number: str
    contract: int
    order_no: str
    shipped_on: date  # history: the delivered date
    received_on: date | None  # with it a receipt of every shipped line, all accepted
    mode: str  # Air, Truck, ...; empty: not given
    incoterm: str


class Lines(Struct, frozen=True):
    """The schedule lines, column by column, in the order of the file."""

    external_id: list[str]
    row: list[int]  # in the file
    contract_line: list[int]
    order_no: list[str]
    order_date: list[date]
    due: list[date]
    quantity: list[Decimal]  # packs; ordered, shipped and received alike
    price: list[Decimal]  # the line's own, USD per pack
    value: list[Decimal]  # as stated by the source, USD
    shipment: list[int | None]
    received_on: list[date | None]
    stage: list[Stage]
    payload_hash: list[str]  # 32 hex digits over the whole row: equal means nothing to do

    def __len__(self) -> int:
        return len(self.external_id)


class ScmsFile(Struct, frozen=True):
    """The whole file. With refusals nothing may be written: the lists then hold what the good rows would become."""

    name: str
    rows: int  # records in the file, good and bad
    refused: list[Refusal]
    remarks: list[Remark]
    factory: Party
    suppliers: list[Party]
    customers: list[Party]
    ship_tos: list[Place]  # every country delivered to, with or without a customer
    items: list[Item]
    contracts: list[Contract]
    contract_lines: list[ContractLine]
    prices: list[Price]
    shipments: list[Shipment]
    lines: Lines
    digest: str  # over all rows in any order: the same content gives the same digest
    release_date: date | None = None  # the demo's anchor; none: the day of import

    def partner(self, contract: int) -> Party:
        """The other side of a contract, by its place."""
        head = self.contracts[contract]
        return (self.customers if head.direction is Direction.SALE else self.suppliers)[head.partner]
