"""What ``/status`` says: how the daemon is, what it reads, what was lost, and when it was last saved."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import msgspec

if TYPE_CHECKING:
    from tracegist._engine import Engine
    from tracegist.publish import Publisher
    from tracegist.work import Work

__all__ = ["collect_status", "version_of"]


def version_of() -> str:
    """The installed version; "unknown" for a source tree that was never built."""
    try:
        return version("tracegist")
    except PackageNotFoundError:
        return "unknown"


async def collect_status(engine: Engine, publisher: Publisher, work: Work, *, since: float) -> dict[str, object]:
    """Collect everything into one object of plain values.

    :param since: when the daemon started, in seconds since the epoch
    """
    # The engine answers when it is done with what it is at; all else belongs to the event loop, and changes there.
    stats: dict[str, Any] = msgspec.json.decode(await anyio.to_thread.run_sync(engine.stats))
    generation = await anyio.to_thread.run_sync(engine.generation)
    latest = publisher.latest
    committer = work.committer
    written_at, cost, fallback = committer.written_at, committer.cost, committer.fallback
    now = time.time()
    return {
        "version": version_of(),
        "pid": os.getpid(),
        "started": datetime.fromtimestamp(since, UTC).isoformat(timespec="seconds"),
        "uptime_s": round(now - since, 1),
        "generation": generation,
        "notices": publisher.notices,
        "summary": {
            "budget": publisher.summary.budget,
            "encoding": publisher.summary.encoding,
            "tokens": latest.tokens if latest is not None else None,
            "generation": latest.generation if latest is not None else None,
            "age_s": round(time.monotonic() - latest.at, 1) if latest is not None else None,
            "files": [str(path) for path in publisher.files],
            "subscribers": publisher.subscribers,
        },
        "commit": {
            "folder": str(work.config.state.folder),
            "generation": committer.generation,
            "age_s": round(now - written_at, 1) if written_at is not None else None,
            "bytes": cost.bytes if cost is not None else None,
            "took_s": round(cost.seconds, 3) if cost is not None else None,
            "failure": committer.failure or None,
            "fallback": str(fallback) if fallback is not None else None,
        },
        "waiting_bytes": work.waiting,
        "sources": _sources(work),
        **stats,
    }


def _sources(work: Work) -> list[dict[str, object]]:
    progress = work.progress
    failures: Mapping[str, str] = work.failures
    found: list[dict[str, object]] = []
    for name, kind in work.kinds.items():
        # A stream without a place is what a source remembers.
        own = (known for known in progress.values() if known.source == name)
        streams = [known for known in own if known.position.path or known.position.offset]
        found.append(
            {
                "name": name,
                "type": kind,
                "streams": len(streams),
                "events": sum(known.events for known in streams),
                "rejected": sum(known.rejected for known in streams),
                "reason": next((known.reason for known in streams if known.reason), None),
                "failure": failures.get(name),
                **work.figures(name),
            }
        )
    return found
