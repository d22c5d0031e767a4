"""Says what to write here for what FastAPI, Flask, Django and Hono call otherwise, by what Python says of it.

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
    r"^Router\.mount\(\) takes 2 positional|^Router\.\w+\(\) got .* '(url_)?prefix'": (
        'a router has its own prefix: Router("/prefix"), then app.mount(router)'
    ),
    r"^'str' object has no attribute '_declare'": (
        "routes are declared on an app or a router that was made, as app = App()"
    ),
    r"'(App|Router)' object has no attribute"
    r" '(route|add_route|add_url_rule|add_api_route|api_route|head|options)'"
    r"|^Router\.\w+\(\) got .* 'methods'": (
        'write @app.get("/path", guard=...), or @app.on(["GET", "POST"], "/path", guard=...)'
    ),
    r"'(App|Router)' object has no attribute"
    r" '(add_middleware|(before|after|teardown)_(app)?_?(request|context))'": (
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
    r"'(App|Router)' object has no attribute"
    r" '(on_event|add_event_handler|lifespan|before_(app_)?first_request)'": (
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
    r"^App\.__init__\(\) got .* '(static|template)_\w+'": (
        "static files are [assets] in wrangler.toml, and templates are texts in a module"
    ),
    r"^Router\.\w+\(\) got .* 'endpoint'": "name=... is what c.url_for calls a route",
    r"^Router\.\w+\(\) got .* 'strict_slashes'": "write App(redirect_slashes=True)",
    r"'(App|Router)' object has no attribute '(run|cli|shell_context_processor|wsgi_app)'": (
        "kagari dev serves the app, and kagari cron runs a job of @app.cron"
    ),
    r"'App' object has no attribute '(test_client|test_request_context|app_context)'": (
        "write Client(app, env=...) of framework.testing"
    ),
    r"'(App|Router)' object has no attribute '(context_processor|jinja_\w+|(app_)?template_\w+)'": (
        "templates are a package of your own, such as Jinja: hand it what it needs where you render"
    ),
    r"^No module named '(flask|django)\w*": (
        "docs/from-flask.md says what is written here instead"
    ),
    r"^cannot import name '(Flask|FastAPI|Hono|Blueprint|APIRouter|current_app)' from 'framework": (
        "write App() and Router(prefix)"
    ),
    r"^cannot import name '(abort|Http404|get_(object|list)_or_404)' from 'framework": (
        "raise NotFound or another HTTPError of framework.errors"
    ),
    r"^cannot import name '(redirect|make_response|HttpResponse\w*|render\w*)' from 'framework": (
        'write Response.redirect("/path"), Response.html(page) or Response.text(text)'
    ),
    r"^cannot import name '(url_for|reverse)' from 'framework": "write c.url_for(name)",
    r"^cannot import name '(jsonify|JsonResponse|JSONResponse)' from 'framework": (
        "return the value: a dict, a list or a Struct is sent as JSON"
    ),
    r"^cannot import name '(send_file|send_from_directory|FileResponse)' from 'framework": (
        "write attachment(data, name) of framework.streaming; static files are [assets] in wrangler.toml"
    ),
    r"^cannot import name '(g|session|flash|messages)' from 'framework"
    r"|'((_Local)?Request|Context)' object has no attribute '(g|session|flash|messages)'": (
        "a Slot holds what a guard found, and c.cookies.set_signed(...) what the next request needs"
    ),
    r"^cannot import name '(login_required|current_user|\w+_user_required)' from 'framework"
    r"|'((_Local)?Request|Context)' object has no attribute '(user|current_user)'": (
        "write guard=auth.guard() and a parameter user: User, or await auth.user(c) on a public route"
    ),
    r"^cannot import name '(\w+_password_hash|(make|set|validate)_password)' from 'framework": (
        "write auth.sign_up, auth.sign_in and auth.change_password"
    ),
    r"^module 'framework\.request' has no attribute": (
        "there is no global request: a handler takes parameters, or the context, and reads c.request"
    ),
    r"'(_Local)?Request' object has no attribute '(args|GET|values)'": (
        "write a parameter, page: Query[int] = 1; c.request.query has all"
    ),
    r"'((_Local)?Request|Context)' object has no attribute '(POST|FILES|files|form)'"
    r"|^'(method|function)' object .*, in .*request\.form\b": (
        "write a parameter, title: Form[str] or photo: Form[File], or new: Form[NewPost] of a Struct"
    ),
    r"'(_Local)?Request' object has no attribute '(get_json|is_json|data|get_data|body)'"
    r"|^'(method|function|coroutine)' object .*, in .*request\.json\b": (
        "write a parameter that is a Struct, or await c.request.json(), text() or bytes()"
    ),
    r"'(_Local)?Request' object has no attribute '(META|COOKIES)'"
    r"|is not subscriptable, in .*request\.headers\b": (
        "write a parameter, accept: Header[str] or theme: Cookie[str], or c.request.headers.get(name)"
    ),
    r"'(_Local)?Request' object has no attribute '(remote_addr|client|access_route)'": (
        "write c.request.address"
    ),
    r"'(_Local)?Request' object has no attribute"
    r" '(url\w*|base_url|full_path|host_url|get_\w+|is_secure|build_absolute_uri|endpoint)'": (
        "c.request has method, scheme, host, path, query_string and origin, and c.route the route"
    ),
    r"'Context' object has no attribute '(abort|redirect|json|html|text|body|render\w*)'": (
        "return Response.json(value), html(page), text(text) or redirect(path), or raise an HTTPError"
    ),
    r"'Response' object has no attribute '(set|delete)_\w*cookie'": (
        "write c.cookies.set(name, value), or delete(name)"
    ),
    r"'Response' object (has no attribute 'status_code'|does not support item)"
    r"|^'SharedHeaders' object does not support item": (
        "make another: response.with_header(name, value), or with_status(404)"
    ),
    r"^Response\.__init__\(\) got .* '(mimetype|content_type|media_type)'": (
        'write Response.html(page), or Response(body, 200, {"content-type": "text/css"})'
    ),
    r"'(SQLite|D1)?Database' object has no attribute '(execute\w*|commit|cursor|fetch\w*|session)'"
    r"|Database\.(all|first)\(\) missing 1 required positional argument: 'sql'": (
        "write await db.first(Post, sql, *values), all(Post, sql), run(sql) or batch([...])"
    ),
}
"""Patterns of what Python says, and what to do then."""


_SHOWN = 500
"""How many characters are looked at of what Python says, and of the line: each pattern reads them all."""


def advise(problem: BaseException) -> str:
    """Return what to write instead of what *problem*, as it was raised, is about; or ""."""
    if not isinstance(problem, (AttributeError, ImportError, TypeError)):
        return ""
    if isinstance(problem, AttributeError) and not _is_ours(problem.obj):
        return ""
    report = traceback.TracebackException.from_exception(problem)  # its text is there in any case
    line = (report.stack[-1].line or "") if report.stack else ""
    said = f"{str(report)[:_SHOWN]}, in {line[:_SHOWN]}"
    for pattern, advice in ADVICE.items():
        if re.search(pattern, said):
            return advice
    return ""


def _is_ours(value: object) -> bool:
    """Return whether *value* is the framework's or Python's own, and no other that is called like ours."""
    return type(value).__module__.partition(".")[0] in {"framework", "builtins"}
