"""Files of learning management systems, filled: golden files of each, who a row is, and that all else stays."""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tito.errors import BadSource, TitoError, UsageError
from tito.exports.fill import Choices, Reconciliation, fill
from tito.exports.sheet import MARK, read_sheet
from tito.exports.systems import SYSTEMS, number
from tito.gradebook.grades import AssignmentGrades
from tito.models import GradeRow, Status

GIVEN = {path.name.split(".")[0]: path for path in (Path(__file__).parent / "lms_files").glob("*.given.*")}
ASSIGNMENT = "16_quantization"


def grade(student: str, score: float | None, status: Status = Status.GRADED, **facts: Any) -> GradeRow:
    """A student who handed in on time."""
    row = GradeRow(
        student_id=student,
        last_name=student.title(),
        first_name="",
        email=f"{student}@example.edu",
        cells={"test": score},
        raw_score=score,
        late_penalty=0.0,
        score=score,
        max_score=100.0,
        status=status,
    )
    return replace(row, **facts)


CLASS = [
    grade("ada", 87.5, lms_user_id="101"),
    grade("bob", 0.0, lms_user_id="102"),
    grade("cy", None, Status.MISSING),
    grade("dee", None, Status.UNGRADED),
    grade("eve", None, Status.NEEDS_MANUAL_GRADING),
    grade("fay", None, Status.EXCUSED),
    grade("gus", 61.0),
    grade("hal", 62.0),
    grade("zoe", 100.0),
    grade("noor", 100 / 3),
    grade("long", 12.25, lms_user_id="111"),
    grade("twin1", 10.0, email="twins@example.edu"),
    grade("twin2", 20.0, email="twins@example.edu"),
    grade("umit", 55.555, lms_user_id="112"),
    grade("uma", 50.0),
]


def of(*rows: GradeRow, assignment: str = ASSIGNMENT) -> AssignmentGrades:
    return AssignmentGrades(assignment, (), list(rows), {})


def written(folder: Path, content: str | bytes, name: str = "given.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def students(entries: tuple[Any, ...]) -> list[str]:
    return [entry.student or entry.name for entry in entries]


# ---- golden files ------------------------------------------------------------------------------


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_file_of_each_system_is_filled_to_the_byte(system: str, tmp_path: Path) -> None:
    source = GIVEN[system]
    target = tmp_path / source.name
    result = fill(of(*CLASS), SYSTEMS[system], source, output=target)
    assert target.read_bytes() == Path(str(source).replace(".given.", ".filled.")).read_bytes()
    assert result.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    again = fill(of(*CLASS), SYSTEMS[system], target, in_place=True)
    assert (again.new, again.changed, again.sha256) == (0, (), result.sha256)
    assert (again.grades, again.points) == (result.grades, result.points)


def test_what_became_of_each_row_is_told(tmp_path: Path) -> None:
    result = fill(of(*CLASS), SYSTEMS["canvas"], GIVEN["canvas"], output=tmp_path / "filled.csv")
    assert (result.students, result.matched, result.matched_by) == (14, 12, {"ID": 4, "SIS Login ID": 8})
    assert [(each.student, each.was, each.now) for each in result.changed] == [("zoe", "99.00", "100")]
    assert {each.student: each.reason for each in result.left} == {
        "cy": "missing", "dee": "ungraded", "eve": "needs manual grading",
    }  # fmt: skip
    assert {each.student: each.reason for each in result.held} == {
        "gus": "excused in Canvas", "hal": "not assigned in Canvas",
    }  # fmt: skip
    assert [(each.name, each.was) for each in result.unknown] == [("Guest, Görel", "5.00")]
    assert [(each.line, each.reason) for each in result.ambiguous] == [(15, "could be twin1 or twin2")]
    assert [(each.student, each.now) for each in result.absent] == [("uma", "50")]
    assert result.new == 5  # ada, bob, fay, long, umit
    assert result.same == 1  # noor
    assert (result.grades, result.points) == (6, 87.5 + 0 + 100 + 33.33 + 12.25 + 55.56)


def test_a_row_that_says_two_students_is_neithers_and_makes_theirs_doubtful(tmp_path: Path) -> None:
    result = fill(of(*CLASS), SYSTEMS["blackboard"], GIVEN["blackboard"], output=tmp_path / "filled.xls")
    reasons = {each.name: each.reason for each in result.ambiguous}
    assert reasons["Two Keys"] == "could be ada or bob"
    assert reasons["Lovelace Ada, Countess"] == "not the only row of ada"
    assert reasons["Boole Bob"] == "not the only row of bob"
    assert {"ada", "bob"}.isdisjoint(students(result.absent))


def test_a_file_all_of_whose_rows_are_ambiguous_is_told_as_that(tmp_path: Path) -> None:
    path = canvas(tmp_path, rows="A,1,ada,S,,\nB,2,ada,S,,\n")
    result = filled(path)
    assert [each.reason for each in result.ambiguous] == ["not the only row of ada"] * 2
    assert (result.matched, result.matched_by, result.grades, result.points) == (0, {}, 0, 0)
    assert result.written.read_bytes() == path.read_bytes()


# ---- the sheet ---------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ['"', '""', "a,b", "x;y", "t\tb", "l\nb", "l\r\nb", "=1+1", "-", " ", "é", "נועה", "漢字", "'"]
)
ENCODINGS = {"utf-8": "", "utf-8-sig": "utf-8-sig", "utf-16-le": MARK, "utf-16-be": MARK}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], bytes, str]:
    """Rows of equal width, as the csv module writes them, in some encoding; and their separator."""
    width = draw(st.integers(2, 5))
    rows = draw(st.lists(st.lists(TEXTS, min_size=width, max_size=width), min_size=1, max_size=6))
    head = [f"heading {at}" for at in range(width)]
    separator = draw(st.sampled_from(",;\t"))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    out = io.StringIO(newline="")
    quoting = draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
    csv.writer(out, delimiter=separator, lineterminator=end, quoting=quoting).writerows([head, *rows])
    encoding = draw(st.sampled_from(list(ENCODINGS)))
    mark = MARK if encoding.startswith("utf-16") else ""
    return [head, *rows], (mark + out.getvalue()).encode(encoding), separator


@given(tables())
def test_a_sheet_says_what_was_written_and_is_written_back_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory, table: tuple[list[list[str]], bytes, str]
) -> None:
    rows, content, separator = table
    sheet = read_sheet(written(tmp_path_factory.mktemp("sheet"), content))
    assert sheet.separator == separator
    assert [sheet.values(row) for row in range(len(sheet.rows))] == rows
    assert sheet.encoded(sheet.with_values({})) == content


@given(tables(), st.data())
def test_a_field_that_is_written_is_read_back_and_no_other_changes(
    tmp_path_factory: pytest.TempPathFactory, table: tuple[list[list[str]], bytes, str], data: st.DataObject
) -> None:
    rows, content, _ = table
    folder = tmp_path_factory.mktemp("sheet")
    sheet = read_sheet(written(folder, content))
    row = data.draw(st.integers(1, len(rows) - 1))
    column = data.draw(st.integers(0, len(rows[0]) - 1))
    value = data.draw(TEXTS.filter(bool))
    again = read_sheet(written(folder, sheet.encoded(sheet.with_values({(row, column): value}))))
    expected = [list(values) for values in rows]
    expected[row][column] = value
    assert [again.values(at) for at in range(len(again.rows))] == expected


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40))
def test_any_text_is_read_as_the_csv_module_does_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = written(tmp_path_factory.mktemp("sheet"), f"a,b\n{text}")
    try:
        sheet = read_sheet(path)
    except BadSource:
        return
    assert sheet.encoded(sheet.with_values({})) == path.read_bytes()
    assert [sheet.values(row) or [""] for row in range(len(sheet.rows))] == [
        row or [""] for row in csv.reader(io.StringIO(path.read_bytes().decode(), newline=""))
    ]


def test_bytes_of_an_older_code_come_back(tmp_path: Path) -> None:
    head = "Last Name,First Name,Username,16 Quantization\r\n"
    content = f"{head}Müller,Jörg,ada,\r\n".encode("cp1252")
    path = written(tmp_path, content)
    fill(of(grade("ada", 5.0)), SYSTEMS["blackboard"], path, in_place=True)
    assert path.read_bytes() == content.replace(b",ada,", b",ada,5")


def test_a_heading_that_an_older_code_has_no_letters_for_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "Last Name,Username,Other\nMüller,ada,\n".encode("latin-1"))
    with pytest.raises(UsageError, match=r"encoded as latin-1, which has no 'Квант'.*--column"):
        filled(path, system="blackboard", new_column=True, column="Квант")
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


# ---- properties of filling ---------------------------------------------------------------------

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=300) | st.sampled_from(
    ["=1+1", "+1", "-1", "@x", "Ünal, Ümit", "سلمى", "N" * 300, '"Q"', "Points Possible?"]
)
SCORES = st.floats(0, 100).map(lambda score: round(score, 2)) | st.just(0.0)
STATES = st.sampled_from(list(Status))


@given(st.lists(st.tuples(NAMES, SCORES, STATES), min_size=1, max_size=8), st.sampled_from(",;"), st.booleans())
def test_grades_are_read_back_and_four_things_stay_four(
    tmp_path_factory: pytest.TempPathFactory,
    cohort: list[tuple[str, float, Status]],
    separator: str,
    with_comma: bool,
) -> None:
    rows = [grade(f"s{at}", score if state is Status.GRADED else None, state) for at, (_, score, state) in
            enumerate(cohort)]  # fmt: skip
    possible = "100,0" if with_comma else "100.0"
    lines = [
        ["Student", "ID", "SIS Login ID", "Section", f"{ASSIGNMENT} (7)"],
        ["    Points Possible", "", "", "", possible],
    ]
    lines += [[name, str(at), f"s{at}", "A", ""] for at, (name, _, _) in enumerate(cohort)]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator).writerows(lines)
    path = written(tmp_path_factory.mktemp("canvas"), out.getvalue())
    if all("Points Possible" in name for name, _, _ in cohort):
        return
    result = fill(of(*rows), SYSTEMS["canvas"], path, in_place=True)
    back = list(csv.reader(io.StringIO(path.read_bytes().decode(), newline=""), delimiter=separator))
    assert [line[:4] for line in back] == [line[:4] for line in lines]
    for line, row, (name, score, state) in zip(back[2:], rows, cohort, strict=True):
        if "Points Possible" in name:
            continue
        expected = {Status.GRADED: score, Status.EXCUSED: "EX"}.get(state, "")
        assert (number(line[4]) if state is Status.GRADED else line[4]) == expected, row
        assert ("," in line[4]) <= with_comma
    assert result.students == sum("Points Possible" not in name for name, _, _ in cohort)


# ---- columns, points and keys ------------------------------------------------------------------

CANVAS = "Student,ID,SIS Login ID,Section,{column},Final Score\n    Points Possible,,,,{points},(read only)\n{rows}"


def canvas(folder: Path, column: str = f"{ASSIGNMENT} (7)", points: str = "100", rows: str = "A,1,ada,S,,\n") -> Path:
    return written(folder, CANVAS.format(column=column, points=points, rows=rows))


def filled(path: Path, *rows: GradeRow, system: str = "canvas", **choices: Any) -> Reconciliation:
    return fill(of(*rows or (grade("ada", 87.5),)), SYSTEMS[system], path, choices=Choices(**choices))


@pytest.mark.parametrize("title", ["16_quantization (7)", "16 Quantization", "Quantization (99)", "016: quantization"])
def test_our_column_is_known_by_the_modules_name(title: str, tmp_path: Path) -> None:
    assert filled(canvas(tmp_path, title)).column == title


@pytest.mark.parametrize(
    ("column", "choices", "part", "hint"),
    [
        ("Homework (1)", {}, "No column of", "It has: 'Homework (1)'. Name ours with --column"),
        ("Homework (1)", {"column": "Homwork"}, "No column of", "'Homework (1)'"),
        ("Homework (1)", {"column": "Final Score"}, "No column of", "'Homework (1)'"),
        ("Quantization,Quantization (2)", {}, "More than one column", "Name one with --column, as it stands there."),
        ("16_quantization", {"new_column": True}, "has a column for 16_quantization", "Leave --new-column out."),
        ("16_quantization", {"key": "Sectoin"}, "has no column 'Sectoin'", "Did you mean 'Section'?"),
        ("16_quantization", {"key": "Section"}, "Nobody in", "--key"),
    ],
)
def test_a_column_that_is_not_plain_is_refused(
    column: str, choices: dict[str, Any], part: str, hint: str, tmp_path: Path
) -> None:
    wide = column.count(",")
    path = canvas(tmp_path, column, points="," * wide + "100", rows="A,1,ada,S," + "," * (wide + 1) + "\n")
    before = path.read_bytes()
    with pytest.raises(UsageError) as refused:
        filled(path, **choices)
    assert part in refused.value.message
    assert hint in str(refused.value)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == before


def test_what_the_system_counts_has_to_be_what_the_assignment_has(tmp_path: Path) -> None:
    path = canvas(tmp_path, points="10")
    with pytest.raises(UsageError, match="Canvas counts 10 points for it, and the assignment has 100"):
        filled(path)
    filled(path, scale=True)
    assert ",8.75," in (tmp_path / "given.filled.csv").read_text()


def test_a_read_only_column_is_never_ours(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No column of"):
        filled(canvas(tmp_path, points="(read only)"))


def test_a_new_column_is_added_with_its_points(tmp_path: Path) -> None:
    path = canvas(tmp_path, "Homework (1)", rows="A,1,ada,S,,\n\nB,2,nobody,S,3,\n")
    result = filled(path, new_column=True)
    assert result.written.read_text() == (
        "Student,ID,SIS Login ID,Section,Homework (1),Final Score,16_quantization\n"
        "    Points Possible,,,,100,(read only),100\nA,1,ada,S,,,87.5\n\nB,2,nobody,S,3,,\n"
    )
    moodle = GIVEN["moodle"]
    with pytest.raises(UsageError, match="Moodle takes no new column"):
        fill(of(*CLASS), SYSTEMS["moodle"], moodle, output=tmp_path / "m.csv", choices=Choices(new_column=True))


def test_a_worksheet_in_another_language_is_filled_where_its_columns_are_named(tmp_path: Path) -> None:
    text = 'Kennung,"E-Mail-Adresse",Bewertung\n"Teilnehmer/in1",ada@example.edu,\n'
    path = written(tmp_path, text)
    with pytest.raises(BadSource, match=r"no column 'Identifier'.*--column and --key"):
        filled(path, system="moodle")
    filled(path, system="moodle", column="Bewertung", key="E-Mail-Adresse")
    assert (tmp_path / "given.filled.csv").read_text() == text.replace("edu,\n", "edu,87.5\n")


def test_above_the_most_is_told_where_the_system_leaves_it_out(tmp_path: Path) -> None:
    result = fill(of(grade("ada", 101.0)), SYSTEMS["moodle"], GIVEN["moodle"], output=tmp_path / "m.csv")
    assert [(each.student, each.reason) for each in result.above] == [("ada", "more than 100")]


def test_logins_are_compared_without_regard_to_capitals_and_to_how_accents_are_written(tmp_path: Path) -> None:
    login = unicodedata.normalize("NFD", "Zoë")
    path = canvas(tmp_path, rows=f"A,1,{login},S,,\n")
    assert filled(path, grade(unicodedata.normalize("NFC", "zoë"), 1.0)).matched == 1


def test_grades_of_some_are_written_where_all_say_who_a_row_is(tmp_path: Path) -> None:
    path = canvas(tmp_path, rows="A,101,ada,S,,\nB,102,bob,S,,\nC,101,cy,S,,\n")
    rows = [grade(name, 5.0, lms_user_id=number) for name, number in (("ada", "101"), ("bob", "102"), ("cy", "103"))]
    result = fill(of(*rows), SYSTEMS["canvas"], path, in_place=True, only={"bob", "cy"})
    assert path.read_text().endswith("A,101,ada,S,,\nB,102,bob,S,5,\nC,101,cy,S,,\n")
    assert [each.reason for each in result.ambiguous] == ["not the only row of ada", "could be ada or cy"]
    assert result.absent == ()


# ---- bad files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"PK\x03\x04rest", "is an Excel workbook"),
        (b"", "is no table"),
        (b"\x00\x01\x02", "is no text"),
        (b"one column\n1\n", "is no table"),
        (b'Student,ID,SIS Login ID,Section,16_quantization\n"A,1,ada,S,\n', "given.csv:2: a quote is opened here"),
        (b"Student,ID,SIS Login ID,Section,16_quantization\nLovelace, Ada,1,ada,S,\n", "given.csv:2: 6 fields below 5"),
        (b"Student,ID,SIS Login ID,Section,16_quantization\nA,1,ada\n", "given.csv:2: 3 fields below 5"),
        (b"Student,ID,SIS Login ID,Section,16_quantization\n", "has no student in it"),
        (b"Student,ID,Section,16_quantization\nA,1,S,\n", "Nobody in"),
        (b"Email,SID,16_quantization\nx,1,2\n", "It looks like one for --format gradescope."),
        (b"Student,Section,16_quantization\nx,1,2\n", "no column 'ID'"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_file_that_is_none_is_refused_and_nothing_is_written(content: bytes, part: str, tmp_path: Path) -> None:
    path = written(tmp_path, content)
    with pytest.raises(TitoError) as refused:
        filled(path)
    assert part in str(refused.value)
    assert refused.value.hint
    assert [entry.name for entry in tmp_path.iterdir()] == ["given.csv"]


def test_a_file_without_a_column_that_says_who_a_row_is_is_refused(tmp_path: Path) -> None:
    text = 'Identifier,Grade,"Last modified (grade)"\n"Participant 1",,-\n'
    with pytest.raises(UsageError, match="does not say who its rows are: it has none of 'Email address'"):
        filled(written(tmp_path, text), system="moodle")


# ---- where it is written -----------------------------------------------------------------------


def test_nothing_else_is_written_over(tmp_path: Path) -> None:
    path = canvas(tmp_path)
    other = written(tmp_path, "my own notes, dear\n1,2\n", "given.filled.csv")
    with pytest.raises(UsageError, match="is not this file with other grades in it"):
        filled(path)
    assert other.read_text().startswith("my own notes")
    other.unlink()
    filled(path)
    assert filled(path, grade("ada", 3.0)).points == 3.0  # filled anew, over the earlier one
    assert ",3,\n" in other.read_text()


def test_the_file_itself_is_written_over_only_where_that_is_asked_for(tmp_path: Path) -> None:
    path = canvas(tmp_path)
    path.chmod(0o640)
    before = path.read_bytes()
    filled(path)
    assert path.read_bytes() == before
    with pytest.raises(UsageError, match="--in-place writes over it"):
        fill(of(grade("ada", 1.0)), SYSTEMS["canvas"], path, output=path)
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    fill(of(grade("ada", 1.0)), SYSTEMS["canvas"], link, in_place=True)
    assert b"ada,S,1," in path.read_bytes()
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("points", ["100", ""])
def test_of_a_class_of_nobody_nothing_is_written(points: str, tmp_path: Path) -> None:
    path = canvas(tmp_path, points=points)
    with pytest.raises(UsageError, match=f"no students, and nobody has handed in {ASSIGNMENT}"):
        fill(of(), SYSTEMS["canvas"], path)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_folder_that_cannot_be_written_to_is_one_line(tmp_path: Path) -> None:
    blocked = written(tmp_path, "a file, not a folder", "blocked")
    with pytest.raises(UsageError, match="cannot be written"):
        fill(of(grade("ada", 1.0)), SYSTEMS["canvas"], canvas(tmp_path), output=blocked / "filled.csv")
