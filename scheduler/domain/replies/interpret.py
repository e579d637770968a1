"""What a patient's reply means: commands, answers to open questions, words that must reach a person. Pure.

First, what the patient did not type is cut off: quoted mail, signatures. A tap on one of our messages (`Liked "..."`)
means nothing, though it quotes words such as STOP. Then, first match wins:

1. STOP, in any language and on the slightest ground: a wish to be left alone may be put in any reasonable
   words (47 CFR 64.1200(a)(10)), and stopping by mistake is put right by START;
2. a wrong number;
3. words of danger;
4. SUPP and a name; START; HELP;
5. what the parts of the text say, each for itself ("1, and DONE"): the other commands, answers by digit or by word,
   wishes in words of the patient's own. The first part decides, the others are told `also`. Two answers to one
   question are none: the text is unclear;
6. free text, for the question asked last that takes it;
7. answers that prose mentions, with a note that the text has more to say;
8. `any`, for the question asked last that has it;
9. unclear. What the patient's own languages leave unclear is tried in all the others.

Two open questions. An answer goes to the question that has it; words that name a pathway ("vitamin D 2") bind it to
that one. An answer that several open questions have fits them all equally, however long ago each was asked: a phone
shows both messages, and a record on the wrong pathway would let the other question go unasked. Then `candidates`
names the pathways, the one asked last first, and `pathway` is that one: ask once which is meant, and when the patient
has been asked already, take the one asked last. Two things are plain all the same: a nudge that was asked last takes
its own DONE, for its text asks for that word; and of two parts, the second answers what the first did not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from scheduler.domain.replies.answers import Answers
from scheduler.domain.replies.commands import read_supplement
from scheduler.domain.replies.hearing import Heard, hear, is_one_of, languages_of
from scheduler.domain.replies.indexes import Languages
from scheduler.domain.replies.meaning import ANY, DONE, Interpretation, Meaning, OpenQuestion
from scheduler.domain.replies.parts import Parts, read_parts
from scheduler.domain.replies.text import is_reaction
from scheduler.domain.replies.urgent import read_urgent, topic_of
from scheduler.domain.replies.vocabulary import Vocabulary, vocabulary
from scheduler.domain.replies.words import CARRIER_WORDS, CarrierMeaning, Command, ReplyWords, WordList

__all__ = ["ANY", "DONE", "Interpretation", "Meaning", "OpenQuestion", "interpret"]


def interpret(
    text: str,
    open_questions: Sequence[OpenQuestion],
    words: Mapping[str, ReplyWords],
    *,
    languages: Sequence[str] = ("en",),
) -> Interpretation:
    """What `text` means to the patient who wrote it.

    `open_questions` come the last asked first. `words` are the reply words by language; `languages` are the
    patient's, best first (none known: every language). STOP, a wrong number and words of danger are heard in
    every language. Total: any text has a meaning.
    """
    known, every = languages_of(words, languages)
    if is_reaction(text, every):
        return Interpretation(meaning=Meaning.UNCLEAR, text=text.strip(), is_reaction=True)
    heard = hear(text, known, every)
    read = read_urgent(heard) or _read(heard, open_questions)
    if read.meaning is Meaning.UNCLEAR and not read.is_courtesy and len(known) < len(every):
        read = _in_other_languages(heard, open_questions, known, every) or read
    if read.meaning is Meaning.START:
        read = replace(read, topic=topic_of(heard))
    return read if read.text or read.meaning is Meaning.SUPPLEMENT else replace(read, text=heard.own)


def _in_other_languages(
    heard: Heard, questions: Sequence[OpenQuestion], known: Languages, every: Languages
) -> Interpretation | None:
    """What the reply means to somebody who knows the other languages; None when it has no word of theirs alone."""
    others = vocabulary(tuple(language for language in every if language not in known), every)
    if all(_theirs(others, heard.vocabulary).isdisjoint(word) for word in heard.words):
        return None
    return _read(replace(heard, vocabulary=others), questions)


@lru_cache(maxsize=64)
def _theirs(others: Vocabulary, own: Vocabulary) -> frozenset[str]:
    return others.own_words - own.own_words


def _read(heard: Heard, questions: Sequence[OpenQuestion]) -> Interpretation:
    if not heard.words:
        return _gesture(heard, questions) or Interpretation(meaning=Meaning.UNCLEAR)
    if _is_courtesy(heard):
        return Interpretation(meaning=Meaning.UNCLEAR, is_courtesy=True)
    whole = _whole_command(heard) or read_supplement(heard)
    if whole is not None:
        return whole
    answers = Answers(heard, questions)
    parts = read_parts(answers)
    if parts.contradict:
        return Interpretation(meaning=Meaning.UNCLEAR)
    return parts.told or _free_text(answers, parts) or parts.mentioned or _any(questions) or _unclear()


def _unclear() -> Interpretation:
    return Interpretation(meaning=Meaning.UNCLEAR)


def _whole_command(heard: Heard) -> Interpretation | None:
    """START, HELP and the wrong number, which are commands only as the whole text."""
    bare = heard.without_polite(heard.words)
    if _starts_topic(heard):
        return Interpretation(meaning=Meaning.START)
    commands = {*heard.vocabulary.commands.whole(heard.words), *heard.vocabulary.commands.whole(bare)}
    carrier = {CARRIER_WORDS.get(reading) for reading in bare[0]} if len(bare) == 1 else set()
    if CarrierMeaning.OPT_IN in carrier or Command.START in commands:
        return Interpretation(meaning=Meaning.START)
    if CarrierMeaning.HELP in carrier or Command.HELP in commands:
        return Interpretation(meaning=Meaning.HELP)
    return Interpretation(meaning=Meaning.WRONG_NUMBER) if Command.WRONG_NUMBER in commands else None


def _starts_topic(heard: Heard) -> bool:
    """Whether the text is START and the name of one pathway."""
    topics = heard.vocabulary.topics.find(heard.words)
    covered = {at for topic in topics for at in range(topic.start, topic.end)}
    outside = tuple(word for at, word in enumerate(heard.words) if at not in covered)
    lead_in = heard.vocabulary.lists[WordList.LEAD_IN]
    bare = tuple(word for word in heard.without_polite(outside) if not is_one_of(word[:1], lead_in))
    return bool(topics) and len(bare) == 1 and Command.START in heard.vocabulary.commands.whole(bare)


def _is_courtesy(heard: Heard) -> bool:
    """Whether the text is nothing but thanks and polite words."""
    thanks, at, thanked = heard.vocabulary.thanks, 0, False
    while at < len(heard.words):
        found = thanks.at_start(heard.words[at:])
        if not found and not is_one_of(heard.words[at], heard.vocabulary.polite):
            return False
        thanked = thanked or bool(found)
        at += max((one.end for one in found), default=1)
    return thanked


def _gesture(heard: Heard, questions: Sequence[OpenQuestion]) -> Interpretation | None:
    """An emoji that says yes, done: an answer where one question is open and has but one."""
    emoji = frozenset(char for char in heard.own if not char.isspace() and char not in _EMOJI_PARTS)
    if not emoji or not emoji <= heard.vocabulary.lists[WordList.GESTURES] or len(questions) != 1:
        return None
    named = [answer for answer in questions[0].answers if answer.name != ANY]
    if len(named) != 1:
        return None
    meaning = Meaning.DONE if named[0].action.counts else Meaning.ANSWER
    return Interpretation(meaning=meaning, pathway=questions[0].pathway, answer=named[0].name)


_BEGINNING = 2  # words

# Variation selectors, the joiner, and the five tones of skin.
_EMOJI_PARTS = frozenset("\ufe0e\ufe0f\u200d\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")


def _free_text(answers: Answers, parts: Parts) -> Interpretation | None:
    """Free text for the question asked last that takes it; not when the text asks something, or is about another.

    A number alone is none, nor is a word that answers other questions: it is said once more, or of something else.
    Nor is what begins by denying and names nothing that is known: `I don't remember`.
    """
    question = next((question for question in answers.questions if question.takes_text), None)
    if question is None or parts.names_topic_of_answer or _answers_another(answers.heard):
        return None
    heard = answers.heard
    if (heard.whole.asks or _denies(heard)) and not heard.vocabulary.supplements.find(heard.words):
        return None
    return Interpretation(meaning=Meaning.ANSWER, pathway=question.pathway)


def _denies(heard: Heard) -> bool:
    negations = heard.vocabulary.lists[WordList.NEGATIONS]
    return any(is_one_of(word[:1], negations) for word in heard.words[:_BEGINNING])


def _answers_another(heard: Heard) -> bool:
    bare = heard.without_polite(heard.words)
    return all(word[0].isdecimal() for word in bare) or bool(set(heard.vocabulary.answers.whole(bare)))


def _any(questions: Sequence[OpenQuestion]) -> Interpretation | None:
    for question in questions:
        if any(answer.name == ANY for answer in question.answers):
            return Interpretation(meaning=Meaning.ANSWER, pathway=question.pathway, answer=ANY)
    return None
