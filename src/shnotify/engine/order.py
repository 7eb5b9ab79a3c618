"""In which order the parts of a plan's steps are carried out. Pure."""

from __future__ import annotations

from typing import Literal

from shnotify.engine.plan import Plan, Step

Part = Literal["begin", "make", "settle", "complete", "retire"]
"""What is done of a step at once.

begin     the first part of a creation or of a removal, of the kinds that have one
make      all of the step, or the rest of it
settle    of a creation: what it was built on is final; mostly there is nothing to do
complete  of a creation, of the kinds that have one: the last of it, which nothing else waits for
retire    of a creation in two parts: what was begun and did not become the thing goes
"""
Node = tuple[str, Part]
"""A step's key and the part of it."""


def order(plan: Plan) -> dict[Node, frozenset[Node]]:
    """Maps every part of every step to the parts that come before it.

    A thing is created beside the second part of what it is built on, and is settled after that.
    """
    return _Order(plan).nodes()


class _Order:
    def __init__(self, plan: Plan) -> None:
        self.steps = {step.key: step for step in plan.steps}

    def nodes(self) -> dict[Node, frozenset[Node]]:
        found: dict[Node, frozenset[Node]] = {}
        for step in self.steps.values():
            needs = self._needs(step)
            usable = frozenset(self._usable(self.steps[key]) for key in needs)
            final = frozenset(self._final(self.steps[key]) for key in needs)
            if _created_in_two(step):
                found[step.key, "begin"] = self._usable_by_needs(needs)
                found[step.key, "make"] = final | {(step.key, "begin")}
                users = (s for s in self.steps.values() if step.key in self._needs(s))
                found[step.key, "retire"] = frozenset(self._final(user) for user in users) | {
                    (step.key, "make")
                }
            elif _removed_in_two(step):
                found[step.key, "begin"] = usable
                found[step.key, "make"] = frozenset({(step.key, "begin")})
            elif step.action in ("create", "delete"):
                found[step.key, "make"] = usable | self._first_parts(step.after)
            else:
                found[step.key, "make"] = final
            if step.action == "create":
                found[step.key, "settle"] = final | {(step.key, "make")}
                if step.resource.COMPLETES:
                    found[step.key, "complete"] = frozenset({(step.key, "settle")})
        return found

    def _needs(self, step: Step) -> frozenset[str]:
        return step.needs & self.steps.keys()

    def _usable_by_needs(self, needs: frozenset[str]) -> frozenset[Node]:
        """Lists what those wait for that a step needs: its first part may run beside them."""
        below = (self._needs(self.steps[key]) for key in needs)
        return frozenset(self._usable(self.steps[key]) for keys in below for key in keys)

    def _first_parts(self, keys: frozenset[str]) -> frozenset[Node]:
        steps = (self.steps[key] for key in keys & self.steps.keys())
        return frozenset(
            (step.key, "begin") if _removed_in_two(step) else self._final(step) for step in steps
        )

    @staticmethod
    def _usable(step: Step) -> Node:
        """Returns the part after which others can be built on the thing, or torn down."""
        lets_go = _removed_in_two(step) and step.resource.LETS_GO
        return (step.key, "begin") if lets_go or _created_in_two(step) else _Order._final(step)

    @staticmethod
    def _final(step: Step) -> Node:
        return step.key, "settle" if step.action == "create" else "make"


def last_part(step: Step) -> Part:
    """Returns the part with which the step has ended well."""
    if step.action != "create":
        return "make"
    return "complete" if step.resource.COMPLETES else "settle"


def _created_in_two(step: Step) -> bool:
    return step.action == "create" and step.resource.BEGINS


def _removed_in_two(step: Step) -> bool:
    in_two = step.resource.LETS_GO or step.resource.LOOKS_FIRST
    return step.action == "delete" and not step.part and in_two
