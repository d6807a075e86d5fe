"""Names that can be had by signing up: no other person's, to the eye, nor a group's or a service's."""

from __future__ import annotations

import pytest

from tito.hub.config.names import refusal_of, skeleton

OTHERS = {"ada", "chief", "annal", "m.curie", "teacher1"}


@pytest.mark.parametrize("name", ["bob", "ada", "j.smith-2", "zoë", "дарья", "s350", "李雷", "user@example.org"])
def test_a_name_of_ones_own_can_be_had(name: str) -> None:
    assert refusal_of(name, OTHERS) == ""


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("a\u0501a", "mixes letters"),
        ("\u0430d\u0430", "mixes letters"),
        ("\u0430\u0501\u0430", "too like"),
        ("anna1", "too like"),
        ("annai", "too like"),
        ("rncurie", "too like"),
        ("mcurie", "too like"),
        ("teacherl", "too like"),
        ("chlef", "too like"),
        ("\uff41\uff44\uff41", "stand for others"),
        ("\u212bsa", "stand for others"),
        ("formgrade-tiny", "groups and services"),
        ("nbgrader-tiny", "groups and services"),
        ("precheck-tiny", "groups and services"),
        ("service:exchange", "cannot serve"),
        ("../ada", "cannot serve"),
        ("a*", "cannot serve"),
        ("con", "cannot serve"),
        ("ada\u200b", "stand for others|cannot serve"),
        ("", "cannot serve"),
        ("x" * 300, "cannot serve"),
    ],
)
def test_a_name_that_could_be_taken_for_anothers_cannot(name: str, reasons: str) -> None:
    why = refusal_of(name, OTHERS)
    assert any(reason in why for reason in reasons.split("|")), why


def test_names_that_look_alike_have_one_skeleton() -> None:
    assert skeleton("Modern.0ne") == skeleton("rnodemone")
