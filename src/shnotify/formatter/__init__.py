"""The formatter: the code of shnotify's Lambda function, and of `render`, which is the same code.

This directory is zipped as it is, so nothing in it imports anything of shnotify outside it. It
needs the standard library and, in `main` only, the boto3 of AWS's Python runtime (3.11 or later).
"""

HANDLER = "formatter.main.handler"
"""The function's `Handler`, when this directory is the archive's `formatter/`."""
HEARTBEAT = "shnotify.heartbeat"
"""The source of the notifier's own sign of life."""
HEARTBEAT_HOUR = 9
"""The hour of a sign of life, UTC."""
