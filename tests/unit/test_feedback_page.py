"""The page that a student reads: what stands on it, in which order, and what never does."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from feedback_support import STUB, Reader, failed, tiny_page
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from tiny import CELLS, HIDDEN_TEXT, MARK_SCHEME, SOLUTION_TEXT, meta, page_text, script

from tito.feedback.page import MOST
from tito.gradebook.by_hand import ByHand
from tito.models import CellVerdict, CheckVerdict, Evidence, Status, Verdict

MESSAGE = "double([1, 2]) must be [2, 4], got [3.0, 6.0]"
ATTACK = "fetch('/hub/api')"
HOSTILE_TEXTS = [
    f"<script>{ATTACK}</script>",
    f'<img src=x onerror="{ATTACK}">',
    f'<svg onload="{ATTACK}"><use href="#Regular-20"/></svg>',
    f"[click](javascript:{ATTACK})",
    f"<iframe srcdoc='<script>{ATTACK}</script>'></iframe>",
    f'<form action="/hub/logout"><input type=submit></form><a id="notebook" onclick="{ATTACK}">x</a>',
    '<style>.verdict-failed{display:none}</style><link rel=stylesheet href="https://example.edu/x.css">',
    '<p style="position:fixed;inset:0">covers all</p><meta http-equiv=refresh content="0;url=https://example.edu">',
    '<span class="verdict verdict-passed">passed</span><div class="card">100 of 100 points</div>',
    '<img alt="<h1 onmouseover=x>" src="data:image/png;base64,AAAA">',
    "$\\hat{x}\\href{javascript:x}{y}$ $" + "{" * 400 + "$",
    "</pre></div></section></main><h1>Feedback for mallory</h1>",
    f'![$x$ > <b title="$y$"> \\" onerror={ATTACK} $\\hat{{z}}$](data:image/png;base64,AAAA "$x$")',
]


def test_the_card_tells_points_version_receipt_and_how_it_was_graded() -> None:
    page = tiny_page(failed("test_double", 4.0, MESSAGE), first_name="Ada", last_name="Lovelace")
    text = page_text(page.html)
    assert "Feedback for Ada Lovelace (ada)" in text
    assert "6 of 10 points" in text
    assert "handed in 2026-11-28 09:00 UTC, graded 2026-11-29 10:00 UTC" in text
    assert "d" * 64 in text
    assert "verdicts given outside student code, sandbox bubblewrap, tests revision bbbbbbbbbbbb" in text
    assert page.findings == ()


def test_exercises_are_called_as_the_notebook_does_and_told_apart_where_it_does_not() -> None:
    page = tiny_page(failed("test_double", 4.0, "no"), failed("test_halve", 3.0, "no"))
    assert re.findall(r'<li><a href="#why-\d">([^<]*)</a>', page.html) == ["Doubling: double", "Doubling: halve"]
    headed = script(halve="# %% [markdown]\n# ## Exercise 2: `halve` (3 points)\n\n" + CELLS["halve"])
    text = page_text(tiny_page(failed("test_halve", 3.0, "no"), text=headed).html)
    assert "Exercise 2: halve" in text and "(3 points)" not in text.partition("Your notebook")[0]


def test_a_verdict_that_rests_on_student_code_is_not_said_to_be_given_outside_of_it() -> None:
    beside = CellVerdict("test_halve", Verdict.PASSED, 3.0, 3.0, Evidence.IN_PROCESS)
    text = page_text(tiny_page(beside).html)
    assert "outside student code" not in text
    assert "sandbox bubblewrap" in text


def test_what_failed_stands_above_the_notebook_in_the_authors_words_with_where() -> None:
    page = tiny_page(
        failed("test_double", 4.0, MESSAGE, detail="DETAIL for the TA"), answers={"double": "def double(v): 1"}
    )
    text = page_text(page.html)
    assert text.index("What did not pass") < text.index(MESSAGE) < text.index("Your notebook")
    assert "which looks at your double" in text
    assert "DETAIL" not in page.html
    (target,) = set(re.findall(r'href="#(cell-\d+)"><code>double</code>', page.html))
    assert f'id="{target}"' in page.html


@pytest.mark.parametrize("kind", [Verdict.FAILED, Verdict.ERROR, Verdict.TIMEOUT, Verdict.MEMORY, Verdict.NOT_RUN])
def test_how_a_test_failed_is_not_told(kind: Verdict) -> None:
    pages = [
        tiny_page(CellVerdict("test_double", each, 0.0, 4.0, Evidence.JUDGED, "words")).html
        for each in (kind, Verdict.FAILED)
    ]
    assert pages[0] == pages[1]


def test_time_and_memory_are_those_of_the_visible_parts() -> None:
    slow = failed(
        "test_double", 4.0, MESSAGE, seconds=17.5, memory_mb=913.0, visible_seconds=0.25, visible_memory_mb=12.0
    )
    text = page_text(tiny_page(slow).html)
    assert "0.25 s, 12 MiB" in text
    assert "17.5" not in text and "913" not in text


def test_named_checks_tell_what_each_gave_and_hints_come_with_what_failed() -> None:
    hinted = script(
        test_double=f"""# %% {meta("test_double", grade=True, locked=True, points=4)}
### HINT: Look at what the function returns.
y = double(np.array([1.0]))
### JUDGE
### CHECK ones (1): ones are wrong
### HINT ones: Is it twice?
assert y[0] == 2
### CHECK shapes (3): shapes are wrong
### HINT shapes: Never shown to who passed it.
assert y.shape == (1,)
"""
    )
    checks = (CheckVerdict("ones", 0.0, 1.0, "ones: ones are wrong"), CheckVerdict("shapes", 3.0, 3.0))
    partly = CellVerdict(
        "test_double", Verdict.FAILED, 3.0, 4.0, Evidence.JUDGED, "ones: ones are wrong", checks=checks
    )
    text = page_text(tiny_page(partly, text=hinted).html)
    assert "Look at what the function returns." in text
    assert "ones are wrong" in text and "Is it twice?" in text
    assert "Never shown" not in text
    assert "partly" in text and "3 of 4" in text
    everything = page_text(tiny_page(text=hinted).html)
    assert "Look at what" not in everything and "Is it twice" not in everything


def test_points_comments_and_extra_credit_of_graders_stand_on_the_page() -> None:
    hand = ByHand(
        points={("doubling", "essay"): 0.5},
        extra={("doubling", "essay"): 2.0},
        comments={("doubling", "essay"): "Say **which** bits. <script>x</script>", ("doubling", "task_why"): "Fine."}
        | {("doubling", "halve"): "Short."},
    )
    page = tiny_page(hand=hand, scores={"essay": 2.5, "task_why": 2.0}, late_penalty=1.5, raw_score=11.5, score=10.0)
    text = page_text(page.html)
    assert "Say which bits." in text and "Fine." in text and "Short." in text
    assert "<strong>which</strong>" in page.html
    assert "Handed in late−1.5 points, of 11.5 before that" in text.replace(" −", "−")
    assert "+2 points" in text
    assert text.count("graded by hand") >= 2


def test_a_page_of_who_is_not_fully_graded_says_so() -> None:
    waits = CellVerdict("essay", Verdict.MANUAL, None, 1.0)
    ours = CellVerdict("test_halve", Verdict.PLATFORM, None, 3.0)
    status = {"score": None, "late_penalty": None, "raw_score": 6.0, "status": Status.NEEDS_MANUAL_GRADING}
    text = page_text(tiny_page(waits, ours, **status).html)
    assert "6 of 10 points so far: a person still has to look at it" in text
    assert "waits for a person" in text and "not graded yet: our fault" in text
    assert "nothing, as far as it is graded" in text


def test_what_everybody_was_given_is_folded_and_what_is_the_students_is_not() -> None:
    page = tiny_page(own=[new_markdown_cell("# My own thoughts")])
    folded = Reader(page.html).folded_text
    assert 'print("warm", warm)' in folded and "import numpy as np" in folded
    for own in ("return 2 * values", "My own thoughts", "The exponent grows by one."):
        assert own in page_text(page.html) and own not in folded


def test_an_untouched_cell_is_folded_unless_a_grader_wrote_on_it() -> None:
    assert STUB in Reader(tiny_page(answers={"double": STUB}).html).folded_text
    hand = ByHand(comments={("doubling", "double"): "No response."})
    page = tiny_page(answers={"double": STUB}, hand=hand)
    assert STUB not in Reader(page.html).folded_text
    assert "Left as you were given it" in page_text(page.html)


# ---- what never stands there -----------------------------------------------------------------------


def test_nothing_hidden_stands_on_a_page() -> None:
    page = tiny_page(failed("test_double", 4.0, "large and negative numbers must be doubled too"))
    for secret in (*HIDDEN_TEXT, MARK_SCHEME, SOLUTION_TEXT, "BEGIN HIDDEN", "MARK SCHEME", "===", "allclose"):
        assert secret not in page.html and secret not in page_text(page.html), secret
    assert page.findings == ()


SCHEME = f"<b>{MARK_SCHEME}</b> that grows, one for the digits that stay as they are"
SEED = ["rng = np.random.default_rng(HIDDEN_SEED)"]
LEAKING = {
    "test_halve": new_output("stream", name="stdout", text="assert halve(-919.5) == -459.75"),
    "test_double": new_output("error", ename="AssertionError", evalue="", traceback=SEED),
    "task_why": new_output("display_data", data={"text/html": SCHEME}),
}


@pytest.mark.parametrize("whose", LEAKING)
def test_a_page_that_would_show_a_secret_tells_whose(whose: str) -> None:
    (finding,) = tiny_page(own=[new_code_cell("x", outputs=[LEAKING[whose]])]).findings
    assert (finding.where, finding.is_test) == (whose, whose != "task_why")


def test_a_message_with_an_expected_value_is_found_and_a_students_own_number_is_not() -> None:
    (finding,) = tiny_page(failed("test_double", 4.0, "the seed was 706173")).findings
    assert (finding.where, finding.is_test) == ("test_double", True)
    printed = new_output("stream", name="stdout", text="706173")
    assert tiny_page(own=[new_code_cell("print(700000 + 6173)", outputs=[printed])]).findings == ()


def test_a_solution_that_is_the_references_is_the_students_own() -> None:
    line = "numbers_as_floats = np.asarray(values, dtype=np.float64)"
    same = f"def double(values):\n    {line}\n    return numbers_as_floats * 2"
    assert tiny_page(answers={"double": same}).findings == ()
    leaked = new_output("stream", name="stdout", text=line)
    (finding,) = tiny_page(own=[new_code_cell("x", outputs=[leaked])]).findings
    assert (finding.where, finding.is_test) == ("double", False)


# ---- hostile notebooks -----------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_what_a_student_wrote_runs_nothing_asks_for_nothing_and_looks_like_no_verdict(text: str) -> None:
    error = new_output("error", ename=text, evalue=text, traceback=[text])
    shown = [
        new_output("display_data", data={"text/html": text}),
        new_output("display_data", data={"text/latex": text}),
        error,
    ]
    honest = Reader(tiny_page().html)
    page = tiny_page(
        failed("test_double", 4.0, text),
        own=[new_markdown_cell(text), new_code_cell(text, outputs=shown)],
        answers={"essay": text},
        hand=ByHand(comments={("doubling", "essay"): text}),
        first_name=text,
        notes=(text,),
    )
    reader = Reader(page.html)
    ordinary = {"img", "a", "b", "span", "div", "p", "section", "h3", "ul", "li", "use", "br", "svg", "path"}
    assert reader.tags - honest.tags <= ordinary
    for alone in ("style", "meta"):
        assert reader.all_of(alone) == honest.all_of(alone)
    for tag, facts in reader.elements:
        assert not any(name.startswith("on") for name in facts), (tag, facts)
        assert str(facts.get("href", "#")).startswith(("#", "http://", "https://", "mailto:")), facts
        assert str(facts.get("src", "data:image/")).startswith("data:image/"), facts
        assert tag == "svg" or "style" not in facts, facts
    ids = [facts["id"] for _, facts in reader.elements if "id" in facts]
    assert len(ids) == len(set(ids))
    assert len(reader.verdicts) == len(honest.verdicts) + 1  # what failed is told in one more place
    assert set(reader.verdicts) == {"verdict-passed", "verdict-failed", "verdict-by_hand"}
    assert reader.headings == [1, 2, 2, 2, 3, 2, 2]


def test_a_page_has_a_policy_that_lets_nothing_run_and_stands_alone() -> None:
    page = tiny_page().html
    head = page[: page.index("</head>")]
    assert "default-src &#39;none&#39;" in head and "script-src" not in head
    assert head.index("Content-Security-Policy") < head.index("<title")
    assert '<html lang="en">' in page and 'name="viewport"' in head
    assert "http://" not in page and "https://" not in page


def test_what_a_terminal_obeys_is_not_in_a_page() -> None:
    escapes = "\x1b]0;owned\x07\x1b[2Jshown\x9b31m\u202e"
    printed = new_output("stream", name="stdout", text=escapes)
    page = tiny_page(
        failed("test_double", 4.0, escapes),
        own=[new_code_cell(escapes, outputs=[printed])],
        first_name=escapes,
        notes=(escapes,),
    )
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", page.html)


MEGABYTE = "x" * (1 << 20)
PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(30_000)).decode()
LARGE = {
    "text": [new_markdown_cell(MEGABYTE)],
    "many texts": [new_markdown_cell(f"text {number} " + "y " * 900) for number in range(900)],
    "code": [new_code_cell("x = 1\n" * 200_000)],
    "many cells": [new_code_cell(f"x = {number}") for number in range(20_000)],
    "output": [new_code_cell("x", outputs=[new_output("stream", name="stdout", text=MEGABYTE)] * 20)],
    "table": [new_code_cell("x", outputs=[new_output("display_data", data={"text/html": "<td>" * 300_000})])],
    "pictures": [new_code_cell("x", outputs=[new_output("display_data", data={"image/png": PICTURE})] * 40)],
    "letters": [new_markdown_cell(" ".join(f"$\\hat{{{chr(97 + n % 26)}}}_{{{n}}}$" for n in range(900)))],
    "deep": [new_markdown_cell("> " * 4000 + "deep"), new_markdown_cell("<b>" * 4000)],
    "brackets": [new_markdown_cell("[" * 19_000), new_markdown_cell("*" * 19_000), new_markdown_cell("`" * 19_001)],
}


@pytest.mark.parametrize("own", LARGE.values(), ids=LARGE)
def test_a_page_has_its_size_whatever_was_handed_in_and_verdicts_stay(own: list[Any]) -> None:
    page = tiny_page(failed("test_double", 4.0, MESSAGE), own=own)
    assert len(page.html.encode()) < MOST
    assert MESSAGE in page_text(page.html)
    assert "return 2 * values" in page_text(page.html)
    Reader(page.html)


def test_what_is_left_out_is_said() -> None:
    text = page_text(tiny_page(own=LARGE["pictures"] + LARGE["text"]).html)
    assert "would make this page too large" in text
    assert "more characters, which stand in your notebook" in text


def test_formulas_share_their_letters_and_have_a_text() -> None:
    page = tiny_page(
        own=[new_markdown_cell(r"Then $\hat{x} = s \cdot x$ and $x + x + x$, but \$5."), new_markdown_cell("$$x^2$$")]
    )
    assert page.html.count('aria-label="x + x + x"') == 1
    names = re.findall(r'<path id="([\w-]+)"', page.html)
    assert len(names) == len(set(names)) >= 4
    used = set(re.findall(r'<use href="#([\w-]+)"', page.html))
    assert used == set(names)


def test_a_formula_in_a_pictures_description_is_read_and_not_drawn() -> None:
    page = tiny_page(own=[new_markdown_cell("![the line $x < 5$ & more](data:image/png;base64,AAAA)")])
    (picture,) = Reader(page.html).all_of("img")
    assert picture["alt"] == "the line x < 5 & more"
