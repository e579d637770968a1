"""What Twilio holds: its list of messages, searched for those to one number."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any
from urllib.parse import urlencode

import pycurl

from scheduler.channels.twilio.failures import failure_of
from scheduler.channels.twilio.handles import milliseconds, new_handle
from scheduler.channels.twilio.outcome import error_code, json_object
from scheduler.channels.twilio.retry_after import MAY_SAY_WHEN, retry_after
from scheduler.channels.twilio.settings import TwilioSettings
from scheduler.channels.twilio.statuses import status_of
from scheduler.ports import Clock, Handed, ProviderUnavailable

MOST_PAGES = 50
_PAGE_SIZE = 100
_QUEUE = timedelta(hours=10)  # how long a message may wait at Twilio before it is sent
_PATH = re.compile(r"/[^/].*")
_OK = 200


class MessageList:
    """Reads the Messages resource. Safe to share between threads."""

    def __init__(self, settings: TwilioSettings, *, clock: Clock, ca_file: str | None) -> None:
        self._settings = settings
        self._clock = clock
        self._ca_file = ca_file
        self._idle: deque[pycurl.Curl] = deque()

    def find(self, *, to: str, since: datetime, until: datetime) -> list[Handed]:
        """Every message that Twilio took over for `to` (E.164) from `since` to `until` (aware), and others that it
        named beside them: where the clocks disagree, one of those may be meant. Oldest first.

        Twilio filters by the date a message was sent, not by that of its creation, and a message that has not
        been sent has none. So it is asked twice: for what was sent on the days in question, to the end; and
        without dates, newest first, for what may still be waiting, as far back as `since`.
        https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources
        Raises `ProviderUnavailable`; also when there are more than `MOST_PAGES` pages, rather than answer in part.
        """
        since, until = since.astimezone(UTC).replace(microsecond=0), until.astimezone(UTC)
        pages, found = count(1), dict[str, Handed]()
        handle = self._take_handle()
        # "On or before midnight" of a day may leave out the day itself, hence one more.
        last_day = (until + _QUEUE).date() + timedelta(days=1)
        days = {"DateSent>": since.date().isoformat(), "DateSent<": last_day.isoformat()}
        for page in self._pages(handle, {"To": to, **days}, pages):
            found.update((each.provider_id, each) for each in page)
        for page in self._pages(handle, {"To": to}, pages):
            found.update((each.provider_id, each) for each in page)
            if all(each.created_at < since for each in page):
                break
        self._idle.append(handle)
        return sorted(found.values(), key=lambda each: each.created_at)

    def close(self) -> None:
        """Close the connections."""
        while self._idle:
            self._idle.pop().close()

    def _take_handle(self) -> pycurl.Curl:
        try:
            return self._idle.pop()
        except IndexError:
            handle = new_handle(self._settings, self._ca_file)
            handle.setopt(pycurl.TIMEOUT_MS, milliseconds(self._settings.timeout))
            return handle

    def _pages(self, handle: pycurl.Curl, filters: dict[str, str], pages: Iterator[int]) -> Iterator[list[Handed]]:
        """Page after page. `pages` counts them over several searches."""
        url = f"{self._settings.messages_url}?{urlencode({**filters, 'PageSize': _PAGE_SIZE})}"
        while url:
            if next(pages) > MOST_PAGES:
                raise ProviderUnavailable(f"Twilio's list of messages to one number has over {MOST_PAGES} pages")
            said = self._fetch(handle, url)
            yield _handed(said)
            following = said.get("next_page_uri")
            if following and not (isinstance(following, str) and _PATH.fullmatch(following)):
                raise ProviderUnavailable("Twilio's list of messages goes on at an address that is not its own")
            url = f"{self._settings.api_url.rstrip('/')}{following}" if following else ""

    def _fetch(self, handle: pycurl.Curl, url: str) -> dict[str, Any]:
        answer: list[bytes] = []
        head: list[bytes] = []
        handle.setopt(pycurl.URL, url)
        handle.setopt(pycurl.WRITEFUNCTION, answer.append)
        handle.setopt(pycurl.HEADERFUNCTION, head.append)
        try:
            handle.perform()
        except pycurl.error as error:
            raise ProviderUnavailable(self._why(handle, *error.args)) from None
        status = handle.getinfo(pycurl.RESPONSE_CODE)
        said = json_object(b"".join(answer))
        if status != _OK:
            code = error_code(said)
            wait = retry_after(head, now=self._clock.now()) if status in MAY_SAY_WHEN else None
            raise ProviderUnavailable(
                f"Twilio answered {status}{f' (error {code})' if code else ''} when asked for its messages",
                retry_after=wait,
            )
        return said

    def _why(self, handle: pycurl.Curl, number: int, words: str) -> str:
        is_written = handle.getinfo(pycurl.REQUEST_SIZE) > 0
        failure = failure_of(handle, number, words, is_body_read=is_written, timeout=self._settings.timeout)
        return f"Twilio could not be asked for its messages: {failure.reason}"


def _handed(said: dict[str, Any]) -> list[Handed]:
    try:
        return [_one(each) for each in said["messages"] if str(each["direction"]).startswith("outbound")]
    except (KeyError, TypeError, ValueError):
        raise ProviderUnavailable("Twilio's list of messages cannot be read") from None


def _one(fields: dict[str, Any]) -> Handed:
    code, created = fields.get("error_code"), parsedate_to_datetime(fields["date_created"])
    return Handed(
        provider_id=str(fields["sid"]),
        body=fields.get("body") or "",
        sender=fields.get("from") or None,
        messaging_service=fields.get("messaging_service_sid") or None,
        status=status_of(str(fields.get("status"))),
        code=None if code is None else str(code),
        created_at=created.astimezone(UTC) if created.tzinfo else created.replace(tzinfo=UTC),
    )
