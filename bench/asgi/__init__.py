"""In-process ASGI: the same 13 workloads for every framework, each framework in its own process."""
