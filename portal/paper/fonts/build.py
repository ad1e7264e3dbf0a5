"""Cut the document fonts out of Noto Sans CJK and DejaVu Sans again.

`uv run --no-project --with fonttools python build.py NOTO DEJAVU`: the folders with NotoSansCJK-Regular.ttc and
NotoSansCJK-Bold.ttc, and with DejaVuSans.ttf, as Debian's packages fonts-noto-cjk and fonts-dejavu-core install them.
The result is the same for the same input. See README.md for what is kept and why.
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont

HERE = Path(__file__).parent
LOCALE = HERE.parent.parent / "locale"
FAMILIES = {"Regular": "Portal Sans", "Bold": "Portal Titles", "Latin": "Portal Latin"}
FILES = {"Regular": "PortalSans-Regular.otf", "Bold": "PortalTitles.otf", "Latin": "PortalLatin.ttf"}
SIMPLIFIED = 2  # the font of the collection with the forms of mainland China
OTHER = [*range(0xA0, 0x250), *range(0x370, 0x530), *range(0x1E00, 0x1F00)]  # Latin, Greek, Cyrillic
LATIN = [*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x1E00, 0x1F00), 0x18F, 0x192, 0x259]
SIGNS = "‐‑‒–—―‖‘’‚“”„†‡•…‰′″‹›※⁄₀₁₂₃₄₅₆₇₈₉⁰⁴⁵⁶⁷⁸⁹€₩₫₱₹₽₺฿℃℉№™Ω←↑→↓↔⇒−∅∆∑√∞≈≠≤≥□■▲△▼▽◆◇○●★☆✓✗¥￥£¢µ²³¹º°"
# Frequent in names and places though not in GB 2312.
NAMES = (
    "镕喆堃瑄昇祎赟翀珺玥琤昉旻晟晞晧暐暕曈朙杍枥枬柷桉栐梽棪楠楒榀樘橒欤沄泂泃洺浥浬涢淏湉湝湲溁溦滢漷潆澂濉濛炆炅炘"
    "烜烨煊煜熜燊燚牂玘玠玢玦玮珏珑珣珩珽琎琏琚琛琬琯瑀瑭瑾璇璟璠璥璩甦甯眀睎矞砼礽祐禛禤竑竣筠箐箬簃羿翃翚翾耀聿芃芷苡茜荥荭莙菡萁"
    "葳蓥蔻蕙薏蘅蘭虓袆裎褀覃訚誼諾谞贇赑赪跞逵遹邡邗邰郃郓郗郜郯鄌鄯酉釗釭鈊鉅鉴銘鋆錕鎏鏵钊钐钘钚钜钫钭钰铖铠锜锟锴镔镠镥镫镭镱閎闿阇"
    "陟隽雒霁霂霖靓韫韬頔顗颀颋飏飖馡馥骁骉骦髙鬯鲂鸢鸾麒麓龑龢〇〡〢〣〤〥〦〧〨〩"
)


def wanted(weight: str) -> set[int]:
    """Every code point that is kept: in the regular weight all, in the bold one those of the portal's own words."""
    if weight == "Latin":
        return set(OTHER)
    if weight == "Bold":
        said = "".join(path.read_text("utf-8") for path in sorted(LOCALE.rglob("*.po")))
        return {ord(letter) for letter in said if letter.isprintable()} | set(LATIN)
    chinese = {ord(bytes((high, low)).decode("gb2312")) for high in range(0xA1, 0xF8) for low in cells(high)}
    return chinese | set(LATIN) | set(map(ord, SIGNS + NAMES))


def cells(row: int) -> list[int]:
    """The cells of a row of GB 2312 that hold a character."""
    found = []
    for low in range(0xA1, 0xFF):
        try:
            bytes((row, low)).decode("gb2312")
        except UnicodeDecodeError:
            continue
        found.append(low)
    return found


def read(noto: Path, dejavu: Path, weight: str) -> TTFont:
    """The font that a weight is cut from."""
    if weight == "Latin":
        return TTFont(dejavu / "DejaVuSans.ttf")
    return TTCollection(noto / f"NotoSansCJK-{weight}.ttc", lazy=True).fonts[SIMPLIFIED]


def build(font: TTFont, weight: str) -> None:
    """One weight: cut, renamed, without what a page never uses."""
    options = subset.Options(
        layout_features=["kern", "locl", "ccmp", "mark", "mkmk"],
        notdef_outline=True,
        hinting=False,
        drop_tables=["BASE", "VORG", "vhea", "vmtx", "DSIG", "FFTM"],
        name_IDs=["*"],
        recalc_timestamp=False,
    )
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=wanted(weight))
    cutter.subset(font)
    family, file = FAMILIES[weight], FILES[weight]
    names = {1: family, 2: "Regular", 3: f"{family} 1", 4: family, 6: file.partition(".")[0], 16: family, 17: "Regular"}
    font["name"].names = [record for record in font["name"].names if record.langID == 0x409 and record.nameID < 26]
    for number, text in names.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    if "CFF " in font:
        inner = font["CFF "].cff
        inner.fontNames = [names[6]]
        inner.topDictIndex[0].FamilyName, inner.topDictIndex[0].FullName = family, family
    font.save(HERE / file)


if __name__ == "__main__":
    folders = [Path(argument) for argument in sys.argv[1:3]]
    for each in FAMILIES:
        build(read(folders[0], folders[1], each), each)
