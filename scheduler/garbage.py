"""How often Python looks for garbage: objects that hold each other in a circle. All others go at once, without it.

A batch of patients is some ten thousand records that live until it is written, none of them in a circle. Python
unasked looks through them again and again while they are made, after every 700: a third of all that planning costs.
"""

from __future__ import annotations

import gc

_NEW_OBJECTS = 50_000  # between two looks at the youngest; some megabytes at the most


def look_seldom() -> None:
    """Look through new objects only after as many as a large batch has. For the whole process, from now on."""
    gc.set_threshold(_NEW_OBJECTS, 10, 10)


def never_look_again() -> None:
    """What is there now stays until the process ends: nobody needs to look through it any more."""
    gc.freeze()
