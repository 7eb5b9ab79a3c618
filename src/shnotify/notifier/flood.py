"""How many findings match already, before a rule is switched on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice

from shnotify.arns import partition_of
from shnotify.aws.failures import AwsError, DeniedError, StopError
from shnotify.aws.gateway import Aws
from shnotify.aws.operations import action_of
from shnotify.config.models import Route
from shnotify.notifier.backlog import PAGE, Seen, Sorter, pages, questions, read_pace

PAGES = 10
"""How far a backlog is counted: a second or two more, at Security Hub's rate."""
MANY = 10
"""SNS suspends an e-mail subscription above ten mails a second (sns-email-notifications)."""


def warnings(aws: Aws, routes: Sequence[Route]) -> list[str]:
    """Says of each route how many findings match already, if they are many.

    Asks each service for the newest thousand at the most. What cannot be asked is only told when
    it is a permission.
    """
    sorter = Sorter.of(routes, partition_of(aws.region))
    counts: Counter[str] = Counter()
    more, pace, told = False, read_pace(aws), []
    for question in questions(routes):
        try:
            read = list(islice(pages(aws, question, pace), PAGES))
        except StopError:
            raise
        except DeniedError as error:
            told.append(
                "how many findings match already cannot be told: "
                f"needs {action_of(error.operation or 'securityhub:GetFindings')}"
            )
            continue
        except AwsError:
            continue
        more = more or (len(read) == PAGES and len(read[-1]) == PAGE)
        found = (Seen.of(raw) for page in read for raw in page)
        counts.update(name for seen in found if seen.active for name in sorter.routes(seen))
    return told + [
        f"route {name}: {count:,}{' or more' if more else ''} findings match already, and each is "
        "mailed at its next update: `shnotify estimate` counts them, `shnotify baseline` marks them"
        for name, count in counts.items()
        if count >= MANY
    ]
