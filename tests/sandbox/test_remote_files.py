"""Tests without a judge line that look at files: the judge reads what student code wrote, with its own modules."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from remote_bench import Bench, bench_of, notebook_of

from tito.models import Verdict
from tito.plan.planning import plan_notebook
from tito.sandbox.bubblewrap import Bubblewrap
from tito.sandbox.unprivileged import Unprivileged

SETUP = """
import json
import os
from pathlib import Path
import pickle as objects
import sys
import numpy as np
import helper
def restored(path):
    with open(path, "rb") as file:
        return objects.load(file)
"""
SOLUTIONS = {
    "copy": """
def copy(source, target):
    Path(target).write_text(Path(source).read_text())
    return Path(target)
""",
    "tidy": """
def tidy():
    for path in Path().glob("*.tmp"):
        path.unlink()
""",
    "store": """
def store(array, path):
    np.save(path, array)
""",
    "append": """
def append(path, line):
    with open(path, "a") as file:
        file.write(line + "\\n")
""",
    "table": """
with open("table.csv", "w") as file:
    file.write("a,b\\n1,2\\n")
""",
    "read": """
def total(path):
    return sum(json.loads(Path(path).read_text()))
""",
    "visits": """
def visit(function):
    return function("visited.txt")
""",
    "expected": """
def square(n):
    return n * n
""",
    "kept": """
def keep(values, path):
    with open(path, "wb") as file:
        objects.dump(values, file)
""",
    "module": """
Path("students.py").write_text("def answer():\\n    return 42\\n")
""",
}
TESTS = {
    "copy": """
path = copy("shipped.txt", "out.txt")
assert path == Path("out.txt") and isinstance(path, Path)
assert path.read_text() == "as it was shipped\\n"
### BEGIN HIDDEN TESTS
Path("706173.txt").write_text("hidden")
assert copy(Path("706173.txt"), Path("again.txt")).stat().st_size == 6
import helper
assert helper.answer() == 42
### END HIDDEN TESTS
""",
    "tidy": """
Path("a.tmp").touch(); Path("b.txt").touch()
tidy()
assert not os.path.exists("a.tmp") and os.path.exists("b.txt")
""",
    "store": """
for number in range(20):
    store(np.full(3, number), "values.npy")
    assert np.load("values.npy").tolist() == [number] * 3
""",
    "append": """
append("shipped.txt", "one more")
assert Path("shipped.txt").read_text().splitlines() == ["as it was shipped", "one more"]
### BEGIN HIDDEN TESTS
with open("fresh.txt", "w") as file:
    file.write("706173\\n")
append("fresh.txt", "x")
assert open("fresh.txt").read() == "706173\\nx\\n"
### END HIDDEN TESTS
""",
    "table": """
assert "table.csv" in os.listdir()
with open("table.csv") as file:
    head, *rows = file.read().splitlines()
assert head == "a,b" and rows == ["1,2"]
""",
    "read": """
Path("numbers.json").write_text("[1, 2, 3]")
assert total("numbers.json") == 6
### BEGIN HIDDEN TESTS
os.makedirs("deep/er", exist_ok=True)
json.dump([706173, 1], open("deep/er/numbers.json", "w"))
assert total("deep/er/numbers.json") == 706174
### END HIDDEN TESTS
""",
    "visits": """
def write(path):
    Path(path).write_text("by the test")
    return path
assert Path(visit(write)).read_text() == "by the test"
""",
    "expected": """
assert square(3) == int(Path("expected.txt").read_text())
""",
    "kept": """
keep([1, 2], "values.pkl")
assert restored("values.pkl") == [1, 2]
""",
    "module": """
sys.path.insert(0, os.getcwd())
import students
assert students.answer() == 42
""",
}


NOTEBOOK = partial(notebook_of, SETUP, SOLUTIONS, TESTS)


@pytest.fixture(scope="module", params=[Bubblewrap, Unprivileged], ids=["bubblewrap", "landlock"])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("files").resolve()
    contents = {
        "shipped.txt": "as it was shipped\n",
        "expected.txt": "9",
        "helper.py": "def answer():\n    return 42\n",
    }
    for name, content in contents.items():
        (folder / name).write_text(content)
    files = tuple((folder / name, name) for name in contents)
    with bench_of(request.param(), NOTEBOOK, files) as bench:
        yield bench


def test_all_are_judged_apart_and_the_reference_earns_everything(bench: Bench) -> None:
    assert set(bench.plan.tests) == {f"test_{name}" for name in TESTS}
    bench.assert_passes()


HONEST = {
    "a path as text": ("copy", """
import shutil
def copy(source, target):
    shutil.copyfile(source, target)
    return type(Path())(target)
"""),
    "another folder meanwhile": ("append", """
import tempfile
def append(path, line):
    path = os.path.abspath(path)
    os.chdir(tempfile.gettempdir())
    with open(path, "a") as file:
        print(line, file=file)
    os.chdir(os.path.dirname(path))
"""),
    "written at once": (
        "table",
        """
import csv
with open("table.csv", "w") as file:
    csv.writer(file, lineterminator="\\n").writerows([["a", "b"], [1, 2]])
""",
    ),
    "with a large file beside it": ("store", """
def store(array, path):
    with open("checkpoint.bin", "wb") as file:
        file.truncate(40 << 20)
    np.save(path, array)
"""),
    "with a pipe and a link beside it": ("tidy", """
def tidy():
    os.mkfifo("pipe"); os.symlink("/nowhere", "link"); os.symlink(".", "self")
    os.remove("a.tmp")
"""),
}  # fmt: skip


@pytest.mark.parametrize(("name", "source"), HONEST.values(), ids=HONEST)
def test_honest_work_in_another_style_keeps_its_points(bench: Bench, name: str, source: str) -> None:
    bench.assert_passes(**{name: source})


SHADOWING = """
class Everything:
    def __eq__(self, other): return True
    def __getattr__(self, name): return lambda *a, **k: Everything()
    def __iter__(self): return iter([self, self])
"""
WRONG = {
    "nothing is written": ("copy", "def copy(source, target): return Path(target)"),
    "nothing is removed": ("tidy", "def tidy(): pass"),
    "nothing is removed, and exists says so": ("tidy", """
def tidy():
    os.path.exists = lambda path: path == "b.txt"
    Path.exists = lambda self: False
"""),
    "the first stays": ("store", "def store(array, path):\n    if not os.path.exists(path): np.save(path, array)"),
    "open says what is wanted": ("append", """
import builtins, io
before = builtins.open
def append(path, line):
    text = before(path).read() + line + "\\n"
    read = Path.read_text
    builtins.open = lambda name, *a, **k: io.StringIO(text) if name == path else before(name, *a, **k)
    Path.read_text = lambda self: text if str(self) == path else read(self)
"""),
    "what equals all": ("read", SHADOWING + """
def total(path): return Everything()
"""),
    "a module of the judge's in the folder": ("read", SHADOWING + """
SOURCE = '''
import builtins, sys
def load(*a, **k): return 706174
def dump(*a, **k): pass
class Path(str):
    def __init__(self, *a): pass
    def write_text(self, text): pass
def answer(): return 42
builtins.int = builtins.sum = lambda *a: 706174
'''
def total(path):
    for name in ("json", "pathlib", "os", "helper", "numpy", "sitecustomize", "encodings", "_bootlocale", "linecache"):
        os.makedirs(name, exist_ok=True)
        before = [name + ".py", name + "/__init__.py"]
        for file in before:
            open(file, "w").write(SOURCE)
    return -1
"""),
    "the path of what has no end": ("copy", """
def copy(source, target): return Path("/dev/zero")
"""),
    "the path of what never comes": ("copy", """
def copy(source, target): return Path("/dev/tty") if os.path.exists("/dev/tty") else Path("/proc/self/fd/0")
"""),
    "a program for the judge's path": ("copy", """
def copy(source, target):
    Path(target).write_text(Path(source).read_text())
    class Same(type(Path())):
        def __eq__(self, other): return True
        def stat(self): return os.stat_result([6] * 10)
    return Same("elsewhere")
"""),
    "objects that run what they are made of": ("kept", """
def keep(values, path):
    class Runs:
        def __reduce__(self): return eval, ("[1, 2]",)
    with open(path, "wb") as file:
        objects.dump(Runs(), file)
"""),
    "a module that would be run where it is imported": ("module", """
Path("students.py").write_text('''
class Same:
    def __eq__(self, other): return True
def answer():
    return Same()
''')
"""),
    "what is expected is written by the student": ("expected", """
Path("expected.txt").write_text("10")
def square(n): return n * n
"""),
}  # fmt: skip


@pytest.mark.parametrize(("name", "source"), WRONG.values(), ids=WRONG)
def test_wrong_work_fails_and_costs_nothing_else(bench: Bench, name: str, source: str) -> None:
    bench.assert_loses(name, source)


def test_what_a_test_leaves_in_the_judges_folder_is_gone_with_it(bench: Bench) -> None:
    wrong = bench.grade(expected='Path("expected.txt").write_text("10")\ndef square(n): return 10')
    assert wrong["test_expected"].verdict is Verdict.PASSED, "it compares with what anybody may write: its own fault"
    assert bench.grade(expected="def square(n): return 10")["test_expected"].verdict is Verdict.FAILED


@pytest.mark.parametrize(
    "source",
    [
        "import pickle\nassert pickle.load(open('model.pkl', 'rb')) == 1",
        "assert objects.load(open('model.pkl', 'rb')) == 1",
        "from joblib import load as restore\nassert restore('model') == 1",
    ],
)
def test_what_is_forged_with_a_file_of_objects_stays_beside_student_code(source: str) -> None:
    (test,) = plan_notebook("one", notebook_of(SETUP, {"model": "model = 1"}, {"model": source})).tests.values()
    assert test.runs_values and not test.possible
