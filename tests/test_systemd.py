"""The units: valid for systemd, and as closed as they claim to be."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parent.parent / "systemd"
# What is left: root's own file system, read access to all logs, and Unix sockets.
THRESHOLD = 10

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here: apt install systemd"
)


def run(*command: str) -> str:
    """Run a command that has to succeed; what it says."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


@needs_systemd
def test_units__verified__nothing_to_complain_of(tmp_path: Path) -> None:
    """Every line of them is read, and every setting known."""
    names = ("tracegist.service", "tracegist.socket", "tracegist-otlp.socket")
    for unit in names:
        # The program need not be installed where this runs.
        text = (UNITS / unit).read_text().replace("/usr/bin/tracegist run", "/bin/true")
        (tmp_path / unit).write_text(text)
    assert "tracegist" not in run("systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in names))


@needs_systemd
def test_service__security__stays_under_the_threshold() -> None:
    """Whoever opens the sandbox has to say so here."""
    run(
        "systemd-analyze",
        "security",
        "--offline=yes",
        f"--threshold={THRESHOLD}",
        "--no-pager",
        str(UNITS / "tracegist.service"),
    )


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd-sysusers is not installed here")
def test_sysusers__applied_to_an_empty_root__user_and_groups_made(tmp_path: Path) -> None:
    """The service's user is made, and may read what group adm and the journal's group may."""
    (tmp_path / "etc").mkdir()
    run("systemd-sysusers", f"--root={tmp_path}", str(UNITS / "tracegist.sysusers.conf"))
    assert "tracegist:" in (tmp_path / "etc/passwd").read_text()
    groups = (tmp_path / "etc/group").read_text()
    assert "adm:x:" in groups
    assert "systemd-journal:x:" in groups


def test_units__name_the_same_user_and_socket() -> None:
    """Four files speak of one user, one group and one path."""
    service = (UNITS / "tracegist.service").read_text().splitlines()
    unit = (UNITS / "tracegist.socket").read_text().splitlines()
    users = (UNITS / "tracegist.sysusers.conf").read_text()
    folders = (UNITS / "tracegist.tmpfiles.conf").read_text()
    assert "User=tracegist" in service
    assert "Group=tracegist" in service
    assert "SocketGroup=tracegist" in unit
    assert "u tracegist " in users
    from tracegist.config import SYSTEM_SOCKET, Server  # noqa: PLC0415 - the rest of the file needs no package

    otlp = (UNITS / "tracegist-otlp.socket").read_text().splitlines()
    assert f"ListenStream={Server(socket=SYSTEM_SOCKET).otlp}" in otlp
    assert "Service=tracegist.service" in otlp

    assert f"ListenStream={SYSTEM_SOCKET}" in unit
    assert f"d {SYSTEM_SOCKET.parent} 0755 tracegist tracegist" in folders
