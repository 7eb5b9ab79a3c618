"""The keys of the tags by which a notifier knows what belongs to it."""

from __future__ import annotations

NAME_TAG = "shnotify:name"


RESOURCE_TAG = "shnotify:resource"


MANAGED_TAG = "managed-by"


ADOPTED_TAG = "shnotify:adopted"
"""Says that somebody else made it: `destroy` gives it back instead of deleting it."""


STACK_TAG = "shnotify:stack"
"""Names the CloudFormation stack that keeps the thing: `apply` never touches it."""


REFUSED_TAG = "shnotify:no-redrive-policy:"
"""The beginning of a topic's tag: SNS takes no RedrivePolicy for the protocol that follows.

Nothing else in AWS says so, and without it every `apply` would try again.
"""


PLAIN_TAG = "shnotify:plain"
"""Says that EventBridge took no second rule beside this one, with its code.

While the tag is there nobody asks EventBridge again.
"""


OUR_TAGS = (NAME_TAG, RESOURCE_TAG, MANAGED_TAG, ADOPTED_TAG, PLAIN_TAG)
