"""The gateway: every AWS call leaves through here. Knows no notifier, no plan and no terminal."""
