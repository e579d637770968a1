"""What the parts could do with nothing around them: the HTTP client and the template engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import urllib3

from tests.bench import reminders
from tests.bench.clinic import SENDER, phone_of
from tests.bench.laps import Run
from tests.support.twilio_server import ACCOUNT, TOKEN

_CREATED = 201


def posts(*, url: str, count: int, threads: int) -> Run:
    """POSTs of urllib3 alone, the requests made beforehand, over pooled connections."""
    run, body = Run(), reminders.render()
    forms = [urlencode({"To": phone_of(n), "From": SENDER, "Body": body}) for n in range(count)]
    headers = urllib3.make_headers(basic_auth=f"{ACCOUNT}:{TOKEN}")
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    target = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    pool = urllib3.connection_from_url(url, maxsize=threads, retries=False)

    def post(form: str) -> int:
        return pool.urlopen("POST", target, body=form, headers=headers).status

    with run.lap("posts", done=count), ThreadPoolExecutor(threads) as workers:
        statuses = list(workers.map(post, forms))
    run.expect("requests accepted", found=statuses.count(_CREATED), wanted=count)
    return run


def renders(*, count: int) -> Run:
    """Renders of one compiled text."""
    run = Run()
    with run.lap("renders", done=count):
        for _ in range(count):
            reminders.render()
    return run
