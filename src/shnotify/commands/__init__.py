"""One public file for each command; what commands share begins with an underscore."""
