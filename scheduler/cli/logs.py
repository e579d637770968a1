"""The log: lines for people, or one JSON object a line. Never a name, number, address or text of a message.

Code that logs gives ids. The filter here is the net below: whatever looks like a phone number, an e-mail address or
a patient's link is taken out of messages, arguments and tracebacks before anything is written.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import time
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO
from uuid import UUID

JSON = "json"
IDS = ("attempt", "message", "patient", "clinic", "task")
"""What a message may name by id, and `extra` as `attempt_id`, `message_id`, ..."""

_log = logging.getLogger("bonewise")

FOR_PEOPLE = "bonewise: %(message)s"
FOR_LATER = "%(asctime)sZ %(levelname)s %(name)s: %(message)s"  # read some time after it was written

_ADDRESS = r"[\w.%+-]+(?:\.[\w-]+)*"
_PRIVATE = (
    # "/p/" and "/u/" lead to a patient's own page and to the end of e-mails: whoever has the link can use it.
    (re.compile(r"/([pu])/[\w.~%=-]{6,}"), r"/\1/[link]"),
    (
        re.compile(r"(?:\"[^\"\n]{1,64}\"|[^\s@<>\"',;:()\[\]{}=/]+)(?:@|%40)\[?" + _ADDRESS, re.IGNORECASE),
        "[address]",
    ),
    # E.164 with its plus, also as it stands in a URL; grouped, as people write it; bare, as some systems do.
    (re.compile(r"(?:\+|%2B)\(?\d(?:[\s().-]{0,2}\d){6,14}", re.IGNORECASE), "[number]"),
    (re.compile(r"(?<![\w.-])\(?\d{3}\)?[\s.-]\s?\d{3}[\s.-]\d{4}(?![\w-])"), "[number]"),
    (re.compile(r"(?<![\w.-])\d{10,15}(?![\w-])"), "[number]"),
)

# "patient %s cannot be planned": the word before a placeholder says what the argument is.
_PLACEHOLDER = re.compile(r"(?:\b(?P<word>[a-z]+) )?%[-#0 +]*\d*(?:\.\d+)?(?P<kind>[a-zA-Z%])")
_TRACEBACKS = logging.Formatter()
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}", re.IGNORECASE)  # of a clinic


def redacted(text: str) -> str:
    """The text without what looks like a number, an address or a patient's link."""
    for pattern, instead in _PRIVATE:
        text = pattern.sub(instead, text)
    return text


class Redaction(logging.Filter):
    """Takes out of a record what looks personal, before any formatter sees it. Keeps its ids apart as `ids`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True always: a record is changed, never dropped."""
        record.ids = ids_of(record)
        try:
            said = record.getMessage()
        except Exception:  # noqa: BLE001 - arguments that do not fit must not keep the rest from the log
            said = str(record.msg)
        record.msg, record.args = redacted(said), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = _TRACEBACKS.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redacted(record.exc_text)
        if record.stack_info:
            record.stack_info = redacted(record.stack_info)
        return True


def ids_of(record: logging.LogRecord) -> dict[str, str]:
    """The ids that a record names: `extra` fields such as `patient_id`, and arguments after such a word."""
    found = {f"{name}_id": str(value) for name in IDS if _is_id(value := getattr(record, f"{name}_id", None), name)}
    arguments = record.args if isinstance(record.args, tuple) else ()
    placeholders = [one for one in _PLACEHOLDER.finditer(str(record.msg)) if one["kind"] != "%"]
    for placeholder, value in zip(placeholders, arguments, strict=False):
        word = placeholder["word"]
        if word in IDS and _is_id(value, word):
            found.setdefault(f"{word}_id", str(value))
    return found


def _is_id(value: object, name: str) -> bool:
    if isinstance(value, str):
        return name == "clinic" and bool(_CODE.fullmatch(value)) and redacted(value) == value
    return isinstance(value, UUID) or (isinstance(value, int) and not isinstance(value, bool))


class Lines(logging.Formatter):
    """For people. Times are in UTC."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03d"


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, ids, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end. The record has been through `Redaction`."""
        import json

        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, object] = {
            "time": at.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "ids", {}),
            "process": record.process,
            "thread": record.threadName,
        }
        if record.exc_text:
            fields["traceback"] = record.exc_text
        if record.stack_info:
            fields["stack"] = record.stack_info
        return json.dumps(fields, ensure_ascii=False)


class _Log:
    """The one handler of this process, once there is one."""

    handler: logging.Handler | None = None
    speaks_json = False


def begin(*, debug: bool, runs_on: bool) -> None:
    """Log to standard error, for people. `runs_on`: the command stays, and its log is read later, so it has the time.

    Where the process logs already, as in a test, nothing changes.
    """
    if logging.getLogger().handlers:
        return
    _Log.handler = new_handler(sys.stderr, Lines(FOR_LATER if debug or runs_on else FOR_PEOPLE))
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, handlers=[_Log.handler])
    if runs_on:
        threading.excepthook = _on_failed_thread
    speak(os.environ.get("BONEWISE_LOG", ""))  # what is wrong with the settings themselves is said in JSON too


def new_handler(stream: TextIO, formatter: logging.Formatter) -> logging.Handler:
    """A handler that writes nothing personal."""
    handler = logging.StreamHandler(stream)
    handler.addFilter(Redaction())
    handler.setFormatter(formatter)
    return handler


def speak(form: str) -> None:
    """Log in this form from now on: `json`, or else as it began. Takes in what would go past the log."""
    if form.strip() != JSON or _Log.handler is None:
        return
    _Log.handler.setFormatter(JsonLines())
    _Log.speaks_json = True
    logging.captureWarnings(True)
    sys.excepthook = _on_failure
    threading.excepthook = _on_failed_thread


def says_json() -> bool:
    """Whether everything on standard error has to be JSON."""
    return _Log.speaks_json


def _on_failed_thread(failed: threading.ExceptHookArgs) -> None:
    _on_failure(failed.exc_type, failed.exc_value, failed.exc_traceback)


def _on_failure(kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None) -> None:
    if error is not None and not issubclass(kind, SystemExit):
        _log.critical("an unexpected failure", exc_info=(kind, error, traceback))
