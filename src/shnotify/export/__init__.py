"""The notifier in other tools' words."""
