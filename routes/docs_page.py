"""Shows an OpenAPI document as a page, without a script. Knows nothing of this app's routes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from framework import Response
from routes.docs_parts import STYLE, constraints, fields, prose, row
from routes.html import Markup, document, element

Operation = Mapping[str, Any]


def page(described: Mapping[str, Any]) -> Response:
    """Return the page that shows the OpenAPI document *described*."""
    operations = list(_operations(described))
    info, components = described["info"], described["components"]
    tags = described["tags"]
    groups = {tag["name"]: [o for o in operations if tag["name"] in o["tags"]] for tag in tags}
    return document(
        "The API",
        element("h2", "The API"),
        prose(info.get("description", "")),
        element(
            "p",
            f"Version {info['version']} · ",
            element("a", "openapi.json", href="/openapi.json"),
            f" · OpenAPI {described['openapi']}",
            class_="quiet",
        ),
        element("nav", *[_contents(name, group) for name, group in groups.items()]),
        *[_group(tag, groups[tag["name"]], components) for tag in tags],
        _schemes(components.get("securitySchemes", {})),
        _problems(components["responses"]),
        _shapes(components["schemas"]),
        style=STYLE,
    )


def _operations(described: Mapping[str, Any]) -> Iterator[Operation]:
    for path, item in described["paths"].items():
        for verb, operation in item.items():
            yield {**operation, "path": path, "verb": verb}


def _contents(name: str, operations: Iterable[Operation]) -> Markup:
    items = [
        element("li", element("a", *_line(o), href=f"#{o['operationId']}")) for o in operations
    ]
    return element(
        "div", element("a", name, href=f"#tag-{name}", class_="tag"), element("ul", *items)
    )


def _line(operation: Operation) -> tuple[Markup, Markup]:
    """Return the method and the path."""
    verb, path = operation["verb"], operation["path"]
    return element("b", verb.upper(), class_=f"verb {verb}"), element("code", path)


def _group(
    tag: Mapping[str, str], operations: Iterable[Operation], components: Mapping[str, Any]
) -> Markup:
    name = tag["name"]
    return _section(
        name.replace("_", " ").capitalize(),
        f"tag-{name}",
        prose(tag.get("description", ""), class_="quiet"),
        *[_article(operation, components) for operation in operations],
    )


def _article(operation: Operation, components: Mapping[str, Any]) -> Markup:
    name, guard = operation["operationId"], operation["x-guard"]
    access = "open" if guard == "public" else "guarded"
    return element(
        "article",
        element(
            "header",
            element("h3", element("a", *_line(operation), href=f"#{name}")),
            element("span", guard, class_=f"access {access}"),
        ),
        element("p", operation["summary"] + ".", class_="summary"),
        prose(operation.get("description", "")),
        _parameters(operation.get("parameters", ())),
        _body(operation.get("requestBody"), components["schemas"]),
        _responses(operation["responses"]),
        id=name,
    )


def _parameters(parameters: Iterable[Mapping[str, Any]]) -> Markup | None:
    rows = [
        row(
            parameter["name"],
            [*constraints(parameter["schema"]), f", in the {parameter['in']}"],
            required=parameter["required"],
            description=parameter.get("description", ""),
        )
        for parameter in parameters
    ]
    return _part("Parameters", rows)


def _body(body: Mapping[str, Any] | None, schemas: Mapping[str, Any]) -> Markup | None:
    if body is None:
        return None
    by_schema: dict[str, list[str]] = {}
    for media_type, content in body["content"].items():
        by_schema.setdefault(repr(content["schema"]), []).append(media_type)
    parts = [
        _part("Body", fields(body["content"][types[0]]["schema"], schemas), " or ".join(types))
        for types in by_schema.values()
    ]
    return Markup("".join(part for part in parts if part))


def _responses(responses: Mapping[str, Any]) -> Markup | None:
    rows: list[Markup] = []
    problems: list[Markup | str] = []
    for status, response in responses.items():
        if "$ref" in response:
            name = response["$ref"].rpartition("/")[2]
            text = status if status != "default" else "others"
            problems += [element("a", text, href=f"#problem-{name}"), " "]
        else:
            rows.append(row(status, _answer(response)))
    if problems:
        problem = element("a", "Problem", href="#shape-Problem")
        told = element("dd", *problems, "as a ", problem)
        rows.append(element("div", element("dt", "else"), told))
    return _part("Answers", rows, class_="answers")


def _answer(response: Mapping[str, Any]) -> list[Markup | str]:
    shapes = [
        constraints(content["schema"]) if "schema" in content else [media_type]
        for media_type, content in response.get("content", {}).items()
    ]
    return [response["description"], " ", *[part for shape in shapes for part in shape]]


def _part(
    title: str, rows: Sequence[Markup], note: str = "", class_: str | None = None
) -> Markup | None:
    if not rows:
        return None
    heading = element("h4", title, element("small", f" {note}") if note else None)
    return Markup(heading + element("dl", *rows, class_=class_))


def _section(title: str, id: str, *parts: Markup | None) -> Markup:
    return element("section", element("h2", title, id=id), *parts)


def _schemes(schemes: Mapping[str, Any]) -> Markup | None:
    if not schemes:
        return None
    rows = [
        row(
            name,
            [f"{scheme.get('name', '')} ({scheme.get('in', scheme['type'])})"],
            description=scheme.get("description", ""),
        )
        for name, scheme in schemes.items()
    ]
    return _section("Signing in", "schemes", element("dl", *rows))


def _problems(responses: Mapping[str, Any]) -> Markup:
    rows = [
        row(name, [response["description"]], anchor=f"problem-{name}")
        for name, response in responses.items()
    ]
    return _section("Problems", "problems", element("dl", *rows))


def _shapes(schemas: Mapping[str, Any]) -> Markup:
    return _section(
        "Shapes",
        "shapes",
        *[
            element(
                "article",
                element("h3", element("a", element("code", name), href=f"#shape-{name}")),
                prose(schema.get("description", "")),
                element("dl", *fields(schema, schemas)),
                id=f"shape-{name}",
            )
            for name, schema in schemas.items()
        ],
    )
