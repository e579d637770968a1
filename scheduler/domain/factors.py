"""Whether what a provider says about how somebody signed in there is more than one factor. Pure."""

from __future__ import annotations

from collections.abc import Collection

_MANY = "mfa"
# RFC 8176, section 2: what somebody knows, has, or is. Methods that prove none of these (`geo`, `rba`, `wia`) count
# for nothing, and two of one kind are one factor.
_KINDS = (
    frozenset({"pwd", "pin", "kba"}),
    frozenset({"hwk", "swk", "otp", "pop", "sc", "sms", "tel"}),
    frozenset({"face", "fpt", "iris", "retina", "vbm"}),
)


def has_many_factors(methods: Collection[str], context: str, *, accepted: Collection[str]) -> bool:
    """Whether the methods (`amr`) are of more than one kind, or the context (`acr`) is one of those `accepted`."""
    if _MANY in methods or (context and context in accepted):
        return True
    return sum(not kind.isdisjoint(methods) for kind in _KINDS) > 1
