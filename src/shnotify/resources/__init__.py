"""One file for each kind of AWS resource, and what several kinds share. Knows no configuration."""
