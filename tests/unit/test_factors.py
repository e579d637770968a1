"""What a provider says about how somebody signed in there, and whether that is more than one factor."""

from __future__ import annotations

import pytest

from scheduler.domain.factors import has_many_factors


@pytest.mark.parametrize(
    "methods", [{"mfa"}, {"pwd", "otp"}, {"pin", "hwk"}, {"face", "swk"}, {"fpt", "pwd"}, {"pwd", "sms", "rba"}]
)
def test_methods_of_two_kinds_are_two_factors(methods: set[str]) -> None:
    assert has_many_factors(methods, "", accepted=())


@pytest.mark.parametrize(
    "methods",
    [set(), {"pwd"}, {"pwd", "pin"}, {"otp", "sms"}, {"face", "fpt"}, {"pwd", "geo", "rba", "user"}, {"MFA"}],
)
def test_methods_of_one_kind_are_one_factor_however_many(methods: set[str]) -> None:
    assert not has_many_factors(methods, "", accepted=())


def test_a_context_counts_if_the_operator_says_so() -> None:
    assert has_many_factors((), "gold", accepted={"gold"})
    assert not has_many_factors((), "gold", accepted={"silver"})
    assert not has_many_factors((), "", accepted={""})
