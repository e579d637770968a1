"""Mails to send, the channel that sends them, and a server that says what it was told to, whatever it hears."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from scheduler.channels.errors import load_error_table
from scheduler.channels.smtp import SmtpEmail, parse_smtp_url
from scheduler.ports import EmailChannel, OutboundEmail, SendResult
from tests.support.certificates import Certificate

ROOT = Path(__file__).parents[2]
ERRORS = load_error_table(ROOT / "config" / "provider_errors.yaml")
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


class StoppedClock:
    def now(self) -> datetime:
        return NOW


def mail(to: str = "ann@example.org", **changes: Any) -> OutboundEmail:
    attempt_id = uuid4()
    made = OutboundEmail(
        attempt_id=attempt_id,
        to=to,
        subject="A reminder",
        text="Move today.\nTen minutes will do.\n",
        html="<p>Move today.</p>",
        sender_address="care@clinic.example",
        sender_name="Oak Clinic",
        message_id=f"<{attempt_id}@clinic.example>",
        unsubscribe_url="https://clinic.example/u/token",
        is_reply=False,
    )
    return replace(made, **changes)


@contextmanager
def channel_to(
    url: str, *, certificate: Certificate | None = None, timeout: float = 5, bounce_address: str = ""
) -> Iterator[SmtpEmail]:
    channel = SmtpEmail(
        parse_smtp_url(url, timeout=timeout),
        errors=ERRORS,
        clock=StoppedClock(),
        bounce_address=bounce_address,
        tls=certificate.client_context() if certificate else None,
    )
    try:
        yield channel
    finally:
        channel.close()


def send_one(channel: EmailChannel, message: OutboundEmail) -> SendResult:
    (result,) = channel.send([message])
    assert result.attempt_id == message.attempt_id
    return result


UP_TO_THE_MAIL = (b"220 hi\r\n", b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n")


@contextmanager
def scripted_server(*answers: bytes) -> Iterator[str]:
    """Says its lines one by one, each when it was spoken to, then nothing more; one connection."""
    done = threading.Event()

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            for n, answer in enumerate(answers):
                if n:
                    peer.recv(65536)
                peer.sendall(answer)
            done.wait(timeout=10)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}?starttls=no"
        done.set()
        thread.join(timeout=10)
