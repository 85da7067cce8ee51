"""Set-up on an empty machine: what it asks for, whom it asks, and when it only prints the command.

The real script runs; the machine is an empty folder, and programs that would change it write down how they were called.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gis.settings import ROOT

SYSTEM = ROOT / "setup" / "system.sh"
TOOLS = ("sh", "sed", "tr", "ls", "cat", "tail", "mkdir", "env")
USER, ADMINISTRATOR = "1000", "0"
VENV = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"


class Machine:
    """An empty machine. Each call of a program that would change it is a line in `called`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.programs = folder, folder / "bin"
        self.programs.mkdir()
        for name in TOOLS:
            (self.programs / name).symlink_to(shutil.which(name) or f"/bin/{name}")
        self.has("python3", f'case "$*" in *ensurepip*) exit 1 ;; esac; exec {sys.executable} "$@"')
        self.is_a("Linux", USER)
        self.has("apt-cache", '[ "$2" = chromium ]')
        self.has("apt-get", self.note("apt-get"))

    def has(self, name: str, does: str) -> None:
        """Put a program on the machine, never through a link to one of the real machine."""
        path = self.programs / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{does}\n")
        path.chmod(0o755)

    def is_a(self, system: str, uid: str) -> None:
        self.has("uname", f"echo {system}")
        self.has("id", f"echo {uid}")

    def holds(self, path: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).touch()

    def note(self, name: str) -> str:
        return f'echo "{name} $*" >>{self.folder}/called'

    @property
    def called(self) -> list[str]:
        kept = self.folder / "called"
        return kept.read_text().splitlines() if kept.exists() else []

    def set_up(self, purpose: str = "run") -> tuple[int, str]:
        """Run the script; return its status and what it said."""
        environment = {"PATH": str(self.programs), "SYSROOT": str(self.folder)}
        done = subprocess.run(
            [self.programs / "sh", SYSTEM, purpose],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


Prepare = Callable[[Machine], None]


def with_everything(machine: Machine) -> None:
    machine.has("python3", f'exec {sys.executable} "$@"')
    machine.has("chromium", "true")
    machine.holds("usr/share/postgresql/15/extension/postgis.control")
    machine.holds("usr/lib/x86_64-linux-gnu/libatomic.so.1")
    machine.holds("usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")


def command_in(said: str) -> str:
    """Return the command that is printed on a line of its own."""
    return next(line.strip() for line in said.splitlines() if line.startswith("    "))


@pytest.mark.parametrize("purpose", ["run", "test"])
def test_a_machine_that_has_everything_is_left_alone(machine: Machine, purpose: str) -> None:
    with_everything(machine)
    assert machine.set_up(purpose) == (0, "")
    assert machine.called == []


def test_an_administrator_installs_and_is_told_before(machine: Machine) -> None:
    machine.is_a("Linux", ADMINISTRATOR)
    machine.has("sed", machine.note("sed"))
    status, said = machine.set_up()
    assert status == 0
    assert f"postgresql-postgis {VENV}" in said
    assert [call.split()[:2] for call in machine.called] == [["apt-get", verb] for verb in ("update", "install")] + [
        ["sed", "-i"],
        ["apt-get", "install"],
    ]
    assert machine.called[-1].endswith(f"postgresql-postgis {VENV} fonts-wqy-microhei")


def test_letters_come_along_and_are_never_the_reason(machine: Machine) -> None:
    with_everything(machine)
    shutil.rmtree(machine.folder / "usr/share/fonts")
    assert machine.set_up("run") == (0, "")


@pytest.mark.parametrize("font", ["truetype/wqy/wqy-microhei.ttc", "opentype/noto/NotoSansCJK-Regular.ttc"])
def test_letters_that_are_there_do_not_come_again(machine: Machine, font: str) -> None:
    machine.is_a("Linux", ADMINISTRATOR)
    machine.holds("usr/share/postgresql/15/extension/postgis.control")
    machine.holds(f"usr/share/fonts/{font}")
    assert machine.set_up()[0] == 0
    assert machine.called[-1].endswith(f"--no-install-recommends {VENV}")


def test_debians_own_cluster_is_forbidden_before_the_server_comes(machine: Machine) -> None:
    machine.is_a("Linux", ADMINISTRATOR)
    machine.holds("etc/postgresql-common/createcluster.conf")
    kept = machine.folder / "etc/postgresql-common/createcluster.conf"
    kept.write_text("#create_main_cluster = true\n")
    assert machine.set_up()[0] == 0
    assert kept.read_text() == "create_main_cluster = false\n"
    assert machine.called[1].endswith("install -y -qq --no-install-recommends postgresql-common")


def test_the_tests_also_want_a_browser_and_chinese_letters(machine: Machine) -> None:
    with_everything(machine)
    machine.is_a("Linux", ADMINISTRATOR)
    (machine.programs / "chromium").unlink()
    for folder in ("usr/share/fonts", "usr/lib"):
        shutil.rmtree(machine.folder / folder)
    assert machine.set_up("test")[0] == 0
    assert machine.called[-1].endswith("chromium libatomic1 fonts-noto-cjk")


def test_a_user_with_sudo_installs_by_it(machine: Machine) -> None:
    machine.has("sudo", f'[ "$1" = -n ] || {machine.note("sudo")}')
    assert machine.set_up()[0] == 0
    assert machine.called[0] == "sudo apt-get update -qq"
    assert all(call.startswith("sudo ") for call in machine.called)


@pytest.mark.parametrize(
    "prepare",
    [lambda _machine: None, lambda machine: machine.has("sudo", "exit 1")],
    ids=["without sudo", "with a sudo that refuses"],
)
def test_who_may_not_install_gets_the_command_and_nothing_happens(machine: Machine, prepare: Prepare) -> None:
    prepare(machine)
    status, said = machine.set_up("test")
    command = command_in(said)
    assert status == 1
    assert command.startswith("sudo apt-get update && sudo apt-get install -y postgresql-common && ")
    assert command.endswith(f"postgresql-postgis {VENV} chromium libatomic1 fonts-noto-cjk")
    assert machine.called == []


def test_the_command_speaks_of_the_server_only_if_it_is_missing(machine: Machine) -> None:
    machine.holds("usr/share/postgresql/15/extension/postgis.control")
    assert command_in(machine.set_up()[1]) == (
        f"sudo apt-get update && sudo apt-get install -y --no-install-recommends {VENV} fonts-wqy-microhei"
    )


def test_the_printed_command_does_what_the_script_would(machine: Machine) -> None:
    command = command_in(machine.set_up("test")[1])
    machine.has("sudo", 'exec "$@"')
    machine.has("tee", machine.note("tee"))
    shell = {"PATH": str(machine.programs)}
    subprocess.run([machine.programs / "sh", "-c", command], env=shell, check=True, capture_output=True)
    assert [call.split()[0] for call in machine.called] == ["apt-get", "apt-get", "tee", "apt-get"]
    assert machine.called[-1].endswith(f"postgresql-postgis {VENV} chromium libatomic1 fonts-noto-cjk")


def test_what_could_not_be_installed_is_told_with_its_log(machine: Machine) -> None:
    machine.is_a("Linux", ADMINISTRATOR)
    machine.has("apt-get", "echo E: no such package; exit 100")
    status, said = machine.set_up()
    assert status == 1
    assert "E: no such package" in said
    assert "var/setup.log" in said


@pytest.mark.parametrize(
    ("purpose", "command"),
    [
        ("run", "brew install postgresql@17 postgis python@3.13"),
        ("test", "brew install postgresql@17 postgis python@3.13 && brew install --cask google-chrome"),
    ],
)
def test_on_macos_the_command_for_homebrew_is_printed(machine: Machine, purpose: str, command: str) -> None:
    machine.is_a("Darwin", USER)
    status, said = machine.set_up(purpose)
    assert (status, command_in(said)) == (1, command)
    assert machine.called == []


def test_on_macos_nothing_is_asked_for_once_homebrew_has_done_it(machine: Machine) -> None:
    machine.is_a("Darwin", USER)
    machine.has("python3", f'exec {sys.executable} "$@"')
    machine.holds("opt/homebrew/share/postgresql@17/extension/postgis.control")
    machine.holds("Applications/Google Chrome.app/Contents/Info.plist")
    assert machine.set_up("test") == (0, "")


def test_another_system_is_told_the_names_of_the_packages(machine: Machine) -> None:
    (machine.programs / "apt-get").unlink()
    status, said = machine.set_up()
    assert status == 1
    assert f"postgresql-postgis {VENV}" in said


def test_where_the_system_has_no_package_called_chromium_the_other_name_is_taken(machine: Machine) -> None:
    machine.has("apt-cache", '[ "$2" = chromium-browser ]')
    assert command_in(machine.set_up("test")[1]).endswith("chromium-browser libatomic1 fonts-noto-cjk")


def test_an_old_python_is_told_and_nothing_is_installed(machine: Machine) -> None:
    machine.is_a("Linux", ADMINISTRATOR)
    machine.has("python3", "exit 1")
    status, said = machine.set_up()
    assert status == 1
    assert "3.11" in said
    assert machine.called == []


def test_a_named_database_needs_no_server_here(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.has("python3", f'exec {sys.executable} "$@"')
    named = {"PATH": str(machine.programs), "SYSROOT": str(machine.folder), "SHAOTU_DATABASE_URL": "postgresql://x/y"}
    done = subprocess.run([machine.programs / "sh", SYSTEM, "run"], cwd=machine.folder, env=named, check=False)
    assert done.returncode == 0
    assert os.listdir(machine.folder) == ["bin"]  # noqa: PTH208
