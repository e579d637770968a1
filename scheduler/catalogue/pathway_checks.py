"""Checks on a pathway as a whole: where its steps lead, and that no patient is left standing."""

from __future__ import annotations

from collections.abc import Callable

from scheduler.catalogue.pathway_draft import Cause, Draft, Spot
from scheduler.catalogue.yaml_nodes import did_you_mean
from scheduler.domain.pathway import NOW, Every, Step


def check_graph(draft: Draft) -> None:
    """Every fault of the pathway as a graph goes into the draft's log, with its line."""
    for check in (
        _check_targets,
        _check_moved,
        _check_reachable,
        _check_loops,
        _check_asked_again,
        _each_step(_check_timers),
        _each_step(_check_routine),
        _each_step(_check_silence),
        _each_step(_check_can_leave),
        _each_step(_check_asked),
        _each_step(_check_counts),
    ):
        check(draft)


def _each_step(check: Callable[[Draft, Step], None]) -> Callable[[Draft], None]:
    """`check` for every step that was read whole; a faulty one would only be reported twice."""

    def check_all(draft: Draft) -> None:
        for step in draft.pathway.steps.values():
            if step.name not in draft.notes.faulty_steps:
                check(draft, step)

    return check_all


def _add(draft: Draft, step: Step, message: str) -> None:
    draft.log.add(draft.step_lines[step.name], f"step '{step.name}': {message}")


# Where actions lead


def _check_targets(draft: Draft) -> None:
    known = list(draft.step_lines)
    for spot in draft.notes.spots:
        target = spot.action.target
        if target is not None and target not in known:
            word = "restart" if spot.action.restart else "go"
            unknown = f"'{target}', which is not a step of this pathway{did_you_mean(target, known)}"
            draft.log.add(spot.go_line, f"{spot.where}: {word} leads to {unknown}")


def _check_moved(draft: Draft) -> None:
    known = list(draft.step_lines)
    for old, new in draft.pathway.moved.items():
        line = draft.notes.moved_lines[old]
        if old in known:
            draft.log.add(line, f"moved: step '{old}' still exists; only a removed step says where its patients go")
        if new not in known:
            unknown = f"'{new}', which is not a step of this pathway{did_you_mean(new, known)}"
            draft.log.add(line, f"moved: '{old}' leads to {unknown}")


def _check_reachable(draft: Draft) -> None:
    leads: dict[str | None, set[str]] = {None: set(draft.pathway.moved.values())}
    for spot in draft.notes.spots:
        target = spot.action.target
        if target is not None:
            leads.setdefault(spot.step, set()).add(_meant(target, draft))
    reached: set[str | None] = {None}
    fresh: set[str | None] = {None}
    while fresh:
        found: set[str | None] = {target for source in fresh for target in leads.get(source, ())}
        fresh = found - reached
        reached |= fresh
    for name, line in draft.step_lines.items():
        if name not in reached:
            remedy = "let an answer, a silence or a fact lead to it, or remove it"
            draft.log.add(line, f"step '{name}': nothing leads here; {remedy}")


def _meant(target: str, draft: Draft) -> str:
    """The step a mistyped target was probably meant to be, so that one slip is not reported as two."""
    if target in draft.step_lines:
        return target
    guess = did_you_mean(target, list(draft.step_lines))
    return guess.split("'")[1] if guess else target


# Loops


def _check_loops(draft: Draft) -> None:
    """Steps that lead to each other at once and by themselves would go round for ever."""
    hops = {
        spot.step: spot
        for spot in draft.notes.spots
        if spot.step is not None and spot.is_immediate and spot.action.target
    }
    told: set[str] = set()
    for start in hops:
        path: list[str] = []
        at: str | None = start
        while at in hops and at not in path and at not in told:
            path.append(at)
            at = hops[at].action.target
        if at in path:
            loop = path[path.index(at) :]
            told.update(loop)
            way = " -> ".join(f"'{name}'" for name in (*loop, at))
            first = hops[loop[0]]
            draft.log.add(
                first.line, f"{first.where}: the steps {way} go round without a wait; give one of them a wait"
            )


def _check_asked_again(draft: Draft) -> None:
    """A question whose answer leads straight back to it would be asked again day after day."""
    for spot in draft.notes.spots:
        is_answered = spot.cause in (Cause.ANSWER, Cause.TEXT)
        if not is_answered or spot.step is None or spot.action.target != spot.step or spot.action.after != NOW:
            continue
        step = draft.pathway.steps.get(spot.step)
        if step is not None and step.send is not None:
            remedy = "say when to ask again, as in 'after: 14 days', or leave the step out to keep it open"
            draft.log.add(spot.go_line, f"{spot.where}: leads straight back to its own step without a wait; {remedy}")


# One step


def _check_timers(draft: Draft, step: Step) -> None:
    """A step has one timer: it rests, repeats, or asks and waits. A rest may hear a late answer."""
    if step.rest is None:
        return
    others = {
        "every": step.every,
        "send": step.send,
        "first": step.first,
        "silence": step.silence,
    }
    clash = [key for key, value in others.items() if value]
    if clash:
        keys = ", ".join(f"'{key}'" for key in clash)
        _add(
            draft,
            step,
            f"a step that rests sends nothing, so {keys} cannot stand here; make it two steps",
        )


def _check_routine(draft: Draft, step: Step) -> None:
    if step.every is None:
        for key, value in (("first", step.first), ("on_sunday", step.on_sunday)):
            if value:
                _add(draft, step, f"'{key}' is for a step that repeats; add 'every: day' or use 'send'")
        return
    if step.send is None and step.rest is None:
        _add(draft, step, "'every' needs a 'send': the message that repeats")
    if step.on_sunday and step.every is not Every.DAY:
        _add(draft, step, "'on_sunday' is for 'every: day'; a weekly step may never fall on a Sunday")
    for number, silence in enumerate(step.silence, start=1):
        if silence.send is not None:
            _add(
                draft,
                step,
                f"silence {number}: a step with 'every' sends by itself; use 'go' and that step's 'first'",
            )
        elif silence.action.target is None:
            _add(draft, step, f"silence {number}: in a step with 'every' silence must lead on; add a 'go'")


def _check_silence(draft: Draft, step: Step) -> None:
    """Entries follow each other: each later than those counted from the same message, none after the end."""
    spots = [spot for spot in draft.notes.spots if spot.step == step.name and spot.cause is Cause.SILENCE]
    ended = ""
    longest = 0
    for silence, spot in zip(step.silence, spots, strict=True):
        if ended:
            draft.log.add(spot.line, f"{spot.where}: is never reached, because {ended} has left the step already")
            return
        if silence.times is None and _rough_days(spot) <= longest:
            remedy = "both count from the same message; put them in the order of their waits"
            draft.log.add(spot.line, f"{spot.where}: comes no later than the entry before it; {remedy}")
        longest = 0 if silence.send else _rough_days(spot)
        if silence.action.target is not None:
            ended = spot.where.rpartition(", ")[2]


def _rough_days(spot: Spot) -> int:
    if spot.wait is None:
        return 0
    return spot.wait.amount * (30 if spot.wait.unit == "months" else 1)


def _check_can_leave(draft: Draft, step: Step) -> None:
    """Whoever never answers must get somewhere: by a rest, a repeat, a silence that leads on, or a task."""
    if step.rest is not None or step.every is not None or step.task is not None:
        return
    if not step.silence:
        remedy = "add a 'silence' that ends with 'go' or 'restart', a 'rest', or a 'task' for the clinic"
        _add(draft, step, f"a patient who does not answer stays here for ever; {remedy}")
        return
    if step.silence[-1].action.target is None and not any(silence.action.task for silence in step.silence):
        remedy = "end it with 'go' or 'restart', or with a 'task' for the clinic"
        _add(draft, step, f"after the last 'silence' nothing ever happens again; {remedy}")


def _check_asked(draft: Draft, step: Step) -> None:
    """Answers need a question: the step's own message, or one that was said or sent on some way to it."""
    if step.send is not None or not (step.answers or step.free_text):
        return
    if not any(_asks(draft, spot) for spot in draft.leading_to(step.name)):
        remedy = "give it a 'send', or let what leads to it 'say' the question"
        _add(draft, step, f"waits for an answer to a question that nobody asked; {remedy}")


def _asks(draft: Draft, spot: Spot) -> bool:
    """Whether a patient who comes this way may have a question before them: a late answer still counts."""
    source = draft.pathway.steps.get(spot.step or "")
    return spot.action.say is not None or (source is not None and source.send is not None)


def _check_counts(draft: Draft, step: Step) -> None:
    if step.every is None:
        for spot in draft.notes.spots:
            if spot.step == step.name and spot.action.counts:
                draft.log.add(spot.line, f"{spot.where}: 'count: today' is for a step that repeats, with 'every'")
