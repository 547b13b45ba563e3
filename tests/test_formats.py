"""``tracegist formats``: what files are taken for, and what comes of their records."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path
from typing import get_args

import pytest

from tracegist import _engine
from tracegist.cli import main
from tracegist.config import Format

LOG = (
    b'{"ts":"2026-11-24T23:42:01.5Z","level":"info","service":"shop","msg":"order accepted"}\n'
    b'{"ts":"2026-11-24T23:42:02Z","level":"error","service":"shop","msg":"no stock","took_ms":12}\n'
    b'{"ts":"2026-11-24T23:43:02Z","level":"err\n'
    b'{"ts":"2026-11-24T23:44:02Z","level":"info","service":"cart","msg":"up"}\n'
)


@pytest.fixture(autouse=True)
def nothing_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the host's own configuration and terminal out of the tests."""
    for name in [name for name in os.environ if name.startswith(("TRACEGIST_", "XDG_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "tracegist.toml").write_text(
        '[[sources]]\ntype = "push"\nname = "shop"\nzone = "Europe/Berlin"\n'
        'fields = { operation = "route", duration = "took_ms" }\n'
    )
    monkeypatch.setenv("TRACEGIST_CONFIG", str(tmp_path / "tracegist.toml"))
    monkeypatch.setenv("COLUMNS", "120")


def test_formats__configuration__knows_them_all() -> None:
    """Every format that the engine knows may be named in the configuration."""
    assert sorted(get_args(Format)) == sorted(_engine.formats())


def test_formats__text__tells_what_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Format, counts, times, services, rejected records with place and sample, and decoded events."""
    file = tmp_path / "app.log"
    file.write_bytes(LOG)
    assert main(["formats", str(file)]) == 0
    out = capsys.readouterr().out
    assert (
        out
        == f"""\
{file}: json, told by its beginning
  confidence 75%: so many records have that form
  3 records read, 1 rejected, of {len(LOG)} bytes
  3 events: 3 log; 1 failed
  from 2026-11-24T23:42:01Z to 2026-11-24T23:44:02Z (2m)
  they say: time in all, level in all, service in all, operation in none, duration in 33%, trace in none
  levels: 1 error, 2 info
  services: shop 2, cart 1
  rejected 1: JSON ends early
    the first at byte 180: JSON ends early, at byte 41
    {{"ts":"2026-11-24T23:43:02Z","level":"err

  time                     kind  level  service  took  message
  2026-11-24 23:42:01.500  log   info   shop           order accepted
  2026-11-24 23:42:02.000  log!  error  shop     12ms  no stock
  2026-11-24 23:44:02.000  log   info   cart           up
"""
    )


def test_formats__text__as_sure_as_lines_say_more_than_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Anything is text: what is understood of it tells how sure that is."""
    file = tmp_path / "notes"
    file.write_text("once upon a time\n2026-11-24T23:42:01Z INFO order accepted\nthe end\nERROR: no stock\n")
    assert main(["formats", str(file), "--format", "json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["format"], found["confidence"]) == ("text", 0.5)


def test_formats__json__an_object_for_each_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Compressed files are read as what is in them; a missing one is named, and the others are told of."""
    (tmp_path / "a.gz").write_bytes(gzip.compress(LOG))
    (tmp_path / "empty").touch()
    paths = [str(tmp_path / name) for name in ("a.gz", "none", "empty")]
    assert main(["formats", *paths, "--format", "json", "--events", "1"]) == 4
    out, err = capsys.readouterr()
    packed, missing, empty = json.loads(out)
    assert (packed["format"], packed["events"], packed["rejected"], len(packed["shown"])) == ("json", 3, 1, 1)
    assert packed["bytes"] == len(LOG)
    assert missing["failure"].endswith("none: no such file")
    assert (empty["bytes"], empty["events"]) == (0, 0)
    assert err == f"tracegist: {paths[1]}: no such file\n"


def test_formats__as__overrides_what_content_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A format that is given is not told; one that is unknown is answered with those that are."""
    file = tmp_path / "export.csv"
    file.write_text("time,level,message\n2026-11-24 23:42:01,ERROR,no stock\n")
    assert main(["formats", "--as", "delimited", str(file), "--zone", "Europe/Berlin"]) == 0
    out = capsys.readouterr().out
    assert "read as delimited, as was said" in out
    assert "2026-11-24 22:42:01.000  log!  error  no stock" in out
    assert main(["formats", "--as", "csv", str(file)]) == 2
    assert "unknown format csv: it is one of otlp, json, text" in capsys.readouterr().err


def test_formats__source__reads_as_the_configuration_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Zone and field map of a source hold for files too."""
    file = tmp_path / "app.log"
    file.write_text('{"ts":"2026-11-25 00:42:01","route":"/buy","took_ms":12}\n')
    assert main(["formats", "--source", "shop", str(file)]) == 0
    assert "2026-11-24 23:42:01.000  internal  /buy       12ms" in capsys.readouterr().out
    assert main(["formats", "--source", "shp", str(file)]) == 2
    assert 'no source "shp"' in capsys.readouterr().err


def test_formats__escape_sequences__do_not_reach_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What strangers wrote is shown, and steers nothing."""
    file = tmp_path / "bad\x1b[31m.log"
    file.write_bytes(b"\x01\x02\x03\x04\x1b]0;x\x07\n" + b'{"msg":"\\u001b]0;x\\u0007 hello","level":"info"}\n')
    assert main(["formats", str(file)]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "hello" in out
    assert "rejected 1: binary" in out


def test_formats__no_file__usage(capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to look at without a path."""
    assert main(["formats"]) == 2
    assert "name the files" in capsys.readouterr().err


DOCS = (Path(__file__).parents[1] / "docs" / "formats.md").read_text()


def test_docs__formats_by_name__all_of_them() -> None:
    """Every format that the engine knows has its word in the table of the docs, and no other is there."""
    table = DOCS.partition("## Formats by name")[2].partition("###")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == sorted(_engine.formats())
    speeds = DOCS.partition("## Speed")[2]
    assert sorted(set(re.findall(r"^\| `(\w+)` \|", speeds, re.MULTILINE))) == sorted(_engine.formats())


def test_docs__fields_nobody_foresaw__are_read_as_the_example_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The worked example of the field map: its lines, with its configuration, show what stands below it."""
    example = DOCS.partition("<!-- example: field map -->")[2]
    blocks = dict(re.findall(r"```(\w+)\n(.*?)```", example, re.DOTALL)[:3])
    lines, configuration, shown = blocks["json"], blocks["toml"], blocks["text"]
    (tmp_path / "gate.toml").write_text(configuration)
    (tmp_path / "gate.jsonl").write_text(lines)
    assert (
        main(["formats", "--config", str(tmp_path / "gate.toml"), "--source", "gate", str(tmp_path / "gate.jsonl")])
        == 0
    )
    assert capsys.readouterr().out.endswith(f"\n\n{shown}")
    assert main(["formats", str(tmp_path / "gate.jsonl")]) == 0
    assert "2 events: 2 log" in capsys.readouterr().out


def test_docs__reasons__are_those_that_the_engine_gives() -> None:
    """Each reason of the table is one that a record of its kind is rejected for."""
    table = DOCS.partition("## What cannot be read")[2].partition("## Templates")[0]
    named = {
        reason.strip()
        for row in re.findall(r"^\| (?!reason|---)([^|]+) \|", table, re.MULTILINE)
        for reason in row.split(",")
    }
    # "totals, not events" has a comma of its own.
    named = (named - {"totals", "not events"}) | {"totals, not events"}
    samples: list[tuple[str, bytes]] = [
        ("json", b'{"a":1} x\n'),
        ("json", b'{"a":\n'),
        ("json", b'{"a":' + b"[" * 200 + b"]" * 200 + b"}\n"),
        ("otlp", b'{"resourceSpans":3}\n'),
        ("text", b"\x00\x01\x02\x03\n"),
    ]
    found = set()
    for format, record in samples:
        rejected = [json.loads(line) for line in _engine.decode(record, format=format).splitlines()]
        found |= {line["rejected"] for line in rejected if "rejected" in line}
    assert found == {"not JSON", "JSON ends early", "JSON nested too deep", "not OTLP", "binary"}
    assert found < named
    assert _engine.Engine(max_record=10).ingest("a", b"x" * 20 + b"\n", received=0)[1] == 1
