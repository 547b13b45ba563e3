"""The engine: bytes in, facts and summaries out. Every call releases the GIL while it works."""

from collections.abc import Mapping, Sequence
from typing import final

__all__ = [
    "Capture",
    "Decoder",
    "Dialect",
    "Engine",
    "Survey",
    "boundary",
    "count_tokens",
    "decode",
    "detect",
    "encodings",
    "formats",
    "split_tokens",
    "template_values",
    "templates",
    "truncate",
    "vocabulary",
]

@final
class Dialect:
    """How a source writes what its format leaves open.

    :param zone: the time zone of times that say none, such as ``Europe/Berlin``; None for that of this host
    :param fields: names of fields by what they say (``time``, ``start``, ``duration``, ``service``, ``operation``, ``status``,
        ``trace``, ``span``, ``parent``, ``level``, ``message``), with dots between the keys of nested objects; a time, a start
        or a duration may come with the unit of its numbers, ``ns``, ``us``, ``ms`` or ``s``, and a duration must, unless its
        name ends with it
    :param delimiter: the character between the fields of a line, for the format ``delimited``
    :param columns: what the fields of such lines are called, where the first line does not say it
    :raises ValueError: if a zone, a field or a unit is unknown (the nearest known is named), or the delimiter is none
    """

    def __new__(
        cls,
        *,
        zone: str | None = None,
        fields: Mapping[str, str | tuple[str, str | None]] | None = None,
        delimiter: str | None = None,
        columns: Sequence[str] | None = None,
    ) -> Dialect: ...

@final
class Capture:
    """The engine's state at one moment: see :meth:`Engine.capture`."""

    def encode(self) -> list[bytes]:
        """The state as :meth:`Engine.snapshot` gives it; once, since what was copied is used up.

        :return: in pieces of 1 MiB: one large one would be copied in one go, and nothing else in Python could go on meanwhile

        :raises ValueError: the second time
        """

@final
class Engine:
    """State of everything ingested so far: bounded, mergeable, safe to use from any number of threads.

    :param host: the name that stands in the summary's header; empty leaves it out
    :param max_memory: bytes that the state as a whole may take; each of its parts has a share, whatever the limits below
    :param max_record: bytes of the longest record that is decoded; a longer one is rejected
    :param max_series: series kept apart; what comes beyond is counted under the operation ``(other)``
    :param max_streams: streams whose format is remembered; the one longest silent is forgotten first
    :param max_open_spans: spans kept to be joined with their parents and children
    :param max_evidence: bytes of raw events kept as evidence
    :param trace_hold: nanoseconds of event time a trace is kept open after its last span
    :raises ValueError: if a limit is zero or negative
    """

    def __new__(
        cls,
        *,
        host: str = "",
        max_memory: int | None = None,
        max_record: int | None = None,
        max_series: int | None = None,
        max_streams: int | None = None,
        max_open_spans: int | None = None,
        max_evidence: int | None = None,
        trace_hold: int | None = None,
    ) -> Engine: ...
    def abandon(self) -> None:
        """Never take it apart: for a program that ends next, which gives its memory back all at once."""

    def ingest(
        self,
        stream: str,
        data: bytes,
        *,
        received: int,
        format: str | None = None,
        dialect: Dialect | None = None,
        size: int | None = None,
        source: str = "",
    ) -> tuple[int, int, str]:
        """Split, decode and aggregate a block that ends at a record boundary (see :func:`boundary`).

        A record that cannot be read is rejected alone and stands in the ledger with its reason; nothing is raised for it.

        :param stream: the ordered byte stream that the block continues: a file, a pushed source
        :param data: the block; a last record without its newline is taken as it is
        :param received: nanoseconds since the epoch, the time of events that have none and follow none that has
        :param format: the format's name, or None to tell it by content
        :param dialect: how the source writes; None for the plain way, in the time zone of this host
        :param size: bytes of `data` that are the block, which spares a copy of it; None for all
        :param source: what questions call where its events come from; empty if as the stream
        :return: events decoded, records rejected, and the first reason (empty if none)
        :raises ValueError: if the format's name is unknown, or if there are fewer bytes than `size`
        """

    def missed(self, reason: str, *, bytes: int = 0, lines: int = 0) -> None:  # noqa: A002 - as in the ledger
        """Enter in the ledger what never reached it: let go for want of room, damaged, or taken away by somebody.

        :param reason: in words; the first ten are kept apart
        :param bytes: how much it was; 0 if nobody knows
        :param lines: of them, if they are lines
        """

    def summary(
        self,
        *,
        budget: int,
        encoding: str = "o200k_base",
        window: int | None = None,
        baseline: int | None = None,
        focus: str | None = None,
        sections: list[str] | None = None,
        now: int | None = None,
        notices: list[str] | None = None,
    ) -> bytes:
        """Render the best account that fits the budget.

        :param budget: tokens, counted exactly as tiktoken counts them
        :param window: nanoseconds up to the newest event that the summary speaks of; None for 5 minutes
        :param baseline: nanoseconds before the window to compare with; None for all that is kept, up to an hour
        :param focus: only facts whose service, operation or message contains this text
        :param sections: only these sections, by name
        :param now: nanoseconds since the epoch, to tell how far behind the account is; None leaves it out
        :param notices: what the daemon has to say in the header, such as a disk that is full
        :return: UTF-8 JSON: ``text``, ``tokens``, ``budget``, ``encoding``, ``window``, ``verdicts``, ``facts``, ``ledger``
        :raises TokenBudgetExceeded: if the header alone does not fit; the message names the smallest budget
        :raises ValueError: if the encoding or a section is unknown, or a number is out of range
        """

    def query(self, request: bytes) -> bytes:
        """Answer a question, so that the text of the answer fits its budget.

        The fields of the question, all of them optional: ``what`` (``series``, ``edges``, ``templates``, ``diff``,
        ``timeline``, ``facts``, ``evidence``, ``traces``, ``trace``, ``path``, ``values``), ``where`` (terms such as
        ``service=pay* status=error``), ``of`` (a trace, ``#12``, two services, a template), ``since`` and ``until`` (``5m``,
        ``14:02``, RFC 3339, ``all``, ``now``), ``group_by``, ``select`` and ``order_by`` (text with commas, or arrays),
        ``limit`` (rows), ``compare`` (``baseline``, ``10m``, ``FROM..TO``), ``budget`` (tokens, 1000), ``encoding``, ``cursor``
        (as the page before gave it, with the same question), ``format`` (``text``, ``csv``).

        :param request: UTF-8 JSON, an object with these fields
        :return: UTF-8 JSON: ``what``, ``text``, ``tokens``, ``budget``, ``encoding``, ``window``, ``compared``, ``columns``
            (each with ``name`` and ``unit``), ``rows`` (those in the text: values by column), ``totals`` (of all rows, by
            column), ``total_rows``, ``position``, ``left_out``, ``left_out_totals``, ``cursor`` (null at the end),
            ``exactness`` (``exact``, ``error``, ``notes``)
        :raises QueryError: if a word makes no sense, or asks for what was never kept; the message points at it
        :raises TokenBudgetExceeded: if not even one row fits; the message names a budget that would do
        :raises TraceNotFound: if what is asked for is not there, or not any more
        """

    def evidence(self, number: int) -> bytes:
        """The raw events behind ``#number``, as UTF-8 JSON.

        :return: an object with ``id``, ``service``, ``operation``, ``kind``, ``count`` and ``events``, each with ``role``,
            ``time``, ``source`` and ``raw``
        :raises TraceNotFound: if the number was never given, or its events have expired
        """

    def values(self, template: str, *, service: str | None = None, most: int = 5) -> bytes:
        """What the variables of a template held, as UTF-8 JSON: of messages, of failures, and of operations named with ids.

        :param template: its text, ``<*>`` for each variable
        :param service: only of this service; None for each that has it
        :param most: values told of each variable
        :return: a list of objects with ``service``, ``kind``, ``within``, ``template``, and ``ever`` and ``recent`` (the five
            minutes before the newest event, and up to five more), each with ``messages``, ``sampled`` (equal where what is
            said is exact) and ``slots``: for each variable ``values`` (``value`` and ``share``, the most frequent first),
            ``distinct`` and ``range`` (``min``, ``median``, ``max``, where all are numbers)
        """

    def stats(self) -> bytes:
        """What is held and what became of every byte, as UTF-8 JSON.

        :return: an object with ``ledger``, ``streams``, ``sizes``, ``watermark`` (ns) and ``last_event`` (RFC 3339)
        """

    def watermark(self, stream: str | None = None) -> int | None:
        """Time of the newest event of a stream, or of all, in nanoseconds since the epoch; None before the first."""

    def generation(self) -> int:
        """A number that grows whenever something was ingested, merged or restored; equal numbers, equal state."""

    def snapshot(self) -> bytes:
        """The whole state: versioned, checksummed, the same bytes for the same events in the same order."""

    def capture(self) -> Capture:
        """Copy the whole state, to be encoded while the engine goes on; short where :meth:`snapshot` is long."""

    def restore(self, data: bytes) -> None:
        """Replace the state by a snapshot's; the limits stay those of this engine.

        :raises SnapshotError: if the bytes are torn, damaged or of an unknown schema; the state is then unchanged
        """

    def merge(self, data: bytes) -> None:
        """Add a snapshot's state to this one; the order of merges makes no difference.

        :raises SnapshotError: if the bytes are torn, damaged or of an unknown schema; the state is then unchanged
        """

@final
class Survey:
    """What a stream turns out to be: its format, what its records say, why some cannot be read. Bounded; aggregates nothing.

    :param format: the format's name, or None to tell it by content
    :param dialect: how its source writes; None for the plain way, in the time zone of this host
    :param max_record: bytes of the longest record that is decoded
    :param events: how many decoded events are kept to be shown
    :raises ValueError: if the format's name is unknown
    """

    def __new__(
        cls,
        *,
        format: str | None = None,
        dialect: Dialect | None = None,
        max_record: int | None = None,
        events: int = 5,
    ) -> Survey: ...
    def feed(self, data: bytes, *, received: int) -> tuple[int, int, str]:
        """Take the next block, which ends at a record boundary.

        :return: events decoded, records rejected, and the first reason (empty if none)
        """

    def newest(self) -> int | None:
        """Time of the latest event, in nanoseconds since the epoch; None before the first."""

    def report(self) -> bytes:
        """What was found out so far, as UTF-8 JSON."""

def formats() -> list[str]:
    """Names of the formats that are known."""

def boundary(data: bytes, *, format: str | None = None, max_record: int | None = None) -> int:
    """Length of the longest prefix of `data` that ends at a record boundary.

    `data` must start at one. 0 means that no record is complete yet; once `data` is longer than `max_record` with no
    boundary in it, all of it is returned, to be rejected by :meth:`Engine.ingest` together with the rest of that record.
    """

def detect(data: bytes, *, whole: bool = False) -> str | None:
    """Tell the format of a stream by its first bytes: what :meth:`Engine.ingest` will take it for.

    :param whole: whether they are all there will be for now
    :return: the format's name, or None if it takes more of them to tell; 64 KiB are always enough
    """

@final
class Decoder:
    """A stream that is decoded block by block: what one block says of those behind it is remembered.

    :param format: the format of its records, None to tell it by content
    :param received: nanoseconds since the epoch, which decides the year or the day of times that lack it
    :param dialect: how the source writes; None for the plain way, in the time zone of this host
    :raises ValueError: if the format's name is unknown
    """

    def __new__(cls, *, format: str | None = None, received: int = 0, dialect: Dialect | None = None) -> Decoder: ...
    def decode(self, data: bytes) -> bytes:
        """Decode the next block, which ends at a record boundary; what comes back is as of :func:`decode`."""

def decode(data: bytes, *, format: str | None = None, received: int = 0, dialect: Dialect | None = None) -> bytes:
    """What `data` says, as UTF-8 JSON lines: one object for each event, and one with ``rejected`` for each bad record.

    :param received: nanoseconds since the epoch, which decides the year or the day of times that lack it
    :param dialect: how the source writes; None for the plain way, in the time zone of this host
    :raises ValueError: if the format's name is unknown
    """

def templates(data: bytes) -> bytes:
    """Templates of log messages, one message a line: UTF-8 JSON lines ``{"id": …, "template": …}`` in the same order."""

def template_values(data: bytes, *, most: int = 5) -> bytes:
    """Templates of log messages, one message a line, and what their variables held: UTF-8 JSON lines, a template a line.

    :param most: values told of each variable
    :return: objects with ``id``, ``template``, and ``messages``, ``sampled`` and ``slots`` as in :meth:`Engine.values`; the
        most frequent first
    """

def count_tokens(text: str, encoding: str = "o200k_base") -> int:
    """Tokens of `text`, exactly as ``tiktoken.Encoding.encode_ordinary`` counts them.

    :raises ValueError: if the encoding is unknown; the message lists those that are there
    """

def split_tokens(text: str, encoding: str = "o200k_base") -> list[int]:
    """The token ids of `text`, exactly as ``tiktoken.Encoding.encode_ordinary`` gives them."""

def truncate(text: str, budget: int, encoding: str = "o200k_base") -> str:
    """The longest prefix of `text`, cut between words where it can be, that takes at most `budget` tokens."""

def encodings() -> list[str]:
    """Names of the encodings whose vocabularies are shipped."""

def vocabulary(encoding: str) -> list[bytes]:
    """The byte strings of an encoding in the order of their ranks."""
