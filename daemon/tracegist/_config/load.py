"""Find the configuration, lay the environment over it and decode the whole: where from, and what is wrong with it."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, get_args

import msgspec

from tracegist._config.folders import Folders, find_folders, has_journal
from tracegist._config.shape import Config, SourceConfig
from tracegist._config.units import Address, Duration, FileMode, Pattern, Size, absolute
from tracegist.errors import ConfigError

__all__ = ["Loaded", "load"]

Table: TypeAlias = dict[str, Any]

DEFAULT: Final = "default"
_LARGEST: Final = 4 << 20
# What a syslog daemon writes comes from the journal: it would count twice.
_IN_THE_JOURNAL: Final = [
    f"/var/log/{name}"
    for name in (
        "syslog",
        "messages",
        "kern.log",
        "auth.log",
        "daemon.log",
        "user.log",
        "cron.log",
        "mail.log",
    )
]
_AT: Final = re.compile(r"(.*?)(?: - at `(\$[^`]*)`)?", re.DOTALL)
_QUOTED: Final = re.compile(r"[`'\"]([^`'\"]*)[`'\"]")
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[\.\.\.\]")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, and where it came from.

    :param config: the effective values
    :param file: the file that was read; None if there is none and the defaults hold
    :param origins: for each value that is not a default, by ``section.key``: the file, variable or option it came from
    :param folders: the defaults of this environment
    :param notes: what a reader should know, such as a file that was passed over because it may not be read
    """

    config: Config
    file: Path | None
    origins: Mapping[str, str]
    folders: Folders
    notes: tuple[str, ...] = ()

    def origin(self, key: str) -> str:
        """Say where the value of ``section.key`` (or ``sources``) came from."""
        return self.origins.get(key, DEFAULT)


def load(
    path: Path | str | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, tuple[object, str]] | None = None,
    root: bool | None = None,
) -> Loaded:
    """Load the effective configuration: defaults, under the file, under the environment, under `overrides`.

    :param path: the file; None looks at ``TRACEGIST_CONFIG``, then the user's, then the system's
    :param environ: the environment; None for the process's own
    :param overrides: by ``section.key``, a value and the name of the option it came from
    :param root: whether to use the system's folders; None asks the process
    :raises ConfigError: if a file that was named is not there, or anything in it or the environment cannot be used
    """
    environ = os.environ if environ is None else environ
    folders = find_folders(environ, root=os.geteuid() == 0 if root is None else root)
    file, table, notes = _find(path, environ, folders)
    origins: dict[str, str] = dict.fromkeys(_keys(table), str(file))
    for key, (value, origin) in {**_variables(environ), **(overrides or {})}.items():
        section, _, name = key.partition(".")
        table[section] = {**_section(table, section, file), name: value}
        origins[key] = origin
    config = _decode(_with_defaults(table, folders, file, journal=has_journal(environ)), file, origins)
    return Loaded(config, file, origins, folders, notes)


def _find(
    path: Path | str | None, environ: Mapping[str, str], folders: Folders
) -> tuple[Path | None, Table, tuple[str, ...]]:
    named = path or environ.get("TRACEGIST_CONFIG")
    if named:
        file = Path(named)
        try:
            return file, _parse(file), ()
        except OSError as error:
            msg = f"{file}: {error.strerror}"
            raise ConfigError(msg) from None
    notes: list[str] = []
    for file in folders.files:
        try:
            return file, _parse(file), tuple(notes)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            # The service's file may be closed to users, who can do without it.
            notes.append(f"{file}: {error.strerror}, passed over")
    return None, {}, tuple(notes)


def _parse(file: Path) -> Table:
    with file.open("rb") as opened:
        data = opened.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        msg = f"{file}: larger than {_LARGEST >> 20} MiB: this is no configuration"
        raise ConfigError(msg)
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        msg = f"{file}: not valid TOML: {error}"
        raise ConfigError(msg) from None
    except UnicodeDecodeError as error:
        msg = f"{file}: not UTF-8: byte {error.start} is 0x{data[error.start]:02x}"
        raise ConfigError(msg) from None
    except RecursionError:
        msg = f"{file}: not valid TOML: nested too deeply"
        raise ConfigError(msg) from None


def _keys(table: Table) -> Iterable[str]:
    for section, value in table.items():
        if isinstance(value, dict):
            yield from (f"{section}.{key}" for key in value)
        else:
            yield section


def _section(table: Table, name: str, file: Path | None) -> Table:
    value = table.get(name, {})
    if not isinstance(value, dict):
        msg = f"{file}: $.{name}: expected a table, as [{name}] begins"
        raise ConfigError(msg)
    return value


def _variables(environ: Mapping[str, str]) -> dict[str, tuple[object, str]]:
    """Read ``TRACEGIST_SECTION_KEY`` for every section; a wrong key would otherwise be ignored in silence."""
    found: dict[str, tuple[object, str]] = {}
    for section in msgspec.structs.fields(Config):
        if section.name == "sources":
            continue
        prefix = f"TRACEGIST_{section.name.upper()}_"
        types = {field.name: field.type for field in msgspec.structs.fields(section.type)}
        for variable in sorted(environ):
            if not variable.startswith(prefix):
                continue
            key = variable.removeprefix(prefix).lower()
            if key not in types:
                names = [prefix + name.upper() for name in types]
                msg = f"{variable}: unknown setting{_nearest(variable, names)}"
                raise ConfigError(msg)
            try:
                value = msgspec.convert(environ[variable], types[key], strict=False, dec_hook=_decode_unit)
            except msgspec.ValidationError as error:
                msg = f"{variable}: {_explain(str(error), environ[variable], types[key])}"
                raise ConfigError(msg) from None
            found[f"{section.name}.{key}"] = (value, variable)
    return found


def _with_defaults(table: Table, folders: Folders, file: Path | None, *, journal: bool) -> Table:
    """Fill in the places, which depend on the environment and on each other, and the sources.

    :param journal: whether there is a journal to read
    """
    state = {"folder": folders.state, **_section(table, "state", file)}
    places: Table = {
        "state": state,
        "output": {"folder": state["folder"], **_section(table, "output", file)},
        "server": {"socket": folders.runtime / "tracegist.sock", **_section(table, "server", file)},
    }
    if isinstance(state["folder"], str | Path):
        places["sources"] = [
            {"type": "push"},
            {"type": "spool", "folder": f"{state['folder']}/spool"},
            *([{"type": "journald"}] if journal else []),
            {
                "type": "tail",
                "name": "var-log",
                "paths": ["/var/log/syslog", "/var/log/messages", "/var/log/**/*.log"],
                "exclude": _IN_THE_JOURNAL if journal else [],
            },
        ]
    return {**places, **table, **{name: places[name] for name in ("state", "output", "server")}}


def _decode(table: Table, file: Path | None, origins: Mapping[str, str]) -> Config:
    try:
        return msgspec.convert(table, Config, dec_hook=_decode_unit)
    except msgspec.ValidationError as error:
        match = _AT.fullmatch(str(error))
        text, path = (match[1], match[2] or "$") if match else (str(error), "$")
        raise ConfigError(_describe(text, path, table, file, origins)) from None


def _describe(text: str, path: str, table: Table, file: Path | None, origins: Mapping[str, str]) -> str:
    kind, value = _walk(path, table)
    unknown = text.startswith("Object contains unknown field")
    quoted = _QUOTED.search(text)
    if unknown and quoted and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        path = f"{path}.{quoted[1]}"
        what = f"unknown key{_nearest(quoted[1], _struct_keys(kind))}"
    else:
        what = _explain(text, value, kind)
    key = path.removeprefix("$.")
    # What a section says of itself as a whole begins with the key that it is about.
    origin = origins.get(key) or origins.get(f"{key}.{what.split()[0]}") or str(file or "defaults")
    return f"{origin}: {what}" if origin != str(file or "defaults") else f"{origin}: {path}: {what}"


def _walk(path: str, table: object) -> tuple[Any, object]:
    """Follow msgspec's path into the shape and the raw values: the type expected there, and what stood there."""
    kind: Any = Config
    value: Any = table
    for key, index in _STEP.findall(path):
        if key:
            types = (
                {f.encode_name: f.type for f in msgspec.structs.fields(kind)}
                if hasattr(kind, "__struct_fields__")
                else {}
            )
            if key == "type" and kind is None:
                return _source_types(), value.get(key) if isinstance(value, dict) else None
            kind = types.get(key)
            value = value.get(key) if isinstance(value, dict) else None
        else:
            value = value[int(index)] if index and isinstance(value, list) and int(index) < len(value) else None
            tag = value.get("type") if isinstance(value, dict) else None
            kind = next((t for t in get_args(SourceConfig) if t.__struct_config__.tag == tag), None)
    return kind, value


def _struct_keys(kind: type[msgspec.Struct]) -> list[str]:
    tag = kind.__struct_config__.tag_field
    return [*([tag] if tag else []), *kind.__struct_fields__]


def _source_types() -> list[str]:
    return [str(kind.__struct_config__.tag) for kind in get_args(SourceConfig)]


def _explain(text: str, value: object, kind: object) -> str:
    """Put msgspec's words into the file's: its types are TOML's, and a wrong choice is answered with the choices."""
    if text.startswith(("Invalid enum value", "Invalid value")):
        choices = kind if isinstance(kind, list) else _choices(kind)
        return f"{value!r} is none of {', '.join(choices)}{_nearest(str(value), choices, list_known=False)}"
    if missing := re.match(r"Object missing required field `(\w+)`", text):
        hint = f": one of {', '.join(_source_types())}" if missing[1] == "type" else ""
        return f'the key "{missing[1]}" is missing{hint}'
    for theirs, ours in (
        ("`array`", "an array"),
        ("`object`", "a table"),
        ("`str`", "a string"),
        ("`int`", "an integer"),
        ("`bool`", "true or false"),
    ):
        text = text.replace(theirs, ours)
    return text[:1].lower() + text[1:]


def _choices(kind: object) -> list[str]:
    found: list[str] = []
    for part in get_args(kind):
        found += [part] if isinstance(part, str) else _choices(part)
    return found


def _nearest(word: str, known: Iterable[str], *, list_known: bool = True) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only an error needs it

    known = list(known)
    if close := get_close_matches(word, known, n=1, cutoff=0.6):
        return f'; did you mean "{close[0]}"?'
    return f"; known: {', '.join(known)}" if list_known else ""


def _decode_unit(kind: type, value: object) -> object:
    if isinstance(value, kind):
        return value
    if kind is Size and isinstance(value, int) and not isinstance(value, bool):
        return Size.parse(value)
    if not isinstance(value, str | Path):
        example = {Address: '"127.0.0.1:4318"', Duration: '"5m"', FileMode: '"0660"', Size: '"16MiB"'}.get(
            kind, '"/var/lib/tracegist"'
        )
        msg = f"expected a string such as {example}, got {value!r}"
        raise ValueError(msg)  # noqa: TRY004 - msgspec turns a ValueError into an error with a path
    text = str(value)
    if kind is Path:
        return absolute(text)
    if issubclass(kind, Address | Duration | Size | FileMode | Pattern):
        return kind.parse(text)
    msg = f"no way to read a {kind.__name__}"
    raise NotImplementedError(msg)
