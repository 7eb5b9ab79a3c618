"""One notifier in AWS: what is wanted, what is left over, whether it delivers.

Knows no terminal.
"""
