"""Names that can be had by signing up: those that a student can have everywhere, and nobody takes for another's."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from tito.exchange.protocol.names import check_student
from tito.exchange.protocol.problems import Refused
from tito.hub.config.people import GROUP_OF_ROLE

# What groups, services and their accounts are called.
OURS = ("service-", "service:", "precheck-", *(f"{kind}-" for kind in GROUP_OF_ROLE.values()))
ALIKE = str.maketrans(
    "0135|ıаеорсухіѕјԁһӏοαρνικυτ",
    "olesll" + "aeopcyxisjdhl" + "oapvikut",
)
PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
SEPARATORS = str.maketrans("", "", "._-@ ")


def refusal_of(name: str, others: Iterable[str]) -> str:
    """Why a name cannot be had beside those of `others`, in a sentence; "" where it can.

    Args:
        name: as the hub would write it, in small letters.
    """
    if unicodedata.normalize("NFKC", name).lower() != name:
        return f"{name} has characters that stand for others. Write it with plain letters."
    try:
        check_student(name)
    except Refused as refusal:
        return str(refusal)
    if name.startswith(OURS):
        return f"Names that begin with {name.partition('-')[0]}- are groups and services here. Take another one."
    if len({_script(letter) for letter in name if letter.isalpha()}) > 1:
        return f"{name} mixes letters of several scripts. Take those of one."
    like = next((other for other in sorted(others) if other != name and skeleton(other) == skeleton(name)), "")
    return f"{name} is too like a name that is here already. Take another one." if like else ""


def skeleton(name: str) -> str:
    """What is left of a name for an eye that does not look twice: two names of the same skeleton look alike."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = plain.translate(ALIKE).replace("i", "l").translate(SEPARATORS)
    for pair, letter in PAIRS:
        plain = plain.replace(pair, letter)
    return plain


def _script(letter: str) -> str:
    """The script of a letter, as its name in Unicode begins: LATIN, CYRILLIC."""
    return unicodedata.name(letter, "").partition(" ")[0]
