"""What `portal import scms FILE` does between the file and the last commit, in a process of its own.

Prints one JSON object: the seconds, the schedule lines written and the peak of memory of the process and its reader.
"""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

from portal.core import db
from portal.core.settings import get_settings
from portal.sync import service


async def run(source: Path) -> dict[str, float]:
    """Read, check and write one file into the only workspace, which the first import makes."""
    settings = get_settings()
    db.configure(settings, pool_size=2)
    begin = time.perf_counter()
    parsed = await service.read_scms(source, source.name)
    written = await service.import_scms(str(settings.database_url), parsed, None)
    seconds = time.perf_counter() - begin
    await db.dispose()
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {"seconds": seconds, "lines": written.fresh, "peak_mb": max(peaks) / 1024}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(Path(sys.argv[1])))))
