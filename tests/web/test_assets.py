"""What the browser loads is what the lock says, and asks no other host."""

import io
import tarfile
from pathlib import Path

import pytest

from gis.errors import Invalid
from gis.web import assets
from gis.web.assets import Package


def tarball(folder: Path, **files: bytes) -> Path:
    path = folder / "made.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def package(made: Path, *files: str) -> Package:
    return Package("made", "1.0.0", assets.integrity(made.read_bytes()), files)


def unpack(package: Package, made: Path, vendor: Path) -> None:
    assets._unpack(package, {assets.integrity(made.read_bytes()): made}, vendor)


def test_only_the_files_named_in_the_lock_are_taken(tmp_path: Path) -> None:
    made = tarball(tmp_path, **{"a.js": b"a", "b.js": b"b"})
    unpack(package(made, "a.*"), made, tmp_path / "vendor")
    assert {path.name for path in (tmp_path / "vendor" / "made").iterdir()} == {"a.js", ".stamp"}


def test_a_package_with_another_hash_is_refused(tmp_path: Path) -> None:
    made = tarball(tmp_path, **{"a.js": b"a"})
    with pytest.raises(Invalid, match=r"assets\.hash_differs"):
        assets._unpack(package(made, "a.js"), {"sha512-other": made}, tmp_path)


def test_a_file_the_package_lacks_is_reported(tmp_path: Path) -> None:
    made = tarball(tmp_path, **{"a.js": b"a"})
    with pytest.raises(Invalid, match=r"assets\.file_missing"):
        unpack(package(made, "a.js", "b.js"), made, tmp_path)


def test_an_unpacked_package_is_not_fetched_again(tmp_path: Path) -> None:
    made = tarball(tmp_path, **{"a.js": b"a"})
    once = package(made, "a.js")
    unpack(once, made, tmp_path / "vendor")
    assert assets.install([once], tmp_path / "vendor") == []


def test_a_package_is_fetched_again_when_the_lock_wants_other_files(tmp_path: Path) -> None:
    made = tarball(tmp_path, **{"a.js": b"a", "b.js": b"b"})
    unpack(package(made, "a.js"), made, tmp_path)
    assert not package(made, "a.js", "b.js").is_installed(tmp_path)


@pytest.mark.parametrize("rule", [b"url(//host/a.png)", b"url( 'https://host/a')", b'@import "http://host/a.css"'])
def test_a_style_sheet_that_asks_another_host_is_refused(rule: bytes) -> None:
    with pytest.raises(Invalid, match=r"assets\.asks_outside"):
        assets.cleaned("a.css", b"a { background: " + rule + b" }")


def test_references_to_source_maps_are_dropped() -> None:
    assert assets.cleaned("a.js", b"let a;\n//# sourceMappingURL=a.js.map\n") == b"let a;\n"


def test_pictures_are_left_as_they_are() -> None:
    assert assets.cleaned("a.png", b"//# sourceMappingURL=x") == b"//# sourceMappingURL=x"


def test_what_the_lock_names_is_installed_file_by_file() -> None:
    for locked in assets.read_lock():
        assert locked.is_installed(assets.VENDOR), f"{locked.name}: run `gis assets --tests`"
