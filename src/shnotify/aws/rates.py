"""How often AWS lets an account ask, by operation, kept on our side so that AWS has not to say no.

What is thrown back costs a round and a wait, and slows down whoever else uses the account.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

PUBLISHED: Mapping[str, float] = {
    # AWS KMS Developer Guide, request quotas for each operation
    "kms:CancelKeyDeletion": 5,
    "kms:CreateAlias": 5,
    "kms:CreateKey": 5,
    "kms:DeleteAlias": 15,
    "kms:DescribeKey": 2000,
    "kms:DisableKeyRotation": 5,
    "kms:EnableKey": 5,
    "kms:EnableKeyRotation": 15,
    "kms:GetKeyPolicy": 1000,
    "kms:GetKeyRotationStatus": 1000,
    "kms:ListAliases": 500,
    "kms:ListGrants": 100,
    "kms:ListKeys": 500,
    "kms:ListResourceTags": 2000,
    "kms:PutKeyPolicy": 15,
    "kms:ScheduleKeyDeletion": 15,
    "kms:TagResource": 10,
    "kms:UntagResource": 5,
    "kms:UpdateAlias": 5,
    "kms:UpdateKeyDescription": 5,
    # Amazon SNS endpoints and quotas, API requests
    "sns:ListSubscriptions": 30,
    "sns:ListSubscriptionsByTopic": 30,
    "sns:ListTagsForResource": 10,
    "sns:ListTopics": 30,
    "sns:Subscribe": 100,
    "sns:TagResource": 10,
    "sns:Unsubscribe": 100,
    "sns:UntagResource": 10,
    # Amazon EventBridge quotas, requests of the control plane: all of them together
    "events:*": 50,
    # AWS Lambda quotas: its control plane together, but for two operations
    "lambda:*": 15,
    "lambda:GetFunction": 100,
    "lambda:GetPolicy": 15,
}
"""Operation, or all others of a service -> calls a second, which are also those that go at once.

In one account and Region, by default. What AWS publishes nothing about, or another number for each
Region (SNS: 30 to 3,000 a second for what is not listed), is not slowed down until AWS throttles it.
Security Hub's rates are kept by who reads and marks findings (`aws/pace.py`).
"""
_UNLIMITED = frozenset({"lambda:Invoke"})
"""Operations that the rate of their service is not about (AWS Lambda quotas)."""

_BURST, _RATE = 0.8, 0.98
"""The share of AWS's numbers that we use: calls arrive closer together than we send them."""
_SLOWER, _FASTER = 0.7, 1.03
"""What a throttled call and an answered one do to the rate."""
_SLOWEST = 0.5
"""Calls a second that we always dare."""
_MEASURED = 20
"""Calls by which the rate of an operation is known that AWS publishes none for."""


@dataclass
class _Bucket:
    """Tokens of one operation; below 0 they are promised to who waits already.

    most    the rate that it recovers to
    slowed  when it was slowed down last
    """

    most: float
    burst: float
    rate: float
    tokens: float
    at: float
    slowed: float = -math.inf

    def take(self, now: float) -> float:
        """Takes a token, and returns the seconds until it is there."""
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate) - 1
        self.at = now
        return max(0.0, -self.tokens / self.rate)


@dataclass
class Rates:
    """Shares out the calls of one account and Region among all threads of a run."""

    now: Callable[[], float]
    published: Mapping[str, float] = field(default_factory=lambda: PUBLISHED)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}
        self._lately: dict[str, deque[float]] = {}
        self.throttled = 0
        """Calls that AWS threw back all the same."""

    def turn(self, operation: str) -> float:
        """Returns the seconds after which the call may go; it is counted from now on."""
        with self._lock:
            now = self.now()
            bucket = self._bucket(operation, now)
            if bucket:
                return bucket.take(now)
            self._lately.setdefault(operation, deque(maxlen=_MEASURED)).append(now)
            return 0.0

    def answered(self, operation: str) -> None:
        """Lets the operation go a little faster again, up to what is published."""
        with self._lock:
            bucket = self._buckets.get(self._name(operation))
            if bucket and bucket.rate < bucket.most:
                bucket.rate = min(bucket.most, bucket.rate * _FASTER)

    def refused(self, operation: str, sent: float) -> None:
        """Slows the operation down: AWS throttled it, so somebody else asks too, or AWS allows less.

        Those who wait already keep their turns. Calls that went before the rate was slowed down
        tell nothing new: many that are thrown back together slow it down once.

        sent  when the call went, by the clock of `now`
        """
        with self._lock:
            self.throttled += 1
            now = self.now()
            bucket = self._bucket(operation, now)
            if bucket is None:
                rate = self._measured(operation, now)
                bucket = _Bucket(rate * 2, max(1.0, rate), rate, 0.0, now)
                self._buckets[self._name(operation)] = bucket
            if sent > bucket.slowed:
                bucket.rate, bucket.slowed = max(_SLOWEST, bucket.rate * _SLOWER), now
            bucket.tokens = min(0.0, bucket.tokens)

    def _name(self, operation: str) -> str:
        """Names the bucket of an operation: its own, or that of all others of its service."""
        rest = f"{operation.partition(':')[0]}:*"
        own = operation in self.published or operation in _UNLIMITED or rest not in self.published
        return operation if own else rest

    def _bucket(self, operation: str, now: float) -> _Bucket | None:
        name = self._name(operation)
        if name not in self._buckets and name in self.published:
            rate, burst = self.published[name] * _RATE, max(1.0, self.published[name] * _BURST)
            self._buckets[name] = _Bucket(rate, burst, rate, burst, now)
        return self._buckets.get(name)

    def _measured(self, operation: str, now: float) -> float:
        """Returns how many calls a second there were lately, at least one."""
        calls = self._lately.pop(operation, deque())
        return max(1.0, len(calls) / max(1.0, now - calls[0])) if calls else 1.0
