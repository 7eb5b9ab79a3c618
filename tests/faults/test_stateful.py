"""Commands, edits of the file, hand edits, faults and crashes in any order: one undisturbed apply mends it all."""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from moto import mock_aws

from shnotify.sandbox.strict import strict
from tests.conftest import World
from tests.support import faults
from tests.support.canonical import live_keys
from tests.support.faults import REGION, Killed
from tests.support.lifecycle import HAND_EDITS
from tests.support.refusals import ERRORS


class Output(NamedTuple):
    out: str
    err: str


class Capture:
    """pytest's capsys, for a state machine, which cannot have fixtures."""

    def __init__(self) -> None:
        self.streams = io.StringIO(), io.StringIO()

    def readouterr(self) -> Output:
        found = Output(self.streams[0].getvalue(), self.streams[1].getvalue())
        for stream in self.streams:
            stream.seek(0)
            stream.truncate()
        return found


FILES = st.fixed_dictionaries(
    {
        "encryption": st.sampled_from(["", "encryption: false\n", "encryption: {topic_key: {alias: alias/other}}\n"]),
        "queue": st.sampled_from(
            ["", "dead_letter_queue: false\n", "dead_letter_queue: {name: other, retention: 1d}\n"]
        ),
        "tags": st.sampled_from(["", "tags: {Owner: me}\n"]),
        "second": st.booleans(),
        "topic": st.sampled_from(["", "    topic: {name: other-topic, display_name: x}\n"]),
        "rule": st.sampled_from(["", "    rule: {name: other-rule}\n", "    rule: {enabled: false}\n"]),
        "subscribers": st.lists(st.sampled_from(["a@example.com", "b@example.com"]), unique=True),
        "unlisted": st.sampled_from(["keep", "remove"]),
    }
)


def text_of(parts: dict[str, Any]) -> str:
    second = "  - {name: calm, findings: {severity: [LOW]}, subscribers: [c@example.com]}\n" if parts["second"] else ""
    return (
        f"name: security-alerts\nregion: {REGION}\n{parts['encryption']}{parts['queue']}{parts['tags']}"
        f"routes:\n  - name: urgent\n    subscribers: [{', '.join(parts['subscribers'])}]\n"
        f"    unlisted_subscribers: {parts['unlisted']}\n{parts['topic']}{parts['rule']}{second}"
    )


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.open = contextlib.ExitStack()
        folder = self.open.enter_context(tempfile.TemporaryDirectory())
        self.patch = self.open.enter_context(pytest.MonkeyPatch.context())
        capture = Capture()
        self.open.enter_context(contextlib.redirect_stdout(capture.streams[0]))
        self.open.enter_context(contextlib.redirect_stderr(capture.streams[1]))
        self.world = World(Path(folder) / "shnotify.yaml", capture, self.patch)  # type: ignore[arg-type]
        self.open.enter_context(mock_aws())
        self.open.enter_context(strict(clock=self.world.faults.time.now))

    def quiet(self) -> None:
        self.world.faults.rule = lambda _n, _o: None
        self.world.faults.time.sleep(61)

    @initialize(parts=FILES)
    def begin(self, parts: dict[str, Any]) -> None:
        self.world.write(text_of(parts))
        self.apply()

    @rule(parts=FILES)
    def edit_the_file(self, parts: dict[str, Any]) -> None:
        self.world.write(text_of(parts))

    @rule(what=st.sampled_from(sorted(HAND_EDITS)))
    def edit_by_hand(self, what: str) -> None:
        with contextlib.suppress(ClientError, IndexError, KeyError):  # what it edits may not be there just now
            HAND_EDITS[what][0](self.world)

    @rule(call=st.integers(1, 45), how=st.sampled_from([faults.kill_before, faults.kill_after, faults.lose_reply]))
    def crash(self, call: int, how: faults.Fault) -> None:
        self.world.faults.rule = faults.at(call)(how)
        with contextlib.suppress(Killed):
            assert self.world.apply().code in (0, 1)
        self.quiet()

    @rule(call=st.integers(1, 45), name=st.sampled_from(sorted(ERRORS)))
    def fault(self, call: int, name: str) -> None:
        self.world.faults.rule = faults.at(call)(ERRORS[name])
        ran = self.world.apply()
        assert ran.code in (0, 1), ran.err
        self.quiet()

    @rule()
    def apply(self) -> None:
        ran = self.world.apply()
        assert ran.code == 0, ran.err
        again = self.world.apply()
        assert (again.code, self.world.faults.writes) == (0, []), again.out
        states = self.world.run("status").states()
        assert states == {}
        wanted = [r["id"] for r in self.world.run("status").json["resources"] if r["type"] == "AWS::KMS::Key"]
        assert live_keys(self.world) == sorted(wanted)

    @rule()
    def destroy(self) -> None:
        ran = self.world.run("destroy", "--yes")
        assert ran.code == 0, ran.err
        assert live_keys(self.world) == []
        self.quiet()

    def teardown(self) -> None:
        try:
            self.quiet()
            self.apply()
        finally:
            self.open.close()


def live(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_life_ends_well() -> None:
    live(examples=4, steps=6)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_many_lives_end_well() -> None:
    live(examples=300, steps=15)
