"""tracegist: what happens on a trace host, within a budget of tokens."""
