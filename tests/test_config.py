"""The configuration: where it is found, what it means, and what is said when it is wrong."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tracegist.config import (
    Config,
    Duration,
    FileMode,
    Loaded,
    Log,
    Output,
    Server,
    Size,
    State,
    Tail,
    load,
    schema,
    show,
)
from tracegist.errors import ConfigError

ROOT = Path(__file__).parent.parent
HOME = {"HOME": "/home/ann"}
SERVICE = {"STATE_DIRECTORY": "/var/lib/tracegist", "RUNTIME_DIRECTORY": "/run/tracegist"}


def written(tmp_path: Path, text: str, **environ: str) -> Loaded:
    """Load a file that says `text`."""
    file = tmp_path / "tracegist.toml"
    file.write_text(text)
    return load(file, environ={**HOME, **environ}, root=False)


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A host with a journal: the PATH on which journalctl is found there."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/journalctl").write_text("#!/bin/sh\n")
    (tmp_path / "bin/journalctl").chmod(0o755)
    (tmp_path / "journal/machine").mkdir(parents=True)
    (tmp_path / "journal/machine/system.journal").touch()
    monkeypatch.setattr("tracegist._config.folders._JOURNALS", (tmp_path / "journal",))
    return str(tmp_path / "bin")


def test_config__shipped_file_uncommented__equals_the_defaults(journal: str) -> None:
    """Every default stands in config/tracegist.toml, and none of them is out of date."""
    text = (ROOT / "config/tracegist.toml").read_text()
    uncommented = re.sub(r"^# (?=\[\[|[a-z_]+ = )", "", text, flags=re.MULTILINE)
    table = tomllib.loads(uncommented)

    defaults = load("/dev/null", environ={**SERVICE, "PATH": journal}, root=False)
    shown = tomllib.loads(show(defaults))
    shown["sources"] = [dict(sorted(source.items())) for source in shown["sources"]]
    table["sources"] = [dict(sorted(source.items())) for source in table["sources"]]
    assert table == shown


def test_config__shipped_file_as_it_is__changes_nothing() -> None:
    """Installed without an edit, the commented file means the same as no file."""
    assert load(ROOT / "config/tracegist.toml", environ=SERVICE).config == load("/dev/null", environ=SERVICE).config


@pytest.mark.parametrize("file", sorted((ROOT / "config/examples").glob("*.toml")), ids=lambda file: file.stem)
def test_config__example__loads(file: Path) -> None:
    """The examples are valid."""
    assert load(file, environ=HOME, root=False).config.sources


def test_config__user_without_file__uses_xdg_folders(tmp_path: Path) -> None:
    """A user needs neither a file nor rights: state and socket lie in the XDG folders."""
    environ = {"HOME": str(tmp_path), "XDG_STATE_HOME": "/state", "XDG_RUNTIME_DIR": "/run/user/7"}
    config = load(environ=environ, root=False).config
    assert config.state.folder == Path("/state/tracegist")
    assert config.output.folder == Path("/state/tracegist")
    assert config.server.socket == Path("/run/user/7/tracegist/tracegist.sock")
    assert [source.name for source in config.sources] == ["push", "spool", "var-log"]


def test_config__journal_readable__is_a_source_and_what_syslog_copies_is_not(journal: str, tmp_path: Path) -> None:
    """The journal is read by default where it can be; then syslog's files are left out, for they say the same again."""
    environ = {**HOME, "PATH": journal}
    sources = load("/dev/null", environ=environ, root=False).config.sources
    assert [source.name for source in sources] == ["push", "spool", "journald", "var-log"]
    assert isinstance(sources[3], Tail)
    assert "/var/log/syslog" in sources[3].exclude

    (tmp_path / "journal/machine/system.journal").unlink()
    for without in (environ, HOME):
        sources = load("/dev/null", environ=without, root=False).config.sources
        assert [source.name for source in sources] == ["push", "spool", "var-log"]
        assert isinstance(sources[2], Tail)
        assert sources[2].exclude == ()


def test_config__no_runtime_folder_or_a_relative_one__socket_lies_in_the_state_folder() -> None:
    """Without a session the socket must not land in a folder that others can write to, nor in the current one."""
    for environ in (HOME, {**HOME, "XDG_RUNTIME_DIR": "run", "XDG_STATE_HOME": "state"}):
        config = load("/dev/null", environ=environ, root=False).config
        assert config.server.socket == Path("/home/ann/.local/state/tracegist/tracegist.sock")


def test_config__root_and_service__use_system_folders() -> None:
    """Root and a unit with StateDirectory= get /var/lib and /run; what systemd says wins."""
    assert load("/dev/null", environ={}, root=True).config.state.folder == Path("/var/lib/tracegist")
    assert load("/dev/null", environ={}, root=True).config.server.socket == Path("/run/tracegist/tracegist.sock")
    config = load(
        "/dev/null", environ={"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "RUNTIME_DIRECTORY": "/run/a"}, root=False
    ).config
    assert (config.state.folder, config.server.socket) == (Path("/var/lib/a"), Path("/run/a/tracegist.sock"))


def test_config__state_folder_given__spool_and_output_follow(tmp_path: Path) -> None:
    """What lies in the state folder by default moves with it."""
    config = written(tmp_path, '[state]\nfolder = "~/t"').config
    assert config.state.folder == Path.home() / "t"
    assert config.output.folder == Path.home() / "t"
    assert Path(config.sources[1].folder).name == "spool"  # type: ignore[union-attr]


def test_config__search_order__option_then_variable_then_user(tmp_path: Path) -> None:
    """The option wins over TRACEGIST_CONFIG, which wins over the user's file."""
    user = tmp_path / "tracegist/tracegist.toml"
    user.parent.mkdir()
    user.write_text("[summary]\nbudget = 1")
    named, option = tmp_path / "named.toml", tmp_path / "option.toml"
    named.write_text("[summary]\nbudget = 2")
    option.write_text("[summary]\nbudget = 3")
    environ = {**HOME, "XDG_CONFIG_HOME": str(tmp_path)}

    assert load(environ=environ, root=False).config.summary.budget == 1
    environ["TRACEGIST_CONFIG"] = str(named)
    assert load(environ=environ, root=False).config.summary.budget == 2
    assert load(option, environ=environ, root=False).config.summary.budget == 3


def test_config__found_file_unreadable__passed_over_with_a_note(tmp_path: Path) -> None:
    """A file that is only found, not named, and is closed to this user does not stand in the way; it is mentioned."""
    user = tmp_path / "tracegist/tracegist.toml"
    user.parent.mkdir()
    user.write_text("")
    user.chmod(0)
    # Root may read everything, and becomes nobody for this once the code is loaded.
    code = (
        "import os, sys; from tracegist.config import load; load('/dev/null', environ={}, root=True); "
        "os.geteuid() or os.setuid(65534); "
        "found = load(environ={'HOME': '/', 'XDG_CONFIG_HOME': sys.argv[1]}, root=False); print(found.file, *found.notes)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True, timeout=60
    )
    assert process.stdout.endswith(f"{user}: Permission denied, passed over\n")
    assert not process.stdout.startswith(str(user))


def test_config__named_file_missing__is_an_error(tmp_path: Path) -> None:
    """A file that was asked for must be there."""
    with pytest.raises(ConfigError, match=r"absent\.toml: No such file"):
        load(tmp_path / "absent.toml", environ=HOME)
    with pytest.raises(ConfigError, match="Is a directory"):
        load(environ={**HOME, "TRACEGIST_CONFIG": str(tmp_path)})


def test_config__environment__overrides_the_file_and_is_named_as_origin(tmp_path: Path) -> None:
    """TRACEGIST_SECTION_KEY wins, whatever the type, and `origin` says so."""
    loaded = written(
        tmp_path,
        '[summary]\nbudget = 1\nwindow = "1m"',
        TRACEGIST_SUMMARY_BUDGET="2000",
        TRACEGIST_STATE_COMMIT_INTERVAL="1m30s",
        TRACEGIST_SERVER_MODE="0600",
        TRACEGIST_ENGINE_MAX_EVIDENCE="1GiB",
        TRACEGIST_PYTHON="/usr/bin/python3",
    )
    assert loaded.config.summary.budget == 2000
    assert loaded.config.state.commit_interval == 90_000_000_000
    assert loaded.config.server.mode == 0o600
    assert loaded.config.engine.options()["max_evidence"] == 1 << 30
    assert loaded.origin("summary.budget") == "TRACEGIST_SUMMARY_BUDGET"
    assert loaded.origin("summary.window").endswith("tracegist.toml")
    assert loaded.origin("summary.encoding") == "default"


def test_config__override__wins_over_the_environment(tmp_path: Path) -> None:
    """An option of the command line has the last word, and an error in it names the option."""
    loaded = load(
        "/dev/null",
        environ={**HOME, "TRACEGIST_OUTPUT_FOLDER": "/a"},
        overrides={"output.folder": (tmp_path, "--output")},
    )
    assert loaded.config.output.folder == tmp_path
    with pytest.raises(ConfigError, match=r"^--output: 'x' is no absolute path"):
        load("/dev/null", environ=HOME, overrides={"output.folder": ("x", "--output")})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[sources]]\ntype = "journald"\nunits = ["a\\u0000b"]', r"\$\.sources\[0\]: units: .* is no name of a unit"),
        ("[summary]\nbugdet = 1", r'\$\.summary\.bugdet: unknown key; did you mean "budget"\?'),
        ("[sumary]", r'\$\.sumary: unknown key; did you mean "summary"\?'),
        ("[summary]\nzzz = 1", r"unknown key; known: budget, encoding, window, baseline"),
        (
            '[[sources]]\ntype = "push"\n[[sources]]\ntype = "spool"\nfolder = "/s"\nformt = "x"',
            r'\$\.sources\[1\]\.formt: .*"format"',
        ),
        (
            '[[sources]]\ntype = "tial"',
            r"\$\.sources\[0\]\.type: 'tial' is none of tail, spool, stdin, push, journald; did you mean \"tail\"",
        ),
        ('[[sources]]\npaths = ["/a"]', r'\$\.sources\[0\]: the key "type" is missing: one of tail, spool'),
        ('[[sources]]\ntype = "tail"', r'\$\.sources\[0\]: the key "paths" is missing'),
        ('[[sources]]\ntype = "tail"\npaths = ["a/*"]', r"\$\.sources\[0\]\.paths\[0\]: 'a/\*' is no absolute path"),
        (
            '[[sources]]\ntype = "push"\nformat = "oltp"',
            r"\$\.sources\[0\]\.format: 'oltp' is none of .*did you mean \"otlp\"",
        ),
        ('[[sources]]\ntype = "push"\n[[sources]]\ntype = "push"', r'more than one has the name "push"'),
        ('[[sources]]\ntype = "push"\nname = "../x"', r"\$\.sources\[0\]: name '\.\./x'"),
        ('[[sources]]\ntype = "stdin"\n[[sources]]\ntype = "stdin"\nname = "b"', "one standard input"),
        ('[summary]\nbudget = "1"', r"\$\.summary\.budget: expected an integer, got a string"),
        ("[summary]\nbudget = 0", r"\$\.summary\.budget: expected an integer >= 1"),
        ("[summary]\nwindow = 5", r'\$\.summary\.window: expected a string such as "5m", got 5'),
        ('[summary]\nwindow = "5"', r"\$\.summary\.window: '5' is no duration"),
        ('[summary]\nwindow = "0s"', "window is 0"),
        ('[summary]\nencoding = "o200k"', 'did you mean "o200k_base"'),
        ('[state]\ncommit_interval = "1ms"', r"\$\.state: commit_interval is 1ms: at least 10ms"),
        ("[state]\nfolder = 3", r"\$\.state\.folder: expected a string"),
        ('[server]\nmode = "999"', r"\$\.server\.mode: '999' is no file mode"),
        ('[engine]\nmax_record = "16 apples"', r"\$\.engine\.max_record: '16 apples' is no size"),
        ("[engine]\nmax_record = 0", "max_record is 0"),
        ("state = 3", r"\$\.state: expected a table"),
        ("summary = 3", r"\$\.summary: expected a table, got an integer"),
        ("a =", "not valid TOML: .*line|not valid TOML: .*end of document"),
    ],
)
def test_config__wrong_value__names_file_path_and_what_to_do(tmp_path: Path, text: str, message: str) -> None:
    """Whatever is wrong, the message names the file, the path inside it and what would be right."""
    with pytest.raises(ConfigError, match=rf"tracegist\.toml: .*({message})"):
        written(tmp_path, text)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        (
            "TRACEGIST_SUMMARY_BUGDET",
            "1",
            '^TRACEGIST_SUMMARY_BUGDET: unknown setting; did you mean "TRACEGIST_SUMMARY_BUDGET"',
        ),
        ("TRACEGIST_SUMMARY_BUDGET", "many", "^TRACEGIST_SUMMARY_BUDGET: expected an integer"),
        ("TRACEGIST_SUMMARY_WINDOW", "5", "^TRACEGIST_SUMMARY_WINDOW: '5' is no duration"),
        ("TRACEGIST_STATE_COMMIT_INTERVAL", "0s", "^TRACEGIST_STATE_COMMIT_INTERVAL: commit_interval is 0s"),
        ("TRACEGIST_LOG_LEVEL", "loud", "^TRACEGIST_LOG_LEVEL: 'loud' is none of debug, info, warning, error$"),
    ],
)
def test_config__wrong_variable__is_named(tmp_path: Path, variable: str, value: str, message: str) -> None:
    """A mistake in the environment is told as one, not blamed on the file."""
    with pytest.raises(ConfigError, match=message):
        written(tmp_path, "", **{variable: value})


def test_config__not_utf8__says_where(tmp_path: Path) -> None:
    """A file in another encoding is refused with the byte that gave it away; a byte order mark does no harm."""
    file = tmp_path / "t.toml"
    file.write_bytes(b"# \xe9\n")
    with pytest.raises(ConfigError, match="not UTF-8: byte 2 is 0xe9"):
        load(file, environ=HOME)
    file.write_bytes(b"\xef\xbb\xbf[summary]\nbudget = 7\n")
    assert load(file, environ=HOME).config.summary.budget == 7


def test_config__shown__loads_to_the_same(tmp_path: Path) -> None:
    """`config show` prints a file that means what is in force, oddities included."""
    loaded = written(
        tmp_path,
        '[server]\ngroup = "adm"\n[[sources]]\ntype = "tail"\nformat = "json"\nfrom_start = false\n'
        'paths = [\'/a "b"\\c/*\', "/\u00e9\\u007f"]',
        TRACEGIST_SUMMARY_WINDOW="90s",
    )
    text = show(loaded)
    assert "TRACEGIST_SUMMARY_WINDOW" in text
    (tmp_path / "again.toml").write_text(text)
    assert load(tmp_path / "again.toml", environ=HOME, root=False).config == loaded.config
    assert written(tmp_path, tomllib_safe(show(written(tmp_path, "sources = []")))).config.sources == ()


def tomllib_safe(text: str) -> str:
    """Make sure that other readers take it too."""
    tomllib.loads(text)
    return text


def test_config__schema__describes_the_defaults() -> None:
    """The schema is JSON, forbids unknown keys, and gives the defaults as they are written."""
    described = json.loads(json.dumps(schema()))
    assert described["$defs"]["Summary"]["properties"]["window"]["default"] == "5m"
    assert described["$defs"]["Server"]["properties"]["mode"]["default"] == "0660"
    assert described["$defs"]["Config"]["additionalProperties"] is False
    assert described["$defs"]["Tail"]["required"] == ["type", "paths"]


def test_config__built_in_code__needs_only_places(tmp_path: Path) -> None:
    """A program that embeds the daemon names three places and gets the other defaults."""
    config = Config(
        state=State(folder=tmp_path), output=Output(folder=tmp_path), server=Server(socket=tmp_path / "socket")
    )
    assert config.output.interval == Duration.parse("1s")
    assert config.engine.options()["max_series"] == 20_000
    with pytest.raises(AttributeError, match="immutable"):
        config.log = Log(level="debug")  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "nanoseconds", "shown"),
    [
        ("300s", 300 * 10**9, "5m"),
        ("5m", 300 * 10**9, "5m"),
        ("1h30m", 5400 * 10**9, "1h30m"),
        ("1.5s", 1_500_000_000, "1s500ms"),
        ("1h 30m", 5400 * 10**9, "1h30m"),
        ("250us", 250_000, "250us"),
        ("2d", 172_800 * 10**9, "2d"),
        ("0s", 0, "0s"),
    ],
)
def test_duration__written_form__is_read_and_written_back(text: str, nanoseconds: int, shown: str) -> None:
    """Durations are nanoseconds inside, and what is written reads back to the same."""
    duration = Duration.parse(text)
    assert duration == nanoseconds
    assert str(duration) == shown
    assert Duration.parse(str(duration)) == duration


@pytest.mark.parametrize("text", ["", "5", "m", "5 minutes", "-5m", "5m!", "1e3s", "5m 3", "99999999999d", "٣s"])
def test_duration__anything_else__is_refused(text: str) -> None:
    """A number without a unit, a sign, or anything past the end is no duration."""
    with pytest.raises(ValueError, match=r"is no duration|longer than"):
        Duration.parse(text)


@pytest.mark.parametrize(
    ("text", "count", "shown"),
    [
        ("16MiB", 1 << 24, "16MiB"),
        ("1 gb", 10**9, "1GB"),
        (4096, 4096, "4KiB"),
        ("1000", 1000, "1kB"),
        ("0", 0, "0B"),
        ("7", 7, "7B"),
    ],
)
def test_size__written_form__is_read_and_written_back(text: str | int, count: int, shown: str) -> None:
    """Sizes are bytes inside; small letters do."""
    size = Size.parse(text)
    assert (size, str(size)) == (count, shown)
    assert Size.parse(str(size)) == size


@pytest.mark.parametrize("text", ["", "MiB", "1.5GiB", "-1", "1 XB", "9EiB", "99999999TiB"])
def test_size__anything_else__is_refused(text: str) -> None:
    """Fractions, signs and unknown units are no sizes."""
    with pytest.raises(ValueError, match=r"is no size|more than"):
        Size.parse(text)


def test_file_mode__octal__is_read_and_written_back() -> None:
    """A mode is what chmod takes; decimal would be a trap."""
    assert FileMode.parse("660") == FileMode.parse("0660") == FileMode.parse("0o660") == 0o660
    assert str(FileMode.parse("660")) == "0660"
    for text in ("", "66", "0888", "07777", "rw-"):
        with pytest.raises(ValueError, match="is no file mode"):
            FileMode.parse(text)
