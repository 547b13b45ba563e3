"""How a source writes what its format leaves open comes from the configuration, or from an option."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tracegist import _engine
from tracegist.config import FieldName, Tail, load
from tracegist.errors import ConfigError

CONFIG = """
[[sources]]
type = "tail"
name = "shop"
paths = ["/srv/shop/*.log"]
zone = "Europe/Berlin"
fields = { time = "at", duration = { field = "took", unit = "ms" }, operation = "route", service = "app" }

[[sources]]
type = "spool"
name = "table"
folder = "/srv/spool"
delimiter = "\\t"
columns = ["time", "message"]
"""
LINE = b'{"at":"2026-11-25 00:42:01","took":12,"route":"/buy","app":"shop"}\n'


def decoded(data: bytes, dialect: _engine.Dialect | None = None, format: str | None = None) -> list[dict[str, object]]:
    """Decode lines, and read what the engine says of them."""
    return [json.loads(line) for line in _engine.decode(data, format=format, dialect=dialect).splitlines()]


def test_dialect__in_the_configuration__lines_are_read_by_it(tmp_path: Path) -> None:
    """Zone, field map and columns of a source are what its lines are read by."""
    file = tmp_path / "tracegist.toml"
    file.write_text(CONFIG)
    shop, table = load(file).config.sources
    assert isinstance(shop, Tail)
    assert (shop.reads, shop.fields and shop.fields["duration"]) == (None, FieldName(field="took", unit="ms"))
    (event,) = decoded(LINE, shop.dialect())
    assert event["time"] == 1_795_563_721_000_000_000
    assert (event["service"], event["operation"], event["duration"], event["kind"]) == (
        "shop",
        "/buy",
        12_000_000,
        "internal",
    )
    assert getattr(table, "reads", None) == "delimited"


def test_dialect__none__times_are_in_the_zone_of_this_host() -> None:
    """Without a dialect, the host's zone holds; one that is unknown is told with the nearest that is known."""
    (event,) = decoded(b"2026-11-24 23:42:01 INFO x\n")
    assert event["time"] == 1_795_563_721_000_000_000
    with pytest.raises(ValueError, match=r'unknown time zone "Berlin"; did you mean "Europe/Berlin"\?'):
        _engine.Dialect(zone="Berlin")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('zone = "Europe/Berlim"', 'did you mean "Europe/Berlin"?'),
        ('fields = { duration = "took" }', "say whether it is ns, us, ms or s"),
        ('fields = { dration = "took_ms" }', 'did you mean "duration"?'),
        ('fields = { duration = { field = "took", unit = "min" } }', 'unknown unit "min": it is one of ns, us, ms, s'),
        ('columns = ["a"]', "columns without a delimiter"),
        ('delimiter = ","\nformat = "json"', 'lines of format "json" have none'),
    ],
)
def test_dialect__wrong_in_the_configuration__said_where(tmp_path: Path, line: str, said: str) -> None:
    """What is wrong stands in the error, with the place in the file."""
    file = tmp_path / "tracegist.toml"
    file.write_text(f'[[sources]]\ntype = "push"\n{line}\n')
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert said in str(caught.value)
    assert "sources[0]" in str(caught.value)
