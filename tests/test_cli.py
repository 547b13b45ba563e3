"""The command line: what each verb prints, and the one line and the exit code when it cannot."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tracegist.cli import main

SPAN = {
    "resourceSpans": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "cart"}}]},
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "traceId": "5b8efff798038103d269b633813fc60c",
                            "spanId": "eee19b7ec3c1b174",
                            "name": "GET /cart",
                            "kind": 2,
                            "startTimeUnixNano": "1764000000000000000",
                            "endTimeUnixNano": "1764000000012000000",
                        }
                    ]
                }
            ],
        }
    ]
}

VERBS = ("run", "summarize", "show", "status", "templates", "config", "completion")


@pytest.fixture(autouse=True)
def nothing_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the host's own configuration, daemon and terminal out of the tests."""
    for name in [name for name in os.environ if name.startswith(("TRACEGIST_", "XDG_"))]:
        monkeypatch.delenv(name)
    empty = tmp_path / "empty.toml"
    empty.write_text(f'[server]\nsocket = "{tmp_path}/absent.sock"\n')
    monkeypatch.setenv("TRACEGIST_CONFIG", str(empty))
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """Return a file of ten spans."""
    file = tmp_path / "traces.jsonl"
    file.write_text((json.dumps(SPAN) + "\n") * 10)
    return file


def run(*arguments: str | Path, stdin: bytes = b"", **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run the command as a process of its own."""
    command = [sys.executable, "-m", "tracegist", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=60, **options)  # type: ignore[call-overload,no-any-return]


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the only line on standard error, after nothing on standard output."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tracegist: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err.removeprefix("tracegist: ").rstrip()


def test_help__names_every_verb_examples_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """`tracegist --help` teaches: verbs, examples, exit codes, in the width of a terminal."""
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for word in (*VERBS, "Examples:", "Exit codes:", "summarize traces.jsonl"):
        assert word in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("verb", VERBS)
def test_help__of_a_verb__begins_with_its_line_and_has_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A verb says of itself what the overview says of it, and then more."""
    main(["--help"])
    overview = re.search(rf"^  {verb}: (.*)$", capsys.readouterr().out, re.MULTILINE)
    assert overview is not None
    assert main([verb, "--help"]) == 0
    out = capsys.readouterr().out
    assert overview[1] in out
    assert "Exit codes:" in out
    if verb != "config":
        assert "Examples:\n    " in out


def test_help__imports_nothing_heavy() -> None:
    """The overview comes at once, for neither the verbs nor what they need is imported; nor by `import tracegist`."""
    heavy = "httpx starlette uvicorn watchfiles structlog tiktoken anyio msgspec tracegist._engine"
    code = (
        "import sys; from tracegist.cli import main; main(['--help']); "
        f"print(set({heavy!r}.split()) & set(sys.modules), file=sys.stderr)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert process.stderr.strip() == "set()"
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import tracegist"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "tracegist.analysis" not in process.stderr


def test_usage__unknown_verb_or_option__says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake on the command line is one line, exit code 2, and where to look."""
    assert main(["frobnicate"]) == 2
    assert "See: tracegist --help" in one_line(capsys)
    assert main(["summarize", "--bugdet", "3"]) == 2
    assert one_line(capsys) == "unknown option --bugdet; did you mean --budget?"
    assert main(["summarize", "--budget", "many"]) == 2
    assert "See: tracegist summarize --help" in one_line(capsys)
    assert main(["summarize", "--budget", "0"]) == 2
    assert "Must be >= 1" in one_line(capsys)
    assert main(["summarize", "--window", "5"]) == 2
    assert "'5' is no duration" in one_line(capsys)
    assert main(["summarize", "-", "-"]) == 2
    assert "standard input can be read once" in one_line(capsys)
    assert main(["show", "twelve"]) == 2
    assert "twelve is no number of evidence" in one_line(capsys)


def test_config_check__good_and_bad__says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`config check` exits with 0 or 5 and says what it looked at."""
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text('[[sources]]\ntype = "push"')
    bad.write_text("[summary]\nbugdet = 1")
    assert main(["config", "check", str(good)]) == 0
    assert capsys.readouterr().out == f"{good}: ok, 1 source\n"
    assert main(["config", "check", str(bad)]) == 5
    assert one_line(capsys) == f'{bad}: $.summary.bugdet: unknown key; did you mean "budget"?'
    assert main(["config", "check", str(tmp_path / "absent")]) == 5
    assert one_line(capsys).endswith("absent: No such file or directory")


def test_config_show__names_origins(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`config show` prints what is in force and where it came from."""
    monkeypatch.setenv("TRACEGIST_SUMMARY_BUDGET", "2000")
    assert main(["config", "show"]) == 0
    assert "budget = 2000  # TRACEGIST_SUMMARY_BUDGET\n" in capsys.readouterr().out


def test_config_schema__is_json(capsys: pytest.CaptureFixture[str]) -> None:
    """`config schema` can be piped into a file for an editor."""
    assert main(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "tracegist.toml"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion__knows_the_verbs(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The script names every verb; bash accepts it."""
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(verb in script for verb in VERBS)
    if shell == "bash":
        subprocess.run(["/bin/bash", "-n"], input=script, text=True, check=True, timeout=60)


@pytest.mark.parametrize("verb", [["status"], ["summarize"], ["show", "#12"]])
def test_daemon__none__says_how_to_start_one(
    verb: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without paths and without a daemon: exit code 3, the socket, and the remedy."""
    assert main(verb) == 3
    line = one_line(capsys)
    assert line.startswith(f"no daemon answers on {tmp_path}/absent.sock: No such file or directory")
    assert line.endswith("start one with: tracegist run")


def test_daemon__dead_socket_or_a_file__exit_code_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A socket that a killed daemon left, a plain file, and a path too long for a socket are told apart."""
    left = tmp_path / "left.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(left))
    assert main(["status", "--socket", str(left)]) == 3
    assert "Connection refused" in one_line(capsys)
    (tmp_path / "plain").touch()
    assert main(["status", "--socket", str(tmp_path / "plain")]) == 3
    one_line(capsys)
    assert main(["status", "--socket", "/" + "x" * 200]) == 3
    assert "too long" in one_line(capsys)


def test_run__bad_configuration__exit_code_5_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A daemon does not start on a configuration it does not understand."""
    bad = tmp_path / "bad.toml"
    bad.write_text("[sumary]")
    assert main(["run", "--config", str(bad)]) == 5
    assert '$.sumary: unknown key; did you mean "summary"?' in one_line(capsys)


def test_output__pipe_closed_by_the_reader__exit_code_141_and_silence() -> None:
    """`tracegist … | head -0` is no error worth a word."""
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [sys.executable, "-m", "tracegist", "config", "schema"],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(writer)
    assert (process.returncode, process.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output__disk_full__is_told() -> None:
    """Output that could not be written is not success."""
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(
            [sys.executable, "-m", "tracegist", "config", "schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert process.returncode == 1
    assert process.stderr == b"tracegist: cannot write the output: No space left on device\n"


def test_output__locale_without_utf8__is_utf8_all_the_same(tmp_path: Path) -> None:
    """What is printed are the bytes of the answer; a locale of the last century does not stop them."""
    file = tmp_path / "é.toml"
    file.write_text("")
    process = run(
        "config", "check", file, env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    )
    assert process.returncode == 0
    assert "é.toml".encode() in process.stdout


def test_module__run_as_program__is_the_command() -> None:
    """`python -m tracegist` is the command, and its code is the exit status."""
    process = run("--version")
    assert process.returncode == 0
    assert process.stdout.strip()
    assert run("nonsense").returncode == 2
