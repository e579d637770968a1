"""What a sight is: where it is seen, by whom, and what is done there first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Doing = Callable[[Any], object]
"""What is done on a page of Playwright before one looks."""


class Clinic(StrEnum):
    """In which sample clinic."""

    DAYS = "days"  # some days old, as `make run` brings it
    WEEKS = "weeks"  # the same, after some weeks


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One page in one state.

    `role` is somebody of the sample clinic, as its buttons call them; without one nobody is signed in. `path` may
    begin with the MRN of a patient in braces: then it is that patient's own page, which is open unless `is_shut`.
    `do` is done before one looks, and may lead to another page.
    """

    name: str
    path: str
    role: str = ""
    do: Doing | None = None
    clinic: Clinic = Clinic.DAYS
    shows: str = ""  # the path that `do` leads to, with * for a part of it
    is_late: bool = False  # the session ends before `do`
    is_shut: bool = False
    is_small: bool = False  # its picture is that of a phone
    has_picture: bool = True
    height: int = 900
    status: int = 200  # of the answer to `path`


def click(selector: str) -> Doing:
    """Press the first of these."""
    return lambda page: page.locator(selector).first.click()


def press(name: str) -> Doing:
    """Press the button with this name."""
    return lambda page: page.get_by_role("button", name=name, exact=True).first.click()


def at(selector: str) -> Doing:
    """Scroll to the first of these."""
    return lambda page: page.locator(selector).first.evaluate("element => element.scrollIntoView()")


def follow(selector: str) -> Doing:
    """Go where the first of these links leads."""

    def do(page: Any) -> None:
        href = page.locator(selector).first.get_attribute("href")
        page.goto(page.url.partition("/phones")[0] + href)

    return do


def one_after_the_other(*doings: Doing) -> Doing:
    """All of it."""

    def do(page: Any) -> None:
        for each in doings:
            each(page)

    return do
