"""Says what to write here for what FastAPI, Flask and Hono call otherwise, by what Python says of it.

Run by `import_check.py` as well as imported, so it needs nothing but the standard library.
"""

from __future__ import annotations

import re
import traceback

ADVICE = {
    r"^(App|Router)\.\w+\(\) got .* '(response_model|status_code|response_class)'": (
        "the return annotation says what is answered, and Response.json(value, 201) has another status"
    ),
    r"^(App|Router)\.\w+\(\) got .* '(dependencies|permissions|auth|guards)'": (
        "who may pass is guard=..."
    ),
    r"^(App|Router)\.\w+\(\) got .* '(tags|summary|description|operation_id|include_in_schema)'": (
        "OpenAPI takes the tag from the router's prefix, the rest from the docstring; hide=True leaves out"
    ),
    r"^(App|Router)\.\w+\(\) got .* '(title|version|docs_url|openapi_url|debug|lifespan)'": (
        "App takes what is in docs/reference.md; kagari openapi is told the title"
    ),
    r"^cors\(\) got .* '(allow_\w+|expose_headers)'": (
        "write cors([...], methods=[...], headers=[...], credentials=...)"
    ),
    r"'(App|Router)' object has no attribute '(include_router|register_blueprint)'": (
        'write app.mount(router); its prefix is Router("/prefix")'
    ),
    r"^Router\.mount\(\) (takes 2 positional arguments|got .* 'prefix')": (
        'a router has its own prefix: Router("/prefix")'
    ),
    r"^'str' object has no attribute '_declare'": (
        "routes are declared on an app or a router that was made, as app = App()"
    ),
    r"'(App|Router)' object has no attribute '(route|add_route|add_api_route|api_route|head|options)'": (
        'write @app.get("/path", guard=...), or @app.on(["GET", "POST"], "/path", guard=...)'
    ),
    r"'(App|Router)' object has no attribute '(add_middleware|before_request|after_request)'": (
        "write app.use(layer), of an async function of (c, call_next)"
    ),
    r"^'list' object is not callable, in .*\.middleware\(": (
        "write app.use(layer), of an async function of (c, call_next)"
    ),
    r"'(App|Router)' object has no attribute '(exception_handler|errorhandler|onError)'": (
        "write @app.on_error, one function for all errors"
    ),
    r"'App' object has no attribute '(config|env|secret_key|settings|state)'": (
        "what the deployment says is a subclass of Bindings, which handlers ask for"
    ),
    r"'App' object has no attribute '(on_event|add_event_handler|lifespan)'": (
        "nothing runs at start-up: bindings belong to the request"
    ),
    r"'(App|Router)' object has no attribute '(scheduled|schedule|crontab|task)'": (
        'write @app.cron("17 3 * * *") above an async function of (job: Job)'
    ),
    r"'(App|Router)' object has no attribute '(websocket|websocket_route)'": (
        "there are no WebSockets: they belong in a Durable Object"
    ),
    r"^Slot\.__init__\(\) missing": 'write Slot("name", Class)',
    r"^'(typing\.)?TypeVar' object is not callable": (
        "a marker is a type, and the default a plain one: limit: Query[int] = 20"
    ),
}
"""Patterns of what Python says, and what to do then."""


def advise(problem: BaseException) -> str:
    """Return what to write instead of what *problem*, raised at import, is about; or ""."""
    if not isinstance(problem, (AttributeError, TypeError)):
        return ""
    line = traceback.extract_tb(problem.__traceback__)[-1].line
    for pattern, advice in ADVICE.items():
        if re.search(pattern, f"{problem}, in {line}"):
            return advice
    return ""
