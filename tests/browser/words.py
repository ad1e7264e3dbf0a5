"""The names in the made workspace: once in English, once in Chinese, for pages that are looked at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """What people in one country would type; `items` in the order of world.WEEKS."""

    tenant: str
    customer: str
    supplier: str
    planner: str
    clerk: str
    seller: str
    invited: str
    items: tuple[str, ...]
    castings: tuple[str, str]
    place: str
    titles: tuple[str, str, str, str]
    late: str
    wet: str
    carrier: str
    holiday: str


ENGLISH = Words(
    tenant="Hengyuan Precision",
    customer="Aurora Drives",
    supplier="Northern Castings",
    planner="Lena Vogt",
    clerk="Ann Weber",
    seller="Ben Carter",
    invited="Mia Chen",
    items=("Bearing housing", "End cover", "Planet carrier", "Output shaft", "Seal kit"),
    castings=("Housing casting", "Cover casting"),
    place="Wuxi, Gate 3",
    titles=("Gearbox parts", "Spare parts", "Castings", "Gearbox parts, next year"),
    late="Casting arrives 2 days late",
    wet="One box wet, kept apart at Gate 3.",
    carrier="Deppon",
    holiday="Plant holiday",
)
CHINESE = Words(
    tenant="恒远精密",
    customer="极光传动",
    supplier="北方铸造",
    planner="陈立",
    clerk="王敏",
    seller="李强",
    invited="陈美",
    items=("轴承座", "端盖", "行星架", "输出轴", "密封圈组"),
    castings=("轴承座铸件", "端盖铸件"),
    place="无锡 3 号门",
    titles=("减速机零件", "备件", "铸件", "下一年度减速机零件"),
    late="铸件晚到 2 天",
    wet="一箱受潮，已隔离放在 3 号门。",
    carrier="德邦",
    holiday="工厂假日",
)
