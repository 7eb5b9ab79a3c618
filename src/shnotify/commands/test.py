"""`shnotify test`: sends a marked finding through the real chain and watches it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from shnotify.terminal.options import aws_options, settings

if TYPE_CHECKING:
    from shnotify.aws.gateway import Aws
    from shnotify.commands._session import Session, Work
    from shnotify.errors import ShnotifyError
    from shnotify.notifier.doctor import Diagnosis
    from shnotify.notifier.hops import Hop, Watched
    from shnotify.notifier.probe import Probe
    from shnotify.notifier.rehearsal import Rehearsal, Rehearsed

WATCH_SECONDS = 180
"""How long is watched at most, if no --timeout says otherwise: metrics come minutes late."""
LONGEST_WINDOW = 300
"""The longest `message.fold.window`: the mail of a route that folds comes after it."""
HOPELESS_SECONDS = 30
"""How long, when a link is broken already."""
RESERVE_SECONDS = 20
"""What is kept of the command's time for putting the finding away."""


@click.command("test")
@click.option("--route", help="The route to test, when there are several.")
@click.option("--hostile", is_flag=True, help="With text that breaks careless mails.")
@click.option("--direct", is_flag=True, help="Publish to the topic only.")
@click.option("--dry-run", is_flag=True, help="Only show what would be sent.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@aws_options
def command(
    route: str | None, hostile: bool, direct: bool, dry_run: bool, yes: bool, **options: Any
) -> int:
    """Imports a finding that says it is a test into Security Hub, made so that the route lets it
    through, and watches it: rule, target, formatter, topic, dead-letter queue. Then resolves and
    archives it, also when interrupted; what a killed run left over the next one archives.

    It sends real mail, so it asks, or needs --yes. Exits 4 when a hop failed.
    """
    from shnotify.commands._each import in_each
    from shnotify.notifier.needs import ALSO
    from shnotify.notifier.rehearsal import chosen_route

    chosen = settings(**options)
    given = chosen.timeout
    chosen = chosen._replace(timeout=given or WATCH_SECONDS + LONGEST_WINDOW + 120)

    def work(run: Session) -> Work:
        one = chosen_route(run.config, route)
        window = one.message.fold.window if one.message.fold and not direct else 0
        trial = _Trial(run, hostile=hostile, patience=given or WATCH_SECONDS + window)
        rehearsal = trial.look(one)
        made = None if direct else trial.make(rehearsal)
        trial.preview(rehearsal, made)
        if dry_run:
            yield None  # asks nothing
            return trial.show_only(rehearsal, made)
        yield None if yes else "Send it?"
        return trial.direct(rehearsal) if made is None else trial.through(rehearsal, made)

    return in_each(chosen, work, besides=ALSO["test --direct" if direct else "test"])


_PUT_AWAY = "the test finding is put away, unless it says otherwise above"


@dataclass
class _Trial:
    """One run of the command.

    patience  seconds to watch at most
    """

    run: Session
    hostile: bool
    patience: float
    cleaned: list[str] = field(default_factory=list)

    def look(self, route: Any) -> Rehearsal:
        """Looks at the notifier as `doctor` does, without its counts."""
        from shnotify.notifier.doctor import diagnose, look_further
        from shnotify.notifier.inquiry import Answers
        from shnotify.notifier.probe import caller
        from shnotify.notifier.rehearsal import rehearsal

        run = self.run
        seen, around = run.look(search=False)
        around = look_further(run.aws, seen, around)
        self.found: Diagnosis = diagnose(
            run.config, run.graph, seen, around, run.aws.scope, Answers()
        )
        return rehearsal(run.config, run.graph, route, self.found, caller(run.aws))

    def make(self, rehearsal: Rehearsal) -> Rehearsed:
        from shnotify.notifier.inspection import now_of
        from shnotify.notifier.probe import unique
        from shnotify.notifier.rehearsal import rehearsed

        return rehearsed(
            self.run.config,
            self.run.aws.scope,
            rehearsal.route,
            self.found.passages,
            who=rehearsal.who,
            unique=unique(),
            moment=now_of(self.run.aws),
            hostile=self.hostile,
        )

    def preview(self, rehearsal: Rehearsal, made: Rehearsed | None) -> None:
        from shnotify.terminal.probe_view import plan_lines

        self.run.screen.sum_up(
            f"a test {'finding' if made else 'mail'} for route {rehearsal.route.name}"
        )
        self.run.screen.result(self.run.title(f"Test of route {rehearsal.route.name} of"))
        self.run.screen.result()
        for line in plan_lines(rehearsal, made):
            self.run.screen.result(line)

    def show_only(self, rehearsal: Rehearsal, made: Rehearsed | None) -> int:
        """Tells what would be sent, and sends nothing."""
        import json

        finding = made.finding if made else None
        subject, text = ("", "") if made else self._mail(rehearsal)
        self.run.screen.document(
            self.run.document(
                route=rehearsal.route.name,
                finding=finding["Id"] if finding else None,
                dry_run=True,
                would_import=finding,
                would_publish=None if made else {"subject": subject, "text": text},
                hops=[],
                delivered="unknown",
                error=None,
            )
        )
        shown = json.dumps(finding, indent=2) if made else f"Subject: {subject}\n\n{text}"
        for line in shown.splitlines():
            self.run.screen.result(f"  {line}".rstrip())
        self.run.screen.result("Nothing was sent.")
        return self.run.screen.code(0)

    def _mail(self, rehearsal: Rehearsal) -> tuple[str, str]:
        """Makes subject and text of the mail that goes to the topic itself."""
        from shnotify.notifier.specimen import direct_mail

        name, route = self.run.config.name, rehearsal.route.name
        return direct_mail(name, route, rehearsal.who, hostile=self.hostile)

    # -- the whole chain ---------------------------------------------------------------------------

    def through(self, rehearsal: Rehearsal, made: Rehearsed) -> int:
        """Sends the finding, watches it, and puts it away whatever happens."""
        from shnotify.errors import ShnotifyError
        from shnotify.notifier.hops import hops_of

        self._clean()
        probe, ended = self._probe(rehearsal), None
        try:
            probe.send(made.finding)
            self._watch(probe, rehearsal, made.finding["Id"])
        except (KeyboardInterrupt, ShnotifyError) as error:
            ended = error
        resolved = self._put_away(probe, made)
        hops = hops_of(probe.seen, rehearsal.links, resolved)
        more = {"finding": made.finding["Id"], "more_mails": made.order.mails}
        return self._tell(rehearsal, probe.seen, hops, ended, more)

    def _probe(self, rehearsal: Rehearsal, *only: str) -> Probe:
        from shnotify.notifier.probe import Probe
        from shnotify.terminal.probe_view import Progress

        self.progress = Progress(self.run.screen, only)
        run, show = self.run, self.progress.show
        return Probe(run.aws, run.config, run.aws.scope, rehearsal.target, rehearsal.awaited, show)

    def _watch(self, probe: Probe, rehearsal: Rehearsal, identity: str | None) -> None:
        from shnotify.notifier.hops import STOPPING

        remaining = self.run.aws.remaining()
        seconds = max(0.0, remaining - min(RESERVE_SECONDS, remaining / 3))
        hopeless = any(link.id in STOPPING for link in rehearsal.broken)
        limit = HOPELESS_SECONDS if hopeless else self.patience
        with self.run.screen.block() as draw:
            self.progress.on(draw)
            probe.watch(identity, min(seconds, limit))

    def _clean(self) -> None:
        """Puts away what an earlier run left over."""
        from shnotify.aws.failures import AwsError, StopError
        from shnotify.notifier import probe
        from shnotify.notifier.specimen import Order

        run = self.run
        try:
            found = probe.left_over(run.aws, run.config.name, run.aws.scope)
        except StopError:
            raise
        except AwsError as error:
            run.screen.warn(
                f"whether an earlier test left something over could not be read: {error.message}"
            )
            return
        for one in found:
            hop = probe.put_away(run.aws, one, Order("resolve", 0))
            if hop.verdict == "ok":
                self.cleaned.append(str(one["Id"]))
            else:
                run.screen.warn(f"left over of an earlier test: {one['Id']}: {hop.why}")

    def _put_away(self, probe: Probe, made: Rehearsed) -> Hop:
        from shnotify.errors import ShnotifyError
        from shnotify.notifier.hops import Hop
        from shnotify.notifier.probe import put_away

        if probe.seen.refused:
            return Hop("resolved", "unknown", None, "nothing was imported")
        try:
            if probe.seen.imported is None and not self._is_there(made.finding["Id"]):
                return Hop(
                    "resolved", "unknown", None, "nothing was imported, as far as can be seen"
                )
            return put_away(self._unstopped(), made.finding, made.order)
        except (KeyboardInterrupt, ShnotifyError) as error:
            why = str(error) if isinstance(error, ShnotifyError) else "interrupted"
            return Hop("resolved", "failed", None, f"{why}: the next `shnotify test` does it")

    def _unstopped(self) -> Aws:
        """Returns a caller that an interrupt of several notifiers has not stopped."""
        return self.run.aws.apart()

    def _is_there(self, identity: str) -> bool:
        """Tells whether an import that was not answered came through all the same."""
        from shnotify.notifier.probe import left_over

        found = left_over(self._unstopped(), self.run.config.name, self.run.aws.scope)
        return any(one["Id"] == identity for one in found)

    # -- the topic only ----------------------------------------------------------------------------

    def direct(self, rehearsal: Rehearsal) -> int:
        """Publishes to the topic and watches its counts."""
        from shnotify.aws.failures import DeniedError, StopError
        from shnotify.errors import ShnotifyError
        from shnotify.notifier.hops import Hop

        probe, ended, message = self._probe(rehearsal, "published"), None, None
        hop = Hop("published", "unknown", None, "it was not sent")
        try:
            message = probe.publish(*self._mail(rehearsal))
            hop = Hop("published", "ok", probe.seen.sent)
            self._watch(probe, rehearsal, None)
        except (KeyboardInterrupt, DeniedError, StopError) as error:
            ended = error
        except ShnotifyError as error:
            hop = Hop("published", "failed", None, error.message)
        more = {"finding": None, "message": message}
        return self._tell(rehearsal, probe.seen, (hop,), ended, more)

    # -- what came of it ---------------------------------------------------------------------------

    def _tell(
        self,
        rehearsal: Rehearsal,
        seen: Watched,
        hops: tuple[Hop, ...],
        ended: KeyboardInterrupt | ShnotifyError | None,
        more: dict[str, Any],
    ) -> int:
        """Prints the result and returns the exit code."""
        from shnotify.errors import ShnotifyError
        from shnotify.notifier.hops import delivered_of
        from shnotify.terminal.probe_view import INBOX, hop_lines

        screen = self.run.screen
        delivered, why = delivered_of(seen, hops)
        error, code = ended, 1
        if isinstance(error, KeyboardInterrupt):
            code = int(getattr(ended, "exit_code", 130))
            error = ShnotifyError("interrupted", hint=_PUT_AWAY)
        screen.document(
            self.run.document(
                route=rehearsal.route.name,
                **more,
                hops=[hop.to_json() for hop in hops],
                delivered=delivered,
                why=why,
                archived=self.cleaned,
                error=error.to_json() if error else None,
            )
        )
        screen.result()
        for line in hop_lines(hops):
            screen.result(line)
        screen.result(f"Delivered: {delivered}: {why}.")
        if delivered != "no":
            screen.result(INBOX)
        for one in self.cleaned:
            screen.result(f"Archived, left over of an earlier test: {one}")
        if seen.stuck:
            screen.result(
                f"The test's event stays in the queue: shnotify dlq show {seen.stuck.message}"
            )
        if error:
            screen.error(error.message, error.hint)
            return code
        return screen.code(4 if any(hop.verdict == "failed" for hop in hops) else 0)
