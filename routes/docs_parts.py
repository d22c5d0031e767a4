"""The parts of the page that shows the API: schemas in words, rows, text, and the style."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from framework.response import encode_json
from routes.html import Markup, element

Schema = Mapping[str, Any]
Child = Markup | str

STYLE = """
:root { --get: #15803d; --post: #1d4ed8; --put: #a16207; --delete: #b91c1c; }
@media (prefers-color-scheme: dark) {
  :root { --get: #4ade80; --post: #93c5fd; --put: #facc15; --delete: #fca5a5; }
}
h2 { margin: 1rem 0 0; }
h3, h4, dl, dd, .summary { margin: 0; }
h4 { font-size: 0.8rem; margin-top: 0.9rem; opacity: 0.75; }
h4 small { font-weight: 400; }
p { margin: 0.4rem 0; }
a { color: inherit; }
nav { columns: 17rem 2; column-gap: 2rem; background: #8881; border-radius: 0.6rem;
  padding: 1rem 1.2rem; margin: 1rem 0 1.5rem; }
nav div { break-inside: avoid; padding-bottom: 0.7rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: flex; gap: 0.6rem; align-items: baseline; text-decoration: none; }
nav .verb { width: 3.6rem; }
.tag { font-weight: 600; text-decoration: none; }
article { border: 1px solid var(--line); border-radius: 0.6rem; padding: 0.8rem 1rem 1rem;
  margin: 1rem 0; }
article:target { border-color: var(--accent); }
header { display: flex; flex-wrap: wrap; gap: 0.3rem 1rem; justify-content: space-between;
  align-items: baseline; }
h3 a { display: flex; flex-wrap: wrap; gap: 0 0.7rem; align-items: baseline; text-decoration: none; }
.verb { font: 700 0.78rem ui-monospace, monospace; color: var(--post); }
.verb.get { color: var(--get); }
.verb.put { color: var(--put); }
.verb.delete { color: var(--delete); }
.access { font-size: 0.78rem; border: 1px solid var(--line); border-radius: 1rem;
  padding: 0.05rem 0.65rem; }
.access.guarded { color: var(--accent); border-color: currentColor; }
dl > div { display: grid; grid-template-columns: minmax(8rem, 13rem) 1fr; gap: 0 1rem;
  padding: 0.3rem 0; border-bottom: 1px solid var(--line); }
dl.answers > div { grid-template-columns: 3rem 1fr; }
dt, dd { min-width: 0; }
dt small { color: var(--accent); white-space: nowrap; }
dd p { opacity: 0.7; margin: 0; font-size: 0.92em; }
@media (max-width: 34rem) { dl:not(.answers) > div { grid-template-columns: 1fr; } }
"""

_MARKED = re.compile(r"``(.+?)``|`(.+?)`|\*(\w+)\*", re.DOTALL)


def prose(text: str, **attributes: str) -> Markup | None:
    """Return *text*, a docstring, as paragraphs; what stands in backticks or stars is code."""
    paragraphs = [part for part in text.split("\n\n") if part.strip()]
    if not paragraphs:
        return None
    return Markup("".join(element("p", *_marked(part), **attributes) for part in paragraphs))


def _marked(text: str) -> Iterator[Child]:
    end = 0
    for found in _MARKED.finditer(text):
        yield text[end : found.start()]
        yield element("code", found[1] or found[2] or found[3])
        end = found.end()
    yield text[end:]


def row(
    name: str,
    about: Sequence[Child],
    *,
    required: bool = False,
    description: str = "",
    anchor: str | None = None,
) -> Markup:
    """Return one row of a list: what it is called, and what there is to know *about* it."""
    mark = element("small", " required") if required else None
    term = element("dt", element("code", name), mark)
    return element("div", term, element("dd", *about, prose(description)), id=anchor)


def fields(schema: Schema, schemas: Mapping[str, Schema]) -> list[Markup]:
    """Return a row for each field of an object; one row for what is none."""
    known = schemas[_name(schema)] if "$ref" in schema else schema
    required = known.get("required", ())
    rows = [
        row(
            name,
            constraints(inner),
            required=name in required,
            description=inner.get("description", ""),
        )
        for name, inner in known.get("properties", {}).items()
    ]
    if known.get("additionalProperties") is False:
        rows.append(element("div", element("dt"), element("dd", "no other fields", class_="quiet")))
    return rows or [row("value", constraints(known))]


def constraints(schema: Schema) -> list[Child]:
    """Return *schema* in words: ``string, 8 to 1024 characters``."""
    said = _kind(schema)
    for text in (_between(schema, "minLength", "maxLength", " characters"),
                 _between(schema, "minimum", "maximum", ""),
                 _between(schema, "minItems", "maxItems", " items")):  # fmt: skip
        said += [", ", text] if text else []
    if "pattern" in schema:
        said += [", as ", element("code", schema["pattern"])]
    if schema.get("default") not in (None, ""):
        said += [", default ", _value(schema["default"])]
    return said


def _kind(schema: Schema) -> list[Child]:
    if "$ref" in schema:
        return [element("a", _name(schema), href=f"#shape-{_name(schema)}")]
    if "enum" in schema:
        return _joined([[_value(value)] for value in schema["enum"]])
    if "anyOf" in schema:
        return _joined([constraints(member) for member in schema["anyOf"]])
    kind = schema.get("type", "anything")
    if kind == "array":
        return ["list of ", *constraints(schema.get("items", {}))]
    inner: Schema | bool = schema.get("additionalProperties", True)
    if kind == "object" and not isinstance(inner, bool):
        return ["object, each field: ", *constraints(inner)]
    return [f"{kind} ({schema['format']})" if "format" in schema else kind]


def _value(value: Any) -> Markup:
    """Return *value* as it is sent: a text, or JSON."""
    return element("code", value if isinstance(value, str) else encode_json(value).decode())


def _joined(members: Sequence[list[Child]]) -> list[Child]:
    return [part for member in members for part in (" or ", *member)][1:]


def _between(schema: Schema, low: str, high: str, unit: str) -> str:
    least, most = schema.get(low), schema.get(high)
    if least is None:
        return "" if most is None else f"up to {most:,}{unit}"
    return f"{least:,} or more{unit}" if most is None else f"{least:,} to {most:,}{unit}"


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]
