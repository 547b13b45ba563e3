"""Show the effective configuration as TOML with the origin of each value, and describe its shape as JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from tracegist._config.load import DEFAULT, Loaded
from tracegist._config.shape import Config
from tracegist._config.units import Address, Duration, FileMode, Pattern, Size

__all__ = ["schema", "show"]


def show(loaded: Loaded) -> str:
    """Write TOML that :func:`tracegist.config.load` reads back; what is no default says where it came from."""
    lines = [f"# {loaded.file or 'no configuration file: the defaults hold'}"]
    lines += [f"# {note}" for note in loaded.notes]
    for section in msgspec.structs.fields(Config):
        value = getattr(loaded.config, section.name)
        if section.name == "sources":
            for source in value:
                lines += [
                    "",
                    "[[sources]]" + _origin(loaded, "sources"),
                    f'type = "{type(source).__struct_config__.tag}"',
                ]
                lines += [f"{key} = {_toml(item)}" for key, item in _items(source)]
            if not value:
                lines[1:1] = ["sources = []" + _origin(loaded, "sources")]
        else:
            lines += ["", f"[{section.name}]"]
            lines += [f"{key} = {_toml(item)}{_origin(loaded, f'{section.name}.{key}')}" for key, item in _items(value)]
    return "\n".join(lines) + "\n"


def schema() -> dict[str, Any]:
    """Describe the file for editors and other programs: JSON Schema, draft 2020-12."""
    found = msgspec.json.schema(Config, schema_hook=_schema_of)
    components = found["$defs"]
    # The places have defaults too, but they depend on who asks.
    components["Config"].pop("required", None)
    for section in msgspec.structs.fields(Config):
        if section.name == "sources":
            continue
        component = components[section.type.__name__]
        component.pop("required", None)
        for field in msgspec.structs.fields(section.type):
            if field.default_factory is not msgspec.NODEFAULT:
                component["properties"][field.encode_name]["default"] = str(field.default_factory())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "tracegist.toml", **found}


def _items(struct: msgspec.Struct) -> list[tuple[str, object]]:
    """TOML has no null: a key without a value is left out."""
    pairs = [(name, getattr(struct, name)) for name in struct.__struct_fields__]
    return [(name, value) for name, value in pairs if value is not None]


def _origin(loaded: Loaded, key: str) -> str:
    origin = loaded.origin(key)
    return "" if origin == DEFAULT else f"  # {origin}"


def _toml(value: object) -> str:
    if isinstance(value, msgspec.Struct):
        return _toml(dict(_items(value)))
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_toml(key)} = {_toml(item)}' for key, item in value.items())} }}"
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, str | Path | Duration | Size | FileMode):
        # A JSON string is a TOML basic string, but for DEL, which only TOML wants escaped.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


def _schema_of(kind: type) -> dict[str, Any]:
    if kind is Duration:
        return {"type": "string", "description": "a length of time", "examples": ["300s", "5m", "1h30m"]}
    if kind is Size:
        return {"type": ["string", "integer"], "description": "bytes", "examples": ["16MiB", 1048576]}
    if kind is FileMode:
        return {"type": "string", "pattern": "^(0o?)?[0-7]{3}$", "examples": ["0660"]}
    if kind is Address:
        return {"type": "string", "description": "an address and a port", "examples": ["127.0.0.1:4318", "off"]}
    if kind in (Path, Pattern):
        return {"type": "string", "pattern": "^[/~]"}
    raise NotImplementedError
