"""Server-sent events: the summary, and each newer one as it is published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio
from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tracegist.publish import Publisher, Rendering

__all__ = ["stream_events", "stream_summaries"]

# Shorter than the minute after which proxies and clients give up on a silent connection.
_HEARTBEAT: Final = 15.0


def stream_summaries(publisher: Publisher, *, json: bool = False, heartbeat: float = _HEARTBEAT) -> StreamingResponse:
    """Answer with a stream that ends when the client leaves or the daemon stops.

    :param json: send the JSON object in place of the text
    :param heartbeat: seconds of silence after which a comment shows that the connection lives
    """
    return StreamingResponse(
        stream_events(publisher, json=json, heartbeat=heartbeat),
        headers={"Cache-Control": "no-store"},
        media_type="text/event-stream",
    )


def _event(rendering: Rendering, *, json: bool = False) -> bytes:
    """One event: its id is the engine's generation, each line of the text is a line of its data."""
    data = rendering.json.rstrip(b"\n") if json else rendering.text.rstrip("\n").encode(errors="replace")
    lines = b"".join(b"data: " + line + b"\n" for line in data.split(b"\n"))
    return b"id: %d\nevent: summary\n%b\n" % (rendering.generation, lines)


async def stream_events(
    publisher: Publisher, *, json: bool = False, heartbeat: float = _HEARTBEAT
) -> AsyncGenerator[bytes, None]:
    """Yield the events of one subscriber, for whom the newest summary alone is remembered."""
    with publisher.subscribe() as subscription:
        while True:
            rendering = None
            with anyio.move_on_after(heartbeat) as waiting:
                rendering = await subscription.newest()
            if rendering is not None:
                yield _event(rendering, json=json)
            elif waiting.cancelled_caught:
                yield b": still here\n\n"
            else:
                return
