"""``tracegist completion``: a script that a shell sources."""

from __future__ import annotations

from typing import Literal

from tracegist.cli._output import write

__all__ = ["completion"]


def completion(shell: Literal["bash", "zsh", "fish"]) -> None:
    """Print the completion script for a shell.

    Examples:
        source <(tracegist completion bash)                                  in this shell
        tracegist completion bash > ~/.local/share/bash-completion/completions/tracegist
        tracegist completion zsh > "${fpath[1]}/_tracegist"
        tracegist completion fish > ~/.config/fish/completions/tracegist.fish

    :param shell: The shell that will read the script.
    """
    from tracegist.cli import make_app  # noqa: PLC0415 - the application imports this verb

    write(make_app().generate_completion(shell=shell))
