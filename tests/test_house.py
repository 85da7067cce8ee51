"""The rules of the house that a machine can hold."""

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from gis import errors, language
from gis.cli import COMMANDS
from gis.settings import ROOT

DRAWERS = {"utils", "util", "helpers", "helper", "common", "base", "manager", "service", "services", "core", "misc"}
EDGES = ("app.py", "gis/cli/", "gis/web/", "gis/demo/", "gis/tasks/", "gis/jobs.py", "gis/worker.py")
REGISTRIES = re.compile("|".join(["registry[.]npm" + "js", "py" + "pi[.]org", "python" + "hosted", "npm" + "mirror"]))
# Folders of one machine; what stands in a system's own folders is the same everywhere.
PLACES = re.compile("|".join(["/wo" + "rk/", "/ho" + "me/[a-z]", "/Us" + "ers/[a-z]", "bash" + "_jobs/"]))
ERRORS = {
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.ShaotuError)
}


@cache
def tracked() -> tuple[Path, ...]:
    """List what is, or is about to be, in the repository."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return tuple(path for path in map(ROOT.joinpath, names) if path.is_file())


@cache
def parsed() -> dict[str, ast.Module]:
    """Read the product's own Python."""
    ours = [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in {"gis", "app.py"}]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in ours}


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def functions() -> list[int]:
    """Measure every function, in lines."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = (node for tree in parsed().values() for node in ast.walk(tree) if isinstance(node, kinds))
    return [(node.end_lineno or node.lineno) - node.lineno + 1 for node in nodes]


def calls(tree: ast.Module) -> Iterator[tuple[str, list[ast.expr]]]:
    """Yield the last name of each call, and its arguments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", "")), node.args


def raised() -> set[str]:
    """Collect the codes that errors are made with."""
    return {
        arguments[0].value
        for tree in parsed().values()
        for name, arguments in calls(tree)
        if name in ERRORS and arguments and isinstance(arguments[0], ast.Constant)
        if isinstance(arguments[0].value, str)
    }


def test_no_file_is_a_drawer() -> None:
    assert [path for path in tracked() if path.stem in DRAWERS or path.parent.name in DRAWERS] == []


def test_nothing_of_the_product_imports_its_front_door() -> None:
    assert [name for name, tree in parsed().items() if name != "app.py" and "app" in imported(tree)] == []


def test_one_file_alone_knows_folium() -> None:
    knowing = {name for name, tree in parsed().items() for module in imported(tree) if module.startswith("folium")}
    assert knowing <= {"gis/web/webmap.py"}


def test_only_edges_commit() -> None:
    committing = {name for name, tree in parsed().items() if any(called == "commit" for called, _ in calls(tree))}
    assert [name for name in committing if not name.startswith(EDGES)] == []


def test_every_error_has_its_sentence_in_both_languages() -> None:
    for locale in language.LOCALES:
        assert raised() - set(language.sentences(locale)) == set()


@pytest.mark.parametrize("kind", errors.ShaotuError.__subclasses__())
def test_every_kind_of_error_has_a_sentence_of_its_own(kind: type[errors.ShaotuError]) -> None:
    assert kind.code in language.sentences("zh")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_named_can_be_loaded(name: str) -> None:
    from gis.cli import Rooms

    assert Rooms().get_command(None, name) is not None  # type: ignore[arg-type]


def test_functions_are_short() -> None:
    lengths = sorted(functions())
    assert statistics.median(lengths) <= 8
    assert lengths[len(lengths) * 9 // 10] < 30


def test_files_of_the_product_are_short() -> None:
    lines = {name: (ROOT / name).read_text("utf-8").count("\n") for name in parsed()}
    assert {name: count for name, count in lines.items() if count > 360} == {}


@pytest.mark.parametrize("told", [REGISTRIES, PLACES], ids=["a registry", "a place of one machine"])
def test_no_file_of_the_repository_names(told: re.Pattern[str]) -> None:
    naming = []
    for path in tracked():
        content = path.read_bytes()
        if b"\0" not in content and told.search(content.decode("utf-8", "replace")):
            naming.append(path)
    assert naming == []


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (REGISTRIES, "https://registry.npm" + "js.org/leaflet"),
        (REGISTRIES, "https://files.python" + "hosted.org/a"),
        (PLACES, "see /wo" + "rk/main/x"),
        (PLACES, "cd /ho" + "me/li"),
    ],
)
def test_what_may_not_be_named_would_be_found(pattern: re.Pattern[str], said: str) -> None:
    assert pattern.search(said)


def test_every_requirement_is_pinned_with_a_hash() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        wanted = [line for line in (ROOT / name).read_text().splitlines() if re.match(r"[a-z0-9]", line)]
        assert all("==" in line and line.endswith("\\") for line in wanted), name


def test_what_the_product_runs_on_is_the_same_when_it_is_tested() -> None:
    used, tested = (
        set(re.findall(r"^([a-z0-9-]+==[^ ;\\]+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.txt", "requirements-dev.txt")
    )
    assert used <= tested


def test_no_file_of_another_project_lies_in_the_repository() -> None:
    assert [path for path in tracked() if path.name.endswith((".min.js", ".min.css", ".woff2", ".ttf", ".otf"))] == []
