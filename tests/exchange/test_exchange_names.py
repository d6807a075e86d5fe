"""Names and manifests: what passes can be written inside a folder on every machine, and nothing else passes."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tito.exchange.protocol.files import folder_files, write_files
from tito.exchange.protocol.names import DEPTH, check_id, check_paths, check_student, path_fault
from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import Entry, Manifest

TRICKS = [
    "",
    "/etc/passwd",
    "../up",
    "a/../../up",
    "a/./b",
    "a//b",
    "a/",
    ".",
    "..",
    "C:\\windows",
    "C:evil",
    "\\\\server\\share",
    "a\\b",
    "nul",
    "NUL.txt",
    "a/CON",
    "com1.ipynb",
    "lpt¹",
    "zero\x00byte",
    "line\nbreak",
    "tab\there",
    "escape\x1b[2J",
    "right\u202eot.txt",
    "invisible\u200bspace",
    "bom\ufeff",
    "lone\ud800surrogate",
    "private\ue000use",
    "e\u0301",  # decomposed
    "end.",
    "end ",
    " begin",
    "pipe|",
    'quote"',
    "what?",
    "star*",
    "a" * 256,
    "ü" * 150,
    "/".join(["deep"] * (DEPTH + 1)),
    "/".join(["long" * 20] * 12),
    "timestamp.txt",
    "Receipt.json",
    "submission_secret.txt",
    "feedback/p1.html",
    "receipts/x.json",
]  # fmt: skip
FINE = [
    "p1.ipynb",
    "data/numbers.txt",
    "Übung 1.ipynb",
    "数据/一.csv",
    ".hidden",
    "a-b_c (2).txt",
    "sub/timestamp.txt",
    "=1+1",
]
text = st.text(max_size=12)
sly = st.sampled_from(["..", ".", "/", "\\", "\x00", "con", "a", "A", "e\u0301", "é", ":", " ", "\u202e", ".ipynb"])
paths = st.one_of(
    text, st.lists(st.one_of(text, sly), max_size=6).map("".join), st.lists(sly, max_size=5).map("/".join)
)


@pytest.mark.parametrize("path", TRICKS, ids=ascii)
def test_tricks_are_refused(path: str) -> None:
    assert path_fault(path)
    with pytest.raises(Refused) as caught:
        check_paths(["fine.txt", path])
    assert caught.value.status == 400
    str(caught.value).encode("ascii")  # what a terminal or a log cannot be played with


@pytest.mark.parametrize("path", FINE)
def test_ordinary_names_pass(path: str) -> None:
    check_paths([path])


@given(paths)
def test_whatever_passes_stays_inside_its_folder_on_every_machine(path: str) -> None:
    if path_fault(path):
        return
    parts = PurePosixPath(path).parts
    assert "/".join(parts) == path
    assert not set(parts) & {"..", "."}
    assert not PurePosixPath(path).is_absolute()
    windows = PureWindowsPath(path)
    assert not windows.is_absolute()
    assert not windows.drive
    assert windows.parts == parts
    assert unicodedata.normalize("NFC", path) == path
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"")
        assert target.resolve().is_relative_to(root)


@given(st.lists(paths, min_size=1, max_size=6))
def test_no_two_names_that_pass_fall_on_one_file(some: list[str]) -> None:
    try:
        check_paths(some)
    except Refused:
        return
    assert len({path.casefold() for path in some}) == len(some)
    for path in some:
        assert not any(other.casefold().startswith(f"{path.casefold()}/") for other in some)


@pytest.mark.parametrize("pair", [("a", "A"), ("a", "a/b"), ("A/x", "a"), ("straße", "STRASSE"), ("x", "x")])
def test_names_that_collide_somewhere_are_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(Refused):
        check_paths(pair)


@pytest.mark.parametrize("name", ["", "..", ".x", "-x", "a/b", "a b", "a+b", "a\x00", "ä", "a" * 201, "nul", "a\n"])
def test_courses_and_assignments_have_plain_names(name: str) -> None:
    with pytest.raises(Refused):
        check_id("course", name)
    assert check_id("course", "16_quantization.v2-b") == "16_quantization.v2-b"


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", "*", "a?", "[ab]", "a\x00", "a+b", "x" * 201, "service:x"])
def test_a_user_whose_name_cannot_be_a_folder_is_refused(name: str) -> None:
    with pytest.raises(Refused):
        check_student(name)


@pytest.mark.parametrize("name", ["ada", "ada.lovelace@example.edu", "学生", "o'brien", "-dash", "Ada L"])
def test_users_of_a_hub_pass(name: str) -> None:
    assert check_student(name) == name


entries = st.builds(
    Entry,
    path=paths,
    sha256=st.one_of(st.binary(max_size=4).map(lambda data: hashlib.sha256(data).hexdigest()), text),
    size=st.integers(-2, 1 << 40),
)


@given(st.lists(entries, max_size=5))
def test_a_manifest_is_refused_or_has_one_form_whatever_the_order(files: list[Entry]) -> None:
    try:
        manifest = Manifest.of(files)
    except Refused as refusal:
        assert refusal.status == 400
        return
    assert Manifest.of(files[::-1]).to_json() == manifest.to_json()
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert hashlib.sha256(manifest.to_json()).hexdigest() == manifest.sha256


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["files", "path", "sha256", "size", "x"]), inner, max_size=4),
    ),
    max_leaves=8,
)


@given(st.one_of(st.binary(max_size=40), values.map(json.dumps).map(str.encode)))
def test_what_is_no_manifest_is_refused_and_never_a_crash(data: bytes) -> None:
    with pytest.raises(Refused):
        Manifest.from_json(data)


def test_deep_json_is_refused() -> None:
    with pytest.raises(Refused):
        Manifest.from_json(b"[" * 100_000)


def test_the_hash_of_a_manifest_stands_for_every_name_and_content() -> None:
    entry = Entry("a", hashlib.sha256(b"1").hexdigest(), 1)
    others = [Entry("b", entry.sha256, 1), Entry("a", hashlib.sha256(b"2").hexdigest(), 1), Entry("a", entry.sha256, 2)]
    assert len({Manifest.of([other]).sha256 for other in (entry, *others)}) == 4


# ---- folders -----------------------------------------------------------------------------------


def test_links_pipes_and_the_like_are_left_out_and_named(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    work = tmp_path / "work"
    work.mkdir()
    (work / "p1.ipynb").write_text("{}")
    (work / "link").symlink_to(tmp_path / "outside" / "secret")
    (work / "dir").symlink_to(tmp_path / "outside")
    (work / "broken").symlink_to("nowhere")
    os.mkfifo(work / "pipe")
    left: dict[str, str] = {}
    files = folder_files(work, lambda folder, names: [], left.__setitem__)
    assert [path for path, _ in files] == ["p1.ipynb"]
    assert left == {
        "link": "it is a link", "dir": "it is a link", "broken": "it is a link", "pipe": "it is no regular file",
    }  # fmt: skip


def test_decomposed_names_are_handed_in_composed(tmp_path: Path) -> None:
    (tmp_path / "e\u0301.txt").write_text("x")
    assert [path for path, _ in folder_files(tmp_path, lambda folder, names: [], lambda path, why: None)] == ["é.txt"]


@pytest.mark.parametrize("changed", ["content", "missing", "extra", "longer", "receipt"])
def test_a_bundle_that_is_not_what_the_receipt_says_is_refused(changed: str, tmp_path: Path) -> None:
    data = {"a": b"one", "b": b"two"}
    manifest = Manifest.of([Entry(path, hashlib.sha256(value).hexdigest(), len(value)) for path, value in data.items()])
    signed = manifest.sha256
    if changed == "receipt":
        signed = "0" * 64
    data |= {"content": {"a": b"ONE"}, "extra": {"../c": b""}, "longer": {"b": b"two" * 99}}.get(changed, {})
    if changed == "missing":
        del data["a"]
    inside = tmp_path / "inside"
    inside.mkdir()
    contents = [(path, iter([value])) for path, value in data.items()]
    with pytest.raises(Refused) as caught:
        write_files("ada's ps1", signed, list(manifest.files), contents, inside)
    assert caught.value.status == 502
    assert not (tmp_path / "c").exists()
