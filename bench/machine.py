"""Says what something was measured on, and when: for the results that are kept."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["machine"]


def machine() -> dict[str, str | int]:
    """Return the date, the processor, its cores, the system and the Python of this process."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
