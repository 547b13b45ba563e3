"""The shape of the configuration: one frozen struct for each section, and one for each type of source.

msgspec's structs rather than dataclasses: only they forbid unknown keys and let ``type`` choose the struct of a source.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

from msgspec import Meta, Struct, field

from tracegist._config.units import Address, Duration, FileMode, Pattern, Size

if TYPE_CHECKING:
    from tracegist import _engine

__all__ = [
    "Config",
    "Dialect",
    "FieldName",
    "Format",
    "Journald",
    "Limits",
    "Log",
    "Output",
    "Push",
    "Server",
    "SourceConfig",
    "Spool",
    "State",
    "Stdin",
    "Summary",
    "Tail",
]

Format: TypeAlias = Literal[
    "otlp",
    "json",
    "text",
    "strace",
    "delimited",
    "otlp_proto",
    "table",
    "chrome",
    "jaeger",
    "zipkin",
    "calls",
    "ftrace",
    "perf",
    "uftrace",
    "lttng",
]
Encoding: TypeAlias = Literal["o200k_base", "cl100k_base"]
Positive: TypeAlias = Annotated[int, Meta(ge=1)]

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_SHORTEST_INTERVAL: Final = 10_000_000
_SMALLEST_MEMORY: Final = Size.parse("16MiB")
_SMALLEST_JOURNAL: Final = Size.parse("1MiB")


def _default(value: Address | Duration | Size | FileMode) -> Any:  # noqa: ANN401 - stands in for any field's value
    """Make a factory, for msgspec writes plain defaults alone into the JSON Schema."""
    return field(default_factory=lambda: value)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        msg = f'name {name!r}: use up to 64 letters, digits, "_", "-" and "."'
        raise ValueError(msg)


def _check_interval(name: str, interval: Duration) -> None:
    if interval < _SHORTEST_INTERVAL:
        msg = f"{name} is {interval}: at least 10ms"
        raise ValueError(msg)


class Summary(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a summary is like unless a request says otherwise."""

    budget: Positive = 1000
    encoding: Encoding = "o200k_base"
    window: Duration = _default(Duration.parse("5m"))
    baseline: Duration = _default(Duration.parse("1h"))

    def __post_init__(self) -> None:
        """Refuse a window without length."""
        if self.window <= 0:
            msg = "window is 0: nothing would fall into it"
            raise ValueError(msg)


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of the engine's memory; what had to go stands in the ledger.

    `memory_limit` holds for the whole process less what Python itself takes; the rest are lower limits of single parts.
    """

    memory_limit: Size = _default(Size.parse("256MiB"))
    max_record: Size = _default(Size.parse("16MiB"))
    max_series: Positive = 20_000
    max_streams: Positive = 10_000
    max_open_spans: Positive = 1_000_000
    max_evidence: Size = _default(Size.parse("32MiB"))
    trace_hold: Duration = _default(Duration.parse("1m"))

    def __post_init__(self) -> None:
        """Refuse what the engine would refuse, and what nothing would fit into."""
        if self.memory_limit < _SMALLEST_MEMORY:
            msg = f"memory_limit is {self.memory_limit}: at least {_SMALLEST_MEMORY}"
            raise ValueError(msg)
        for name, value in self.options().items():
            if value <= 0:
                msg = f"{name} is 0: the engine needs at least 1"
                raise ValueError(msg)

    def options(self, *, snapshots: bool = True) -> dict[str, int]:
        """Return the keyword arguments of the native engine.

        :param snapshots: whether the state will be written as a snapshot, for which as much room has to be left as it takes
        """
        limits = {name: int(getattr(self, name)) for name in self.__struct_fields__}
        # What is read, decoded and rendered at the moment has the rest.
        memory = limits.pop("memory_limit")
        return {"max_memory": memory * 7 // (16 if snapshots else 8), **limits}


class State(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What outlives a restart."""

    folder: Path
    commit_interval: Duration = _default(Duration.parse("1s"))
    keep: Positive = 3

    def __post_init__(self) -> None:
        """Refuse an interval that would keep the disk busy with nothing else."""
        _check_interval("commit_interval", self.commit_interval)


class Output(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where ``summary.md`` and ``summary.json`` are kept, and how often they are looked at."""

    folder: Path
    interval: Duration = _default(Duration.parse("1s"))

    def __post_init__(self) -> None:
        """Refuse an interval that would keep the disk busy with nothing else."""
        _check_interval("interval", self.interval)


class Server(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The Unix socket, and who may connect to it; and over TCP: where OTLP is taken, and where models may ask."""

    socket: Path
    mode: FileMode = _default(FileMode(0o660))
    group: str | None = None
    otlp: Address = _default(Address.parse("127.0.0.1:4318"))
    otlp_exposed: bool = False
    mcp: Address = _default(Address.parse("off"))
    mcp_token_file: Path | None = None

    def __post_init__(self) -> None:
        """Refuse an address that other hosts reach, unless that is meant: whoever reaches it may push, or read along."""
        if not (self.mcp.off or ip_address(self.mcp.host).is_loopback):
            msg = (
                f"mcp is {self.mcp}, which other hosts can reach, and what is asked there goes over the network in the open: "
                "take a loopback address such as 127.0.0.1:4390, and let ssh or a proxy with TLS lead to it"
            )
            raise ValueError(msg)
        if not (self.otlp.off or self.otlp_exposed or ip_address(self.otlp.host).is_loopback):
            msg = (
                f"otlp is {self.otlp}, which other hosts can reach, and whoever reaches it may push: take a loopback address "
                "such as 127.0.0.1:4318, or set otlp_exposed = true"
            )
            raise ValueError(msg)


class Log(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the daemon says of itself, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class FieldName(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a field is called, and the unit of its numbers: ns, us, ms or s."""

    field: str
    unit: str | None = None


class Dialect(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a source writes: its format, None to tell it by content, and what that leaves open (zone None: this host's)."""

    format: Format | None = None
    zone: str | None = None
    fields: dict[str, str | FieldName] | None = None
    delimiter: str | None = None
    columns: tuple[str, ...] | None = None

    @property
    def reads(self) -> Format | None:
        """The format, told by a delimiter too."""
        return self.format if self.delimiter is None else "delimited"

    def dialect(self) -> _engine.Dialect:
        """Return it as the engine takes it.

        :raises ValueError: if the zone or a field is unknown, or the delimiter is none
        """
        from tracegist._engine import Dialect  # noqa: PLC0415 - the shape alone does without the engine

        fields = {
            role: (field.field, field.unit) if isinstance(field, FieldName) else field
            for role, field in (self.fields or {}).items()
        }
        return Dialect(zone=self.zone, fields=fields, delimiter=self.delimiter, columns=self.columns)

    def _check(self, name: str) -> None:
        _check_name(name)
        if self.delimiter is not None and self.format not in {None, "delimited"}:
            msg = f'delimiter: lines of format "{self.format}" have none'
            raise ValueError(msg)
        if self.zone is not None or self.fields or self.delimiter is not None or self.columns is not None:
            self.dialect()


Overload: TypeAlias = Literal["wait", "drop"]
"""What becomes of what is read faster than it is taken in: the source waits, or it goes and the ledger says how much."""


class Tail(Dialect, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="tail"):
    """Files that grow, are rotated and appear."""

    paths: Annotated[tuple[Pattern, ...], Meta(min_length=1)]
    exclude: tuple[str, ...] = ()
    name: str = "tail"
    from_start: bool = True
    overload: Overload = "wait"

    def __post_init__(self) -> None:
        """Check the name, and how it writes."""
        self._check(self.name)


class Spool(Dialect, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="spool"):
    """A folder into which whole files are dropped."""

    folder: Path
    name: str = "spool"
    repeats: bool = False
    remembered: Positive = 1000

    def __post_init__(self) -> None:
        """Check the name, and how it writes."""
        self._check(self.name)


class Stdin(Dialect, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="stdin"):
    """The daemon's standard input."""

    name: str = "stdin"
    overload: Overload = "wait"

    def __post_init__(self) -> None:
        """Check the name, and how it writes."""
        self._check(self.name)


class Push(Dialect, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="push"):
    """What is posted to ``/ingest/{source}`` and over OTLP."""

    name: str = "push"
    max_journal: Size = _default(Size.parse("256MiB"))
    producers: Positive = 10_000
    max_sources: Positive = 2000

    def __post_init__(self) -> None:
        """Check the name, how it writes, and that a push of some size has room."""
        self._check(self.name)
        if self.max_journal < _SMALLEST_JOURNAL:
            msg = f"max_journal is {self.max_journal}: at least {_SMALLEST_JOURNAL}"
            raise ValueError(msg)


class Journald(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="journald"):
    """The journal of systemd, as journalctl shows it."""

    units: tuple[str, ...] = ()
    directory: Path | None = None
    name: str = "journald"
    from_start: bool = False
    overload: Overload = "wait"

    def __post_init__(self) -> None:
        """Check the name, and the units: journalctl takes them as arguments."""
        _check_name(self.name)
        for unit in self.units:
            if not unit or "\0" in unit:
                msg = f"units: {unit!r} is no name of a unit"
                raise ValueError(msg)


SourceConfig: TypeAlias = Tail | Spool | Stdin | Push | Journald


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it. `state`, `output` and `server` have to name a place; :func:`tracegist.config.load` can."""

    summary: Summary = field(default_factory=Summary)
    engine: Limits = field(default_factory=Limits)
    state: State
    output: Output
    server: Server
    log: Log = field(default_factory=Log)
    sources: tuple[SourceConfig, ...] = field(default_factory=lambda: (Push(),))

    def __post_init__(self) -> None:
        """Refuse two sources of one name: positions are kept by name. Only one of them can have the standard input."""
        names = [source.name for source in self.sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            msg = f'sources: more than one has the name "{twice[0]}": give each a name of its own'
            raise ValueError(msg)
        if sum(isinstance(source, Stdin) for source in self.sources) > 1:
            msg = "sources: there is one standard input, and two sources want it"
            raise ValueError(msg)
