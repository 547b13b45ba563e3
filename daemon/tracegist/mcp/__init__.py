"""The Model Context Protocol: how a language model asks.

``account`` is what is asked, whether that is this process's engine, a daemon at its socket or files; ``tools``, ``resources``
and ``prompts`` are what a client finds; ``server`` puts them together, ``http`` serves them at ``/mcp``, ``stdio`` through
``tracegist mcp``. Nothing here is imported before a client comes: the protocol's package takes half a second and 30 MB.
"""
