"""HTTP over a Unix socket, as Docker does: ``curl --unix-socket PATH http://x/summary``.

``socket`` makes the socket, ``parameters`` reads what is asked, ``routes`` answers, ``stream`` keeps subscribers up to date,
``ingest`` and ``otlp`` take events in, whose bodies ``body`` reads, ``mcp`` lets models ask, ``answers`` says what went wrong,
``tcp`` has the ports, ``guard`` says who may ask there, and ``http`` puts uvicorn between them.
"""

from tracegist.server.http import HttpServer, make_app
from tracegist.server.routes import Backend
from tracegist.server.socket import Listener, listen

__all__ = ["Backend", "HttpServer", "Listener", "listen", "make_app"]
