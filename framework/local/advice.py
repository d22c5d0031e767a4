"""Says what to write here for what FastAPI, Flask, Django and Hono call otherwise, by what Python says of it.

Run by `import_check.py` as well as imported, so it needs nothing but the standard library.
"""

from __future__ import annotations

import os
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
    r"^cors\(\) (missing|got .* '(origin|allow\w+|expose\w+|maxAge)')": (
        "write cors([...], methods=[...], headers=[...], credentials=...)"
    ),
    r"^Router\.mount\(\) takes 2 positional|^Router\.\w+\(\) got .* '(url_)?prefix'"
    r"|'(App|Router)' object has no attribute"
    r" '(include_router|register_blueprint|basePath|base_path|route'.*, in \w+\.route\()": (
        'write app.mount(router); its prefix is Router("/prefix")'
    ),
    r"^'str' object has no attribute '_declare'": (
        "routes are declared on an app or a router that was made, as app = App()"
    ),
    r"'(App|Router)' object has no attribute"
    r" '(route|add_route|add_url_rule|add_api_route|api_route|head|options|query)'"
    r"|^Router\.\w+\(\) got .* 'methods'": (
        'write @app.get("/path", guard=...), or @app.on(["GET", "POST"], "/path", guard=...)'
    ),
    r"'(App|Router)' object has no attribute"
    r" '(add_middleware|(before|after|teardown)_(app)?_?(request|context))'"
    r"|^'list' object is not callable, in .*\.middleware\("
    r"|^'NoneType' object is not callable, in @\w+\.use\(|^next expected at least 1 argument": (
        "write app.use(layer), of an async function of (c, call_next)"
    ),
    r"takes \d positional arguments? but \d (was|were) given, in .*\b(call_)?next\(": (
        "call_next takes nothing: return await call_next()"
    ),
    r"^(.*: )?this has to return a Response, not a NoneType": (
        "a layer returns what await call_next() has returned, or another Response"
    ),
    r"^'function' object has no attribute .*, in .*\)\.(get|post|put|patch|delete|all|on|route)\(": (
        'routes are not chained: each is a decorator, @app.get("/path", guard=...), above its function'
    ),
    r"'(App|Router)' object has no attribute '(exception_handler|errorhandler|onError)'": (
        "write @app.on_error, one function for all errors"
    ),
    r"'(App|Router)' object has no attribute 'notFound'": "write @app.not_found",
    r"'App' object has no attribute '(config|env|secret_key|settings|state)'"
    r"|^type 'App' is not subscriptable": (
        "what the deployment says is a subclass of Bindings, which handlers ask for"
    ),
    r"'(App|Router)' object has no attribute"
    r" '(on_event|add_event_handler|lifespan|before_(app_)?first_request)'": (
        "nothing runs at start-up: bindings belong to the request"
    ),
    r"'(App|Router)' object has no attribute '(scheduled|schedule|crontab|task)'": (
        'write @app.cron("17 3 * * *") above an async function of (job: Job)'
    ),
    r"'(App|Router)' object has no attribute '(websocket|websocket_route|ws)'": (
        "there are no WebSockets: they belong in a Durable Object"
    ),
    r"^(bearer|basic)\(\) (got|takes)": (
        'write bearer("TOKEN"), the name of a secret, or basic(verify), of an async function of (c, user,'
        " password) that returns a bool"
    ),
    r"^(secure_headers|request_id|body_limit|cache|etag|timeout)\(\) (got|takes|missing)"
    r"|^'module' object is not callable": (
        "docs/middleware.md has what each layer takes, as from framework.middleware.cors import cors"
    ),
    r"^unsupported .* for [&|]: .*'(function|method)'": "write auth.guard(), or guard(function)",
    r"missing 1 required positional argument: '(c|context|ctx)', in .*\bguard="
    r"|^'_Public' object is not callable": (
        "a guard is named, not called: guard=public, or guard=guard(function)"
    ),
    r"^Slot\.__init__\(\) missing": 'write Slot("name", Class)',
    r"^'\w+', in .*\bos\.environ\[": (
        "the Worker puts no variables into os.environ: a subclass of Bindings declares them"
    ),
    r"^'(typing\.)?TypeVar' object is not callable": (
        "a marker is a type, and the default a plain one: limit: Query[int] = 20"
    ),
    r"^App\.__init__\(\) got .* '(static|template)_\w+'": (
        "static files are [assets] in wrangler.toml, and templates are texts in a module"
    ),
    r"^Router\.\w+\(\) got .* 'endpoint'": "name=... is what c.url_for calls a route",
    r"^(App|Router)\.\w+\(\) got .* 'strict(_slashes)?'": "write App(redirect_slashes=True)",
    r"^App\.__init__\(\) got .* 'get_?[pP]ath'": 'write Router(host="api.example.com")',
    r"'(App|Router)' object has no attribute"
    r" '(run|cli|shell_context_processor|wsgi_app|fire|fetch|listen|serve)'": (
        "kagari dev serves the app, and kagari cron runs a job of @app.cron"
    ),
    r"'App' object has no attribute '(test_client|test_request_context|app_context)'": (
        "write Client(app, env=...) of framework.testing"
    ),
    r"'(App|Router)' object has no attribute '(context_processor|jinja_\w+|(app_)?template_\w+)'": (
        "templates are a package of your own, such as Jinja: hand it what it needs where you render"
    ),
    r"^App\.request\(\) missing": 'write await app.request("GET", "/path")',
    r"^No module named '(js|pyodide|workers|_cloudflare)\b": (
        "app.py and routes/ are imported on this machine, too: bindings come as c.env or Bindings, fetch from"
        " framework.fetching, and classes of Durable Objects stand in another Worker"
    ),
    r"^No module named '(flask|django)\w*": "docs/from-flask.md says what is written here instead",
    r"^No module named 'framework\.(middleware\.)?(basic_auth|bearer_auth|ip_restriction|jwt|jwk)\b"
    r"|^cannot import name '(basic_?[aA]uth|bearer_?[aA]uth|ip_?[rR]estriction|jwt|jwk)' from 'framework": (
        "who may pass is a guard: bearer, basic and api_key of framework.credentials, ip_allow of"
        " framework.addresses"
    ),
    r"^cannot import name '(some|every|except)' from 'framework": (
        "guards are put together: guard=a | b passes where one does, a & b where both do"
    ),
    r"^No module named '(hono|framework\.(helper|middleware\.(combine|compress|csrf|language|logger"
    r"|method_override|powered_by|pretty_json|timing|trailing_slash))\b)"
    r"|^cannot import name '(accepts|combine|compress|create\w+|csrf|env|\w+[cC]onn_?[iI]nfo|hc|logger"
    r"|language\w*|proxy|show\w?[rR]outes|stream_?(sse|SSE|text|Text)|testClient|timing"
    r"|trailing\w+|upgrade\w+|serve\w+|\w+_?[cC]ookie|\w*[vV]alidator)' from 'framework": (
        "docs/from-hono.md says what is written here instead"
    ),
    r"^cannot import name '(Flask|FastAPI|Hono|Blueprint|APIRouter|current_app)' from 'framework": (
        "write App() and Router(prefix)"
    ),
    r"^cannot import name '(abort|Http404|HTTPException|get_(object|list)_or_404)' from 'framework"
    r"|^HTTPError\.__init__\(\) (got|takes)": (
        'raise NotFound or another of framework.errors, or HTTPError(403, "Not you.")'
    ),
    r"'\w*(Error|Found|Invalid|lict|dden|rized)' object has no attribute '(message|get_?[rR]esponse)'": (
        "an error has status, code, detail and errors, and error.__cause__ is what else was raised"
    ),
    r"^cannot import name '(redirect|make_response|HttpResponse\w*|render\w*|html)' from 'framework": (
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
    r"'(_Local)?Request' object has no attribute '(args|GET|values|queries)'"
    r"|^'dict' object is not callable, in .*request\.query\(": (
        "write a parameter, page: Query[int] = 1; c.request.query has all, in lists"
    ),
    r"'((_Local)?Request|Context)' object has no attribute"
    r" '(POST|FILES|files|form|parse_?[bB]ody|form_?[dD]ata)'"
    r"|^'(method|function)' object .*, in .*request\.form\b": (
        "write a parameter, title: Form[str] or photo: Form[File], or new: Form[NewPost] of a Struct"
    ),
    r"'(_Local)?Request' object has no attribute"
    r" '(get_json|is_json|data|get_data|body|valid|array_?[bB]uffer|blob)'"
    r"|^'(method|function|coroutine)' object .*, in .*request\.json\b": (
        "write a parameter that is a Struct, or await c.request.json(), text() or bytes()"
    ),
    r"'(_Local)?Request' object has no attribute '(META|COOKIES|header)'"
    r"|is not subscriptable, in .*request\.headers\b": (
        "write a parameter, accept: Header[str] or theme: Cookie[str], or c.request.headers.get(name)"
    ),
    r"'(_Local)?Request' object has no attribute '(remote_addr|client|access_route|cf)'": (
        "write c.request.address, or c.request.country"
    ),
    r"'((_Local)?Request|Context)' object has no attribute '(req|param|path_params|query|headers)'"
    r"|^'(dict|mappingproxy)' object has no attribute .*, in .*\.params\.": (
        "it is c.request here, and c.params; or write parameters: id: int of the path, page: Query[int],"
        " x_day: Header[str], and new: NewNote, a Struct, for a JSON body"
    ),
    r"'(_Local)?Request' object has no attribute"
    r" '(url\w*|base_url|full_path|host_url|get_\w+|is_secure|build_absolute_uri|endpoint"
    r"|raw|route_?[pP]ath|matched_?[rR]outes)'|'Context' object has no attribute '(url|method|path)'": (
        "c.request has method, scheme, host, path, query_string and origin, and c.route the route"
    ),
    r"'Context' object has no attribute"
    r" '(abort|redirect|json|html|text|body|render\w*|not_?[fF]ound|new_?[rR]esponse)'": (
        "return Response.json(value), html(page), text(text) or redirect(path), or raise an HTTPError"
    ),
    r"'Context' object has no attribute '(header|status|res|response)'"
    r"|^Response\.(json|html|text)\(\) (takes|got)|^'<=' not supported .*, in if not 200 <= status"
    r"|object has no attribute 'encode', in return _make_content\(text": (
        "an answer is returned: Response.json(value, 201).with_header(name, value); a layer does that with"
        " what await call_next() has returned"
    ),
    r"'Context' object has no attribute '(var|vars|state)'|^'str' object .* 'outlasts_refusal'": (
        'write USER = Slot("user", User), c.set(USER, user) and c.get(USER), or a parameter user: User'
    ),
    r"'Context' object has no attribute '(execution_?[cC]tx|wait\w+|event)'": (
        "write c.wait_until(work()), of an async function"
    ),
    r"^'(dict|_LocalEnvironment)' object has no attribute .*, in .*\benv\.": (
        'write c.database("DB") or c.env["NAME"], or declare all as Bindings'
    ),
    r"^a body is bytes, .* not a NoneType": "return None, or Response.empty(204)",
    r"^'str' object has no attribute .*, in .*\bsigner\.": (
        "write c.cookies.set_signed(Signer([secret]), name, value), with Signer of framework.signing"
    ),
    r"'(Response|Context)' object has no attribute '(set|get|delete)_?\w*[cC]ookies?'"
    r"|'Context' object has no attribute 'cookie'|'CookieJar' object|^CookieJar\.set(_signed)?\(\) ": (
        "write c.cookies.set(name, value, max_age=..., http_only=...), get(name) or delete(name)"
    ),
    r"'Response' object (has no attribute '(status_code|set_?[hH]eader|with_headers)'|does not support item)"
    r"|^Response\.header\(\) takes|'SharedHeaders' object|'list' object .*, in .*\.headers\."
    r"|^list indices must be integers .*, in .*\.headers\[": (
        "make another: response.with_header(name, value), or with_status(404); header(name) reads one"
    ),
    r"^(App|Router)\.\w+\(\) got .* '(path|rule|route|url|uri)'": (
        'the path comes first, without a name: @app.get("/path", guard=...)'
    ),
    r"^fetch\(\) got .* '(json|data|content|params|query|timeout|auth|cookies|files)'": (
        'write fetch(url, method="POST", headers={"content-type": "application/json"},'
        " body=msgspec.json.encode(value), timeout_ms=2_000); urlencode puts a query together"
    ),
    r"^Log\.\w+\(\) (takes|got|missing)|'Log' object has no attribute": (
        'write c.log.info("note made", note=5): info, debug, warning or error, and fields by name'
    ),
    r"^Client\.\w+\(\) got .* '(params|query|follow_redirects)'": (
        "a query stands in the path; what is sent is json=, form= or body=; no redirect is followed"
    ),
    r"^expected string or bytes-like object, got 'list', in if not _ENTRY\.": (
        'hosts are named one by one: trusted_hosts("example.com", "*.example.com")'
    ),
    r"^Response\.__init__\(\) got .* '(mimetype|content_type|media_type)'": (
        'write Response.html(page), or Response(body, 200, {"content-type": "text/css"})'
    ),
    r"'(SQLite|D1)?Database' object has no attribute"
    r" '(execute\w*|commit|cursor|fetch\w*|session|prepare|exec|query)'"
    r"|^'function' object has no attribute .*, in .*\.database\."
    r"|Database\.(all|first)\(\) missing 1 required positional argument: 'sql'": (
        "write await db.first(Post, sql, *values), all(Post, sql), run(sql) or batch([...])"
    ),
}
"""Patterns of what Python says, and what to do then."""

_PASSED = ("<frozen os>", os.__file__, os.path.join("framework", "guards.py"))
"""Where os.environ[name] is looked up, and a guard's function called: the line before that says more."""

_SHOWN = 500
"""How many characters are looked at of what Python says, and of the line: each pattern reads them all."""


def advise(problem: BaseException) -> str:
    """Return what to write instead of what *problem*, as it was raised, is about; or ""."""
    if not isinstance(problem, (AttributeError, ImportError, KeyError, TypeError)):
        return ""
    if isinstance(problem, AttributeError) and not _is_ours(problem.obj):
        return ""
    report = traceback.TracebackException.from_exception(problem)  # its text is there in any case
    lines = [frame.line or "" for frame in report.stack if not frame.filename.endswith(_PASSED)]
    line = lines[-1] if lines else ""
    return advise_of(f"{str(report)[:_SHOWN]}, in {line[:_SHOWN]}")


def advise_of(said: str) -> str:
    """Return what to write instead, by what Python *said* and the line where it did, or ""."""
    return next((advice for pattern, advice in ADVICE.items() if re.search(pattern, said)), "")


def _is_ours(value: object) -> bool:
    """Return whether *value* is the framework's or Python's own, and no other that is called like ours."""
    return type(value).__module__.partition(".")[0] in {"framework", "builtins"}
