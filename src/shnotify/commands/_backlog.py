"""What `estimate` and `baseline` share: the findings that Security Hub holds, and how far we are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    from shnotify.commands._session import Session
    from shnotify.config.models import Route
    from shnotify.notifier.backlog import Question, Seen

TIMEOUT = 3600
"""Seconds. Three pages a second are a million findings in an hour."""


def wanted(
    run: Session, routes: Sequence[Route], since: dt.datetime | None = None
) -> Iterator[Seen]:
    """Yields the findings that some of the routes may want."""
    from shnotify.notifier.backlog import questions

    return read(run, questions(routes), since)


def read(
    run: Session, questions: Sequence[Question], since: dt.datetime | None = None
) -> Iterator[Seen]:
    """Yields the findings that answer the questions, the newest first, and tells how far it is.

    A service that is off is skipped with a warning. Raises `AwsError` when no service is on.

    since  the time that most of the findings are expected to lie after: it tells how far it is
           where Security Hub CSPM gives no number
    """
    from shnotify.aws.failures import AwsError
    from shnotify.engine.events import Advanced
    from shnotify.notifier.backlog import Seen, is_off, pages, read_pace, total_of
    from shnotify.notifier.preconditions import SERVICES
    from shnotify.notifier.tally import covered

    pace, began, count = read_pace(run.aws), run.aws.clock.now(), 0
    total, off = total_of(run.aws, questions), 0
    for number, question in enumerate(questions):
        try:
            for page in pages(run.aws, question, pace):
                count += len(page)
                found = [Seen.of(raw) for raw in page]
                share = covered(found, since) if since else None
                if share is not None:
                    share = (number + min(share, 1.0)) / len(questions)
                seconds = run.aws.clock.now() - began
                run.report(Advanced("reading findings", count, total, seconds, share))
                yield from found
        except AwsError as error:
            off += 1
            if not is_off(error) or off == len(questions):
                raise
            run.screen.warn(
                f"{SERVICES[question.service]} is not enabled here, so none of its findings counts"
            )
