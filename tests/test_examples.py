"""The programs under ``examples`` do what they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import anyio
import pytest

from tracegist import TokenCounter

EXAMPLES = Path(__file__).parent.parent / "examples"


def load(name: str) -> ModuleType:
    """Load a program without running it."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_agent__tool_that_fails__is_in_the_account_and_another_is_taken() -> None:
    """The prompt keeps its budget, and has in it what made the difference."""
    example = load("agent")
    agent = example.Agent(example.stand_in, {"search": example.search, "cache": example.cache})
    assert anyio.run(agent.run, "Which timeout is configured?") == "the timeout is 30 s"
    assert len(agent.prompts) == 3
    assert all(TokenCounter().count(prompt) <= example.BUDGET for prompt in agent.prompts)
    assert "Connection refused" in agent.prompts[1]
    assert "tool search" in agent.prompts[1].partition("The account of your work")[2]


def test_agent__tool_that_says_too_much__cut_to_its_share() -> None:
    """However much a tool says, and however long it goes on, the prompt is no larger."""
    example = load("agent")

    async def flood(_: str) -> str:
        return "all work and no play makes a long page " * 5000

    async def never(_: str) -> str:
        return "flood more"

    agent = example.Agent(never, {"flood": flood})
    with pytest.raises(RuntimeError, match="12 steps"):
        anyio.run(lambda: agent.run("Read on.", steps=12))
    assert all(TokenCounter().count(prompt) <= example.BUDGET for prompt in agent.prompts)
    assert "tool flood" in agent.prompts[-1]
