"""The command line: what each verb prints, and the one line and the exit code when it cannot."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tracegist import _engine
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

VERBS = ("run", "summarize", "show", "status", "formats", "templates", "mcp", "config", "completion")


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
    heavy = "mcp pydantic httpx starlette uvicorn watchfiles structlog tiktoken anyio msgspec tracegist._engine"
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
    assert "see: tracegist --help" in one_line(capsys)
    assert main(["summarize", "--bugdet", "3"]) == 2
    assert one_line(capsys) == "unknown option --bugdet; did you mean --budget?"
    assert main(["summarize", "--budget", "many"]) == 2
    assert "see: tracegist summarize --help" in one_line(capsys)
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


def test_summarize__file__prints_text_within_the_budget(traces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file, no daemon: the account on standard output, nothing on standard error."""
    assert main(["summarize", str(traces), "--budget", "200"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("#")
    assert "10 events" in out
    assert _engine.count_tokens(out) <= 200


def test_summarize__json__is_one_object_on_one_line(traces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What programs read: the engine's own object, with what was asked for in it."""
    options = ["--budget", "300", "--window", "180s", "--encoding", "cl100k_base", "--format", "json"]
    assert main(["summarize", str(traces), *options]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    answer = json.loads(out)
    assert {"text", "tokens", "budget", "encoding", "window", "verdicts", "facts", "ledger"} <= answer.keys()
    assert (answer["budget"], answer["encoding"], answer["window"]["seconds"]) == (300, "cl100k_base", 180)
    assert answer["tokens"] == _engine.count_tokens(answer["text"], "cl100k_base")
    assert answer["ledger"]["events"] == 10


def test_summarize__configuration_and_environment__give_the_defaults(
    traces: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What no option says is as configured, with a daemon or without."""
    monkeypatch.setenv("TRACEGIST_SUMMARY_BUDGET", "123")
    monkeypatch.setenv("TRACEGIST_SUMMARY_WINDOW", "90s")
    assert main(["summarize", str(traces), "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["budget"], answer["window"]["seconds"]) == (123, 90)


def test_summarize__standard_input__is_a_path_too(traces: Path) -> None:
    """`-` reads a pipe, and can stand beside files."""
    process = run("summarize", "-", "--format", "json", stdin=traces.read_bytes())
    assert json.loads(process.stdout)["ledger"]["events"] == 10
    process = run("summarize", traces, "-", "--format", "json", stdin=traces.read_bytes())
    assert json.loads(process.stdout)["ledger"]["events"] == 20


def test_compressed__file_and_pipe__read_as_what_is_in_them(traces: Path, tmp_path: Path) -> None:
    """What is compressed is read by every verb that reads, under any name and from a pipe."""
    packed = tmp_path / "traces"
    packed.write_bytes(gzip.compress(traces.read_bytes()))
    by_name = run("summarize", "--format=json", packed)
    piped = run("summarize", "--format=json", "-", stdin=lzma.compress(traces.read_bytes()))
    for result in (by_name, piped):
        assert result.returncode == 0, result.stderr
        assert json.loads(result.stdout)["ledger"]["events"] == 10
    messages = b"took 5 ms\ntook 7 ms\n"
    (tmp_path / "messages").write_bytes(bz2.compress(messages))
    found = [
        run("templates", tmp_path / "messages").stdout,
        run("templates", "-", stdin=gzip.compress(messages)).stdout,
    ]
    assert found == [_engine.templates(messages)] * 2


def test_compressed__damaged__what_came_before_counts_and_exit_code_4(traces: Path, tmp_path: Path) -> None:
    """A file that was cut off is named with its place; the summary is of what was read."""
    packed = tmp_path / "cut.gz"
    packed.write_bytes(gzip.compress(traces.read_bytes()) + gzip.compress(traces.read_bytes())[:-9])
    result = run("summarize", "--format=json", packed)
    assert result.returncode == 4
    assert json.loads(result.stdout)["ledger"]["events"] >= 10
    assert result.stderr.decode().startswith(f"tracegist: {packed}: ends in the middle of its gzip data, after ")
    result = run("templates", "-", stdin=packed.read_bytes())
    assert result.returncode == 4
    assert result.stderr.startswith(b"tracegist: standard input: ends in the middle of its gzip data")


def test_summarize__truncated_line__is_in_the_ledger(traces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line that was cut is counted as rejected, and the others are summarised."""
    with traces.open("a") as file:
        file.write(json.dumps(SPAN)[:100])
    assert main(["summarize", str(traces), "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    ledger = json.loads(out)["ledger"]
    assert (ledger["events"], ledger["rejected"]) == (10, 1)
    assert ledger["bytes"] == traces.stat().st_size


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, ": no such file"),
        (b"", ": empty: no event in it"),
        (b"\n\n  \n", ": no event in its 5 bytes"),
        (b"\x00\x01\x02\xff\xfe", ": no event in it: 1 records could not be read, the first for: "),
        (b'{"resourceSpans": [', ": no event in it: 1 records could not be read, the first for: "),
    ],
)
def test_summarize__nothing_to_read__one_line_and_exit_code_4(
    content: bytes | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing, an empty, a blank, a binary and a broken file: each is told what it is."""
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    assert main(["summarize", str(file)]) == 4
    assert one_line(capsys).startswith(f"{file}{message}")


def test_summarize__folder_socket_and_dead_link__are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is no file is named for what it is."""
    assert main(["summarize", str(tmp_path)]) == 4
    assert one_line(capsys) == f"{tmp_path}: a folder: name the files in it, such as {tmp_path}/*.jsonl"
    (tmp_path / "link").symlink_to(tmp_path / "absent")
    assert main(["summarize", str(tmp_path / "link")]) == 4
    assert one_line(capsys) == f"{tmp_path}/link: a link to no file"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
    assert main(["summarize", str(tmp_path / "s")]) == 4
    assert one_line(capsys) == f"{tmp_path}/s: a socket: a daemon's is named by --socket"
    assert main(["summarize", "a\0b"]) == 4
    assert one_line(capsys) == "a?b: no such file"


def test_summarize__unreadable_file__says_so(traces: Path, tmp_path: Path) -> None:
    """Permissions are named; root, who may read everything, becomes nobody for this."""
    closed = tmp_path / "closed.jsonl"
    closed.write_bytes(traces.read_bytes())
    closed.chmod(0)
    code = (
        "import os, sys; from tracegist.cli import main; main(['summarize', sys.argv[1]]); "
        "os.geteuid() or os.setuid(65534); sys.exit(main(['summarize', sys.argv[2]]))"
    )
    environ = {**os.environ, "TRACEGIST_CONFIG": "/dev/null"}
    process = subprocess.run(
        [sys.executable, "-c", code, traces, closed], capture_output=True, check=False, timeout=60, env=environ
    )
    assert process.returncode == 4
    assert process.stderr.decode() == f"tracegist: {closed}: Permission denied\n"


def test_summarize__some_of_many_unreadable__the_rest_is_summarised(
    traces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One bad name among many costs a line on standard error and the exit code, not the account."""
    (tmp_path / "empty").touch()
    names = [str(tmp_path / "absent"), str(traces), str(tmp_path / "empty"), str(tmp_path)]
    assert main(["summarize", *names, "--format", "json"]) == 4
    out, err = capsys.readouterr()
    assert json.loads(out)["ledger"]["events"] == 10
    assert [line.split(": ")[1] for line in err.splitlines()] == [str(tmp_path / "absent"), str(tmp_path)]
    assert main(["summarize", names[0], names[-1]]) == 4
    assert capsys.readouterr().err.splitlines()[-1] == "tracegist: none of the files could be read"


def test_summarize__impossible_question__is_refused_before_reading(
    traces: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A budget too small is 1 and names the smallest; what makes no sense is 2 and names what there is."""
    assert main(["summarize", str(traces), "--budget", "3"]) == 1
    assert "smallest" in one_line(capsys)
    assert main(["summarize", str(traces), "--encoding", "p50k"]) == 2
    assert "o200k_base" in one_line(capsys)
    assert main(["summarize", str(traces), "--section", "nonsense"]) == 2
    assert "wrong" in one_line(capsys)
    assert main(["summarize", str(traces), "--window", "0s"]) == 2
    assert "nothing happens in no time" in one_line(capsys)


def test_summarize__interrupted__exit_code_130_and_silence() -> None:
    """Ctrl-C while a pipe is read ends it at once, without a traceback."""
    command = [sys.executable, "-m", "tracegist", "summarize", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b'{"msg":"hello"}\n' * 100_000)
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert (out, err) == (b"", b"")


def test_show__number_with_paths__prints_the_raw_span(traces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A statement leads back to the bytes of the file, with no daemon either."""
    assert main(["summarize", str(traces)]) == 0
    number = re.search(r"#(\d+)$", capsys.readouterr().out, re.MULTILINE)
    assert number is not None
    assert main(["show", number[0], str(traces)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{number[0]} cart GET /cart server\n")
    assert '"spanId": "eee19b7ec3c1b174"' in out
    assert main(["show", "#99999", str(traces)]) == 1
    assert "#99999" in one_line(capsys)


def test_templates__file_and_pipe__one_object_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As many lines come out as messages went in, in their order; messages of one template share its id."""
    messages = "connection from 10.0.0.1 closed\nconnection from 10.0.0.2 closed\ndisk full\n"
    file = tmp_path / "messages.log"
    file.write_text(messages)
    assert main(["templates", str(file)]) == 0
    out = capsys.readouterr().out
    found = [json.loads(line) for line in out.splitlines()]
    assert len(found) == 3
    assert found[0]["id"] == found[1]["id"] != found[2]["id"]
    assert found[2]["template"] == "disk full"
    assert run("templates", "-", stdin=messages.encode()).stdout.decode() == out
    assert main(["templates", str(tmp_path)]) == 4
    assert one_line(capsys) == f"{tmp_path}: Is a directory"
    assert run("templates", "-").stdout == b""


def test_templates__values__top_values_and_ranges_of_each_variable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each template once, with what its variables held: exact where all is known, ids as ids, numbers with their range."""
    users = ["alice", "bob", "carol", "dave", "alice"]
    messages = [f"order {number} was sent by {users[number % 5]} in {number % 7}ms" for number in range(100)]
    file = tmp_path / "messages.log"
    file.write_text("\n".join([*messages, "disk full", "login of \x1b[2J12 by a@example.org"]) + "\n")
    assert main(["templates", str(file), "--values", "text", "--most", "2"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[:4] == [
        "100  order <*> was sent by <*> in <*>ms",
        "       1  0, …; 100 different; 0 to 99, half below 49",
        "       2  alice 40%, bob 20%; 4 different",
        "       3  0 15%, 1 15%; 7 different; 0 to 6, half below 3",
    ]
    assert "  1  disk full" in out
    assert "\x1b" not in out
    assert "example.org" not in out
    assert main(["templates", str(file), "--values", "json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (found[0]["messages"], found[0]["sampled"]) == (100, 100)
    assert found[0]["slots"][2]["range"] == {"min": 0, "median": 3, "max": 6}
    assert main(["templates", str(file), "--values", "xml"]) == 2


def test_terminal__escape_sequences__do_not_reach_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What strangers wrote into a log cannot steer the terminal of who reads about it."""
    file = tmp_path / "app.log"
    file.write_text('{"level":"error","msg":"\\u001b[2Jgone \\u009b31m"}\n' * 3)
    assert main(["summarize", str(file)]) == 0
    number = re.search(r"#(\d+)", capsys.readouterr().out.partition("\n")[2])
    assert number is not None
    assert main(["show", number[1], str(file)]) == 0
    out = capsys.readouterr().out
    assert "gone" in out
    assert "\x1b" not in out
    assert "\x9b" not in out


def test_completion__bash__completes_verbs_options_and_files(tmp_path: Path, traces: Path) -> None:
    """What the script offers at the end of a line is what a user would type next."""
    script = run("completion", "bash").stdout.decode()
    ask = 'try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tracegist; echo "${COMPREPLY[*]}"; }'
    lines = (
        'try tracegist summ; try tracegist summarize --bu; try tracegist summarize trac; try tracegist run --config ""'
    )
    process = subprocess.run(
        ["/bin/bash", "-c", f"{script}\n{ask}\n{lines}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers = [sorted(line.split()) for line in process.stdout.splitlines()]
    assert answers == [["summarize"], ["--budget"], [traces.name], ["empty.toml", traces.name]]


def test_progress__terminal__shows_a_bar_and_wipes_it(tmp_path: Path) -> None:
    """Who waits at a terminal sees how far it is; nothing of it is left, and standard output has the account alone."""
    code = (
        "import sys; from tracegist.cli import _files, main; _files._PATIENCE = 0; "
        f"sys.exit(main(['summarize', {str(tmp_path / 'big.jsonl')!r}]))"
    )
    (tmp_path / "big.jsonl").write_text((json.dumps(SPAN) + "\n") * 20_000)
    controller, terminal = pty.openpty()
    try:
        process = subprocess.run(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=terminal, check=False, timeout=60
        )
        os.close(terminal)
        shown = os.read(controller, 1 << 16)
    finally:
        os.close(controller)
    assert process.returncode == 0
    assert process.stdout.startswith(b"#")
    assert b"MB" in shown
    assert shown.endswith((b"\x1b[2K", b"\x1b[?25h", b"\r"))
