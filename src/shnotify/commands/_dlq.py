"""What the subcommands of `dlq` have in common: the queue, and every message of it read once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shnotify.arns import name_in
from shnotify.commands._each import AT_ONCE, in_each
from shnotify.commands._session import Session, Work
from shnotify.config.load import Loaded
from shnotify.engine.events import Advanced
from shnotify.engine.ownership import owner_of
from shnotify.engine.values import Tags
from shnotify.errors import ShnotifyError, UsageError
from shnotify.notifier import names
from shnotify.notifier.deadletters import Letter, read_letter
from shnotify.notifier.needs import DLQ_OPERATIONS
from shnotify.notifier.queuereading import Depth, Reading, depth_of
from shnotify.notifier.senders import Senders, senders_of
from shnotify.resources.lookup import queue_url
from shnotify.resources.queue import Queue
from shnotify.terminal.options import Options

READ_SECONDS = 600


@dataclass
class Box:
    """The dead-letter queue of a notifier, and the run that looks at it."""

    run: Session
    queue: Queue
    senders: Senders
    depth: Depth
    began: float
    read: int = 0

    @property
    def name(self) -> str:
        return name_in(self.queue.queue_arn)

    @property
    def unread(self) -> int:
        """How many messages SQS counts and did not hand out."""
        return max(0, self.depth.all - self.read)

    def document(self, **more: Any) -> dict[str, Any]:
        return self.run.document(queue=self.name, **more)

    def reading(self, **more: Any) -> Reading:
        return Reading(self.run.aws, self.queue.queue_arn, expected=self.depth.waiting, **more)

    def letters(self, take: Callable[[Letter], None], wanted: frozenset[str] = frozenset()) -> None:
        """Hands over every message, understood."""
        self.messages(lambda message: take(read_letter(message, self.senders)), wanted)

    def messages(
        self, take: Callable[[Mapping[str, Any]], None], wanted: frozenset[str] = frozenset()
    ) -> None:
        """Hands over every message as SQS gives it, once, and gives all back, whatever happens.

        wanted  the ids after which the reading may end; a part of an id never ends it
        """
        left = set(wanted)
        with self.reading() as reading:
            for message in reading:
                self.read = len(reading.seen)
                self.advanced("reading", self.read, max(self.depth.waiting, self.read + 1))
                take(message)
                left.discard(str(message["MessageId"]))
                if wanted and not left:
                    self.read = self.depth.all  # nobody asked for the others
                    break
        self.advanced("reading", 1, 1)

    def advanced(self, what: str, done: int, total: int) -> None:
        seconds = self.run.aws.clock.now() - self.began
        self.run.report(Advanced(what, done, total, seconds))

    def must_be_ours(self) -> None:
        """Raises unless the queue carries our tag: from somebody else's nothing is taken."""
        url = queue_url(self.run.aws, self.queue.queue_arn)
        reply = self.run.aws(self.run.aws.sqs.list_queue_tags, QueueUrl=url)
        if owner := owner_of(Tags.of(reply.get("Tags", {})), self.queue.tags):
            raise ShnotifyError(
                f"nothing is taken out of {self.name}: {owner}",
                hint="shnotify apply --adopt takes it over, if it is yours",
                resource=names.DLQ,
            )


def in_each_box(
    settings: Options,
    subcommand: str,
    work: Callable[[Box], Work],
    *,
    look: Callable[[Session], None] = lambda _: None,
    check: Callable[[Sequence[Loaded]], None] = lambda _: None,
) -> int:
    """Runs a subcommand for the queue of each notifier; mails are sent for one after another, slowly.

    look   looks at the file, before the queue is asked
    check  raises for what the subcommand cannot do with these notifiers
    """

    def of(run: Session) -> Work:
        return (yield from work(box_of(run, look)))

    return in_each(
        settings,
        of,
        observes=False,
        besides=DLQ_OPERATIONS[subcommand],
        timeout=86400 if subcommand == "redrive" else READ_SECONDS,
        at_once=1 if subcommand == "redrive" else AT_ONCE,
        check=check,
    )


def box_of(run: Session, look: Callable[[Session], None] = lambda _: None) -> Box:
    """Returns the notifier's queue as it is. Raises UsageError when it has none."""
    if not run.config.dead_letter_queue:
        raise UsageError(
            f"{run.config.name} has no dead-letter queue: the file says dead_letter_queue: false",
            hint="what cannot be delivered is lost; give it a queue, then shnotify apply",
        )
    look(run)
    queue = run.graph[names.DLQ]
    assert isinstance(queue, Queue)  # noqa: S101 what `desired` builds under this id
    began = run.aws.clock.now()
    depth = run.aws.in_time(run.aws.start(depth_of, run.aws, queue.queue_arn))
    return Box(run, queue, senders_of(run.config, run.aws.scope), depth, began)


def chosen(given: tuple[str, ...], found: Mapping[str, object]) -> dict[str, str]:
    """Maps what a person gave, an id or its beginning, to the id. Raises ShnotifyError if it is no one's."""
    answer = {}
    for text in given:
        fits = [one for one in found if one == text] or [
            one for one in found if len(text) >= SHORTEST and one.startswith(text)
        ]
        if len(fits) > 1:
            raise UsageError(f"{text} is the beginning of {len(fits)} ids: give more of it")
        if fits:
            answer[text] = fits[0]
    return answer


SHORTEST = 4
"""Characters of an id that name a message when no other begins with them."""
