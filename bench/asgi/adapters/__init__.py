"""One file a framework: the same applications, written as that framework's users would.

Each module makes four ASGI applications: `small` (plain text, JSON, a model, a guard), `table` (400
routes), `middlewares` (5 that do nothing) and `headers` (5 that set a header each). One that has a
second, high-level style of middleware makes `highlevel` too; one that has not is measured with
`headers` again. `QUIRKS` says in which ways its answers differ from the others'.
"""
