"""shnotify: AWS Security Hub findings to people's inboxes, from one YAML file."""

__version__ = "0.1.0"
