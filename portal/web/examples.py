"""Examples of every body and every answer in the description of the interface, made when it is first asked for.

A field's own example wins, then what `example_values.py` says for its name, then its type. A request shows what is
required and what has an example of its own; an answer shows everything.
"""

from decimal import Decimal
from functools import cache
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from litestar import Litestar

from portal.web import example_values as known
from portal.web.refusals_described import describe_refusals

METHODS = ("get", "post", "put", "patch", "delete")
JSON = "application/json"
Part = dict[str, Any]


@cache
def document(app: Litestar) -> dict[str, Any]:
    """The description of the interface, each JSON body and each JSON answer with an example, and every refusal."""
    plugin: Any = app.plugins.get("OpenAPIPlugin")
    schema: dict[str, Any] = plugin.provide_openapi_schema()  # built once, and kept there
    models = schema["components"]["schemas"]
    for name, model in models.items():
        model["title"] = name  # by which generators name their classes: two of a title lose one, and its operations
    tell_exact_numbers(models)
    maker = Maker(models)
    for item in schema["paths"].values():
        for operation in (item[method] for method in METHODS if method in item):
            illustrate(operation.get("requestBody", {}), maker, sent=True)
            for status, answer in operation["responses"].items():
                if status.startswith("2"):
                    illustrate(answer, maker, sent=False)
                    tell_bytes(answer)
    describe_refusals(app, schema)
    return schema


def tell_exact_numbers(models: dict[str, Part]) -> None:
    """An exact number is answered as text. It may be sent as text too, or as a number; defaults and examples are text,
    for which the framework's own description has no room."""
    for model in models.values():
        for part in model.get("properties", {}).values():
            if part.get("type") == "number":
                part |= {"type": ["number", "string"], "pattern": r"^-?\d+(\.\d+)?$"}


def tell_bytes(answer: Part) -> None:
    """A PDF, a picture or a spreadsheet is no text."""
    for kind, content in (answer.get("content") or {}).items():
        if kind != JSON:
            content["schema"] = {"type": "string", "format": "binary"}


def illustrate(holder: Part, maker: "Maker", *, sent: bool) -> None:
    """Put an example beside the schema of a JSON content that has none written by hand."""
    content = (holder.get("content") or {}).get(JSON)
    if content is not None and "example" not in content and "examples" not in content:
        content["example"] = maker.value(content["schema"], "", "", sent)


class Maker:
    """Makes example values from the parts of one document."""

    def __init__(self, models: dict[str, Part]) -> None:
        self.models = models
        self.open: list[str] = []  # models around the present value; one that holds itself ends there

    def value(self, part: Part, name: str, owner: str, sent: bool) -> Any:
        """A value that a part of the schema accepts."""
        if part.get("examples"):
            said = part["examples"][0]
            if isinstance(said, dict) and part.get("type") == "array":
                as_map(part)
            return str(said) if isinstance(said, Decimal) else said
        if "$ref" in part:
            return self.model(part["$ref"].rpartition("/")[2], name, sent)
        for word in ("allOf", "oneOf", "anyOf"):
            if options := [option for option in part.get(word, ()) if option.get("type") != "null"]:
                return self.value({**without(part, word), **options[0]}, name, owner, sent)
        if values := part.get("enum"):
            return preferred(values, name)
        if "const" in part:
            return part["const"]
        if part.get("type") == "array":
            return self.items(part, name, owner, sent)
        if part.get("type") == "object" or "properties" in part:
            return self.fields(part, name, owner, sent)
        return scalar(part, name, owner)

    def model(self, ref: str, name: str, sent: bool) -> Any:
        """An example of a named model."""
        if ref in self.open:
            return None
        self.open.append(ref)
        try:
            return self.value(self.models[ref], name, ref, sent)
        finally:
            self.open.pop()

    def items(self, part: Part, name: str, owner: str, sent: bool) -> list[Any]:
        """A list of one, or what is known for lists of this name."""
        items = part.get("items", {})
        if not items.keys() & {"$ref", "enum", "format"} and name in known.LISTS:
            return known.LISTS[name]
        one = self.value(items, name, owner, sent)
        return [] if one is None else [one]

    def fields(self, part: Part, name: str, owner: str, sent: bool) -> dict[str, Any]:
        """The fields of a model, or what is known for maps of this name."""
        if "properties" not in part:
            more = part.get("additionalProperties")
            other = {"A100": self.value(more, name, owner, sent)} if more else {}
            return known.MAPS.get(name, other)
        fields: dict[str, Part] = part["properties"]
        required = part.get("required", [])
        shown = [key for key in fields if not sent or key in required or self.tells(fields[key])]
        return {key: self.value(fields[key], key, owner, sent) for key in shown or fields}

    def tells(self, part: Part) -> bool:
        """Whether a field that a request may leave out is worth showing: it has an example, or holds models."""
        return bool(part.get("examples")) or "$ref" in part.get("items", {})


def without(part: Part, word: str) -> Part:
    """A part less the word that named its alternatives."""
    return {key: value for key, value in part.items() if key != word}


def as_map(part: Part) -> None:
    """Describe a map as what it is: Litestar calls one whose size is bounded a list of its keys and values."""
    values = part.pop("items", {})
    most = part.pop("maxLength", None) or part.pop("maxItems", None)
    part |= {"type": "object", "additionalProperties": (values.get("oneOf") or [values])[-1]}
    if most is not None:
        part["maxProperties"] = most


def preferred(values: list[Any], name: str) -> Any:
    """What is known for the name, else the first that is set."""
    likely = [text for text in known.LIKELY.get(name, ()) if text in values]
    return next((value for value in [*likely, *values] if value not in (None, "")), values[0])


def scalar(part: Part, name: str, owner: str) -> Any:
    """One text, number, day or id."""
    if isinstance(part.get("type"), list):
        return str(bounded(Decimal(text_of(name, owner)), part))
    match part.get("format") or part.get("type"):
        case "uuid":
            return str(uuid5(NAMESPACE_URL, f"{owner if name == 'id' else ''}{name}"))
        case "date":
            return known.DATES.get(name, known.DAY)
        case "date-time":
            return known.MOMENT
        case "boolean":
            return part.get("default", True)
        case "integer":
            return bounded(known.COUNTS.get(name, 1), part)
        case "string":
            return text_of(name, owner)
    return known.ANYTHING.get(name, known.NOTE)


def bounded(number: Any, part: Part) -> Any:
    """A number within the bounds of its part."""
    return type(number)(max(part.get("minimum", number), min(part.get("maximum", number), number)))


def text_of(name: str, owner: str) -> str:
    """What is known for a text or an exact number of this name; the name itself fails the test of the examples."""
    for key in (f"{owner}.{name}", name):
        for table in (known.QUANTITY_TEXTS, known.TEXTS):
            if key in table:
                return table[key]
    if name in known.PRICES:
        return "12.50"
    if name in known.QUANTITIES:
        return "800"
    return next((text for ending, text in known.ENDINGS if name.endswith(ending)), name)
