"""Says in OpenAPI's words how a session's cookie tells who asks. Knows nothing of sessions."""

from framework.guards import SecurityScheme

__all__ = ["session_cookie"]


def session_cookie(name: str = "auth_session") -> SecurityScheme:
    """Return how `Auth` knows who asks: by the session cookie *name*."""
    return SecurityScheme(
        "session",
        {
            "type": "apiKey",
            "in": "cookie",
            "name": f"__Host-{name}",
            "description": (
                f"The session cookie that signing in sets. On http://localhost it is `{name}`,"
                " without the prefix. An unsafe request that carries it has to come from the site"
                " itself, by `Sec-Fetch-Site` or `Origin`."
            ),
        },
    )
