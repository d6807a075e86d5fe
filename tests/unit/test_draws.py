"""Random generators that cross: what a student's process says of one is a claim."""

from __future__ import annotations

import numpy as np
import pytest

from tito.sandbox.inside.codec import CodecError
from tito.sandbox.inside.wire import Draws, draws_of, generator_of


@pytest.mark.parametrize("place", [625, 10**6, -1])
def test_a_place_outside_of_a_generators_numbers_reads_no_memory(place: int) -> None:
    name, key, *_ = np.random.RandomState(0).get_state(legacy=True)
    with pytest.raises(CodecError, match="no random generator"):
        generator_of(Draws("RandomState", "", (name, key, place, 0, 0.0)))
    state = np.random.MT19937(0).state
    state["state"]["pos"] = place
    with pytest.raises(CodecError, match="no random generator"):
        generator_of(Draws("Generator", "MT19937", state))


@pytest.mark.parametrize("bits", ["MT19937", "PCG64", "PCG64DXSM", "SFC64"])
def test_a_generator_goes_on_where_it_was(bits: str) -> None:
    generator = np.random.Generator(getattr(np.random, bits)(7))
    generator.random(5)
    draws = draws_of(generator)
    assert draws is not None
    assert generator_of(draws).random() == generator.random()
