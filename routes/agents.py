"""Says which browser a User-Agent header means, in words. Knows nothing of sessions."""

# Browsers name their ancestors, too: the first that is found counts.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_name(agent: str | None) -> str:
    """Return ``Firefox on Linux`` for what a browser calls itself; what is none, as it stands."""
    if not agent:
        return "An unknown browser"
    browser = _first(_BROWSERS, agent)
    system = _first(_SYSTEMS, agent)
    if not agent.startswith("Mozilla/5.0 (") or browser is None:
        return agent
    return f"{browser} on {system}" if system else browser


def _first(names: tuple[tuple[str, str], ...], agent: str) -> str | None:
    return next((name for part, name in names if part in agent), None)
