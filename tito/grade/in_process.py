"""Why a test can be forged: why it runs beside student code, or what it is told; in words that help to change it.

Nothing is run here. The words are the author's and the TA's to read: they may hold what the test expects.
"""

from __future__ import annotations

from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.steps import Ran

NO_PYTHON = "it is no plain Python: take magics and shell commands out of it"
RUNS_VALUES = "it would run what student code returned or wrote (eval, pickle, a shell): compare values instead"
IS_TOLD = (
    "it asks the notebook's own modules (an open database, a function's source), which student code can replace: "
    "compare values that student code returns, or write a '### JUDGE' line below which only such values are looked at"
)
LONGEST = 300  # characters of what was raised

ADVICE = (  # what is in the text of the error, and what would help
    ("cannot be handed to the notebook", "hand over plain values, arrays, or what a cell before the test has made"),
    ("is not defined", "make the name in a cell before the test, or in the test itself"),
    ("could not get source code", "import inspect in the test or in a cell before it, by that name"),
    ("Read-only file system", "let the test write to a file of its own, not to one that came with the assignment"),
    ("readonly database", "let the test work on a copy, not on the database that came with the assignment"),
    ("No such file or directory", "use open, pathlib or os for the file, by these names"),
    ("cannot be inherited from", "let the test make no class that inherits from a student's"),
    ("asks too much of the notebook", "have student code called less often, or on arrays instead of single values"),
    ("Expected type", "compare the values: list(…) or to_numpy() of what student code returned"),
)
OTHERWISE = "look at plain values of what student code returned: numbers, text, lists, arrays"
OR_JUDGE = "or write a '### JUDGE' line below which only such values are looked at"


def explanation(ran: Ran) -> str:
    """What became of a section of the reference's, as far as it tells the author what to change."""
    if ran.status is not StepStatus.ERROR:
        return f"apart from student code the reference does not come to its end ({ran.status.value}); {OR_JUDGE}"
    raised = f"{ran.ename}: {ran.evalue}".rstrip(": ").replace("\n", " ")[:LONGEST]
    advice = next((words for part, words in ADVICE if part in ran.evalue), OTHERWISE)
    return f"apart from student code the reference fails it ({raised}): {advice}; {OR_JUDGE}"
