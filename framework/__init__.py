"""Kagari: routes declared with decorators, behind guards, on Cloudflare Workers.

The layers, lowest first; a module imports only from those below its own:

1. shared_headers, errors, callables, paths, patterns, urls, cookies, outgoing_body, departure, response,
   streaming, signing, scrypt, log: values
2. text_types, validation, exact_numbers, sent_values, multipart, body, fetching, matcher,
   hosts, database: reading and finding
3. bindings, request, slots, cookie_jar, revalidation, conditional, origin, context, queues, bearer_token,
   client_network, media_types, negotiation, compose, answers: one request
4. parameters, plan, answer_check, guard_reads, guards, addresses, credentials, turnstile, problem,
   security_log, session_scheme, translation: who passes
5. interop, route_checks, router, route, fallback, body_encoding, application: what people declare
6. auth: users, keys and sessions in D1
7. middleware, openapi, testing: plug-ins
8. workers, local, cli: the edges
"""

from framework.application import App
from framework.bindings import Bindings
from framework.context import Context, Job
from framework.errors import ConfigurationError, HTTPError
from framework.guards import all_of, any_of, guard, public
from framework.parameters import Alias, Cookie, Depends, Form, Header, Query
from framework.queues import Batch, Message
from framework.request import Request
from framework.response import Response
from framework.router import Router
from framework.slots import Slot

__all__ = [
    "Alias",
    "App",
    "Batch",
    "Bindings",
    "ConfigurationError",
    "Context",
    "Cookie",
    "Depends",
    "Form",
    "HTTPError",
    "Header",
    "Job",
    "Message",
    "Query",
    "Request",
    "Response",
    "Router",
    "Slot",
    "all_of",
    "any_of",
    "guard",
    "public",
]

__version__ = "0.1.0"
"""What `kagari --version` says; ``pyproject.toml`` has it from here."""
