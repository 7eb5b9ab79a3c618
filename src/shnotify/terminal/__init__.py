"""What a person sees and types: options, screens, plans as lines, signals. Decides nothing."""
