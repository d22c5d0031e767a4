"""Tells a cancellation that was meant for this request from one that a handler let through."""

__all__ = ["as_fault"]


def as_fault(error: BaseException) -> Exception:
    """Return *error*, or what stands for a cancellation that was not meant for who handles this request.

    Raises *error* where it is: what ends the process, or the task, passes.
    """
    if isinstance(error, Exception):
        return error
    if not _is_stray(error):
        raise error
    fault = RuntimeError("what was awaited here was cancelled, and nobody caught that")
    fault.__cause__ = error
    return fault


def _is_stray(error: BaseException) -> bool:
    if type(error).__name__ != "CancelledError":
        return False
    from asyncio import current_task  # off the cold-start path: cancelled things have loaded it

    task = current_task()
    return task is not None and not task.cancelling()
