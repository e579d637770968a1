"""What a part of a reply asks for, whatever was asked: PAUSE 2 WEEKS, TIME 18:30, a physical therapist. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import takewhile

from scheduler.domain.replies.arguments import read_span, read_time, read_until, starts_with_span
from scheduler.domain.replies.days import only_days, read_days
from scheduler.domain.replies.hearing import Heard, Part, is_one_of
from scheduler.domain.replies.meaning import Interpretation, Meaning
from scheduler.domain.replies.patterns import Found, Words
from scheduler.domain.replies.places import apart
from scheduler.domain.replies.words import Command, Phrase, WordList

_NEGATION_REACH = 3  # words before a wish in which a negation counts: I do not want to pause

_PLAIN: Mapping[Command, Interpretation] = {
    Command.HELP: Interpretation(meaning=Meaning.HELP),
    Command.RESUME: Interpretation(meaning=Meaning.RESUME),
    Command.LATER: Interpretation(meaning=Meaning.LATER),
    Command.REFERRAL_PT: Interpretation(meaning=Meaning.REFERRAL, answer=Command.REFERRAL_PT.value),
    Command.REFERRAL_DIET: Interpretation(meaning=Meaning.REFERRAL, answer=Command.REFERRAL_DIET.value),
}
_PLAIN_WISHES: Mapping[Phrase, Interpretation] = {
    Phrase.HELP: _PLAIN[Command.HELP],
    Phrase.RESUME: _PLAIN[Command.RESUME],
    Phrase.LATER: _PLAIN[Command.LATER],
    Phrase.REFERRAL_PT: _PLAIN[Command.REFERRAL_PT],
    Phrase.REFERRAL_DIET: _PLAIN[Command.REFERRAL_DIET],
    Phrase.START: Interpretation(meaning=Meaning.START),
}


def read_command(heard: Heard, part: Part) -> Interpretation | None:
    """The command that `part` is: its word alone, or with the span, time or days that belong to it."""
    known, words = heard.vocabulary, part.words
    bare = heard.without_polite(words)
    for command in (*known.commands.whole(words), *(known.commands.whole(bare) if len(bare) < len(words) else ())):
        if command in _PLAIN:
            return _PLAIN[command]
    start = sum(1 for _ in takewhile(lambda word: is_one_of(word, known.polite), words))
    after = {found.means: start + found.end for found in known.commands.at_start(words[start:])}
    if Command.PAUSE in after:
        return _pause_for(heard, part)
    read = _time(heard, part, after[Command.TIME]) if Command.TIME in after else None
    read = read or _span_and_pause(heard, bare) or _days(heard, part, after.get(Command.DAYS))
    return read or _supplements(heard, part)


def read_supplement(heard: Heard) -> Interpretation | None:
    """SUPP and a name, which is all that follows it in the reply, as written."""
    starts = [found for found in heard.vocabulary.commands.at_start(heard.words) if found.means is Command.SUPPLEMENT]
    if not starts:
        return None
    name = _without_first_words(heard.own, max(found.end for found in starts))
    return Interpretation(meaning=Meaning.SUPPLEMENT, text=name)


def read_wish(heard: Heard, part: Part) -> Interpretation | None:
    """What a sentence asks for in words of its own: `can I see a physical therapist`. The longest phrase decides."""
    found = sorted(heard.vocabulary.wishes.find(part.words), key=lambda wish: (wish.start - wish.end, wish.start))
    for wish in found:
        if not _is_denied(heard, part, wish):
            read = _PLAIN_WISHES.get(wish.means) or _WISHES_WITH_MORE[wish.means](heard, part, wish)
            if read is not None:
                return read
    return None


def _is_denied(heard: Heard, part: Part, wish: Found[Phrase]) -> bool:
    negations = heard.vocabulary.lists[WordList.NEGATIONS]
    before = part.words[max(0, wish.start - _NEGATION_REACH) : wish.start]
    return any(is_one_of(word[:1], negations) for word in before)


def _supplements(heard: Heard, part: Part) -> Interpretation | None:
    """Names of supplements and nothing else."""
    known = heard.vocabulary
    beside = known.polite | known.joiners | known.lists[WordList.FILLERS] | known.lists[WordList.LEAD_IN]
    at, named = 0, False
    while at < len(part.words):
        found = known.supplements.at_start(part.words[at:])
        if not found and not is_one_of(part.words[at], beside):
            return None
        named = named or bool(found)
        at += max((one.end for one in found), default=1)
    return Interpretation(meaning=Meaning.SUPPLEMENT, text=heard.own) if named else None


# PAUSE


def _span_and_pause(heard: Heard, bare: Words) -> Interpretation | None:
    """PAUSE after its span: `2 wks pause`."""
    for length in range(1, min(len(bare), _LONGEST_COMMAND + 1)):
        if Command.PAUSE in heard.vocabulary.commands.whole(bare[-length:]):
            span = starts_with_span(bare[:-length], heard.vocabulary)
            return Interpretation(meaning=Meaning.PAUSE, pause=span, text=heard.own) if span else None
    return None


_LONGEST_COMMAND = 4  # words


def _pause_for(heard: Heard, part: Part) -> Interpretation:
    """The span stands beside PAUSE, or begins what follows (`pause, 2 weeks`), or says until when anywhere."""
    known = heard.vocabulary
    span = read_span(part.words, known) or starts_with_span(heard.words[part.end :], known)
    span = span or read_until(heard.words, known)
    return Interpretation(meaning=Meaning.PAUSE, pause=span, text=heard.own)


# TIME and DAYS


def _time(heard: Heard, part: Part, after: int) -> Interpretation | None:
    """TIME alone, or with a time of day and nothing else."""
    polite = heard.vocabulary.polite
    rest = apart(tuple(word for word in part.words[after:] if not is_one_of(word, polite)))
    if not rest:
        return Interpretation(meaning=Meaning.TIME)
    skipped = _lead_in(heard, rest)
    read = read_time(rest, skipped, heard.vocabulary) or read_time(rest, 0, heard.vocabulary)
    if read is None or read.end < len(rest):
        return None
    return Interpretation(meaning=Meaning.TIME, at=read.at)


def _days(heard: Heard, part: Part, after: int | None) -> Interpretation | None:
    """DAYS alone or with days; or days and nothing else, when they are more than one or a known group."""
    if after == len(part.words):
        return Interpretation(meaning=Meaning.DAYS)
    days = only_days(part.words, part.raw, heard.vocabulary)
    if len(days) < _ENOUGH_DAYS:
        days = frozenset()
        if after is not None:
            rest = _without_first_words(part.raw, after)
            days = only_days(part.words[after:], rest, heard.vocabulary)
    return Interpretation(meaning=Meaning.DAYS, weekdays=days) if days else None


_ENOUGH_DAYS = 2  # "Monday" alone is rather an answer to something


def _lead_in(heard: Heard, words: Words) -> int:
    lead_in = heard.vocabulary.lists[WordList.LEAD_IN]
    return sum(1 for _ in takewhile(lambda word: is_one_of(word, lead_in), words))


# Wishes that need something beside them


def _wish_pause(heard: Heard, part: Part, wish: Found[Phrase]) -> Interpretation | None:
    return _pause_for(heard, part)


def _wish_time(heard: Heard, part: Part, wish: Found[Phrase]) -> Interpretation | None:
    rest = apart(heard.words[part.start + wish.end :])
    skipped = _lead_in(heard, rest)
    read = read_time(rest, skipped, heard.vocabulary) or read_time(rest, 0, heard.vocabulary)
    return Interpretation(meaning=Meaning.TIME, at=read.at) if read else None


def _wish_days(heard: Heard, part: Part, wish: Found[Phrase]) -> Interpretation | None:
    days = read_days(heard.words[part.start :], heard.own, heard.vocabulary)
    return Interpretation(meaning=Meaning.DAYS, weekdays=days) if days else None


def _wish_supplement(heard: Heard, part: Part, wish: Found[Phrase]) -> Interpretation | None:
    topics = heard.vocabulary.topics.find(part.words)
    named = heard.vocabulary.supplements.find(part.words)
    if all(any(topic.start <= one.start and one.end <= topic.end for topic in topics) for one in named):
        return None  # the vitamin D test is no supplement
    return Interpretation(meaning=Meaning.SUPPLEMENT, text=heard.own)


_WISHES_WITH_MORE: Mapping[Phrase, Callable[[Heard, Part, Found[Phrase]], Interpretation | None]] = {
    Phrase.PAUSE: _wish_pause,
    Phrase.TIME: _wish_time,
    Phrase.DAYS: _wish_days,
    Phrase.SUPPLEMENT: _wish_supplement,
}


def _without_first_words(raw: str, count: int) -> str:
    """`raw` after its first `count` words and what stands around them."""
    at = 0
    for _ in range(count):
        while at < len(raw) and not raw[at].isalnum():
            at += 1
        while at < len(raw) and (raw[at].isalnum() or raw[at] in _INSIDE_WORDS):
            at += 1
    while at < len(raw) and not raw[at].isalnum() and raw[at] not in _OPENING:
        at += 1
    return raw[at:].strip()


_INSIDE_WORDS = "'’"
_OPENING = '("“«'
