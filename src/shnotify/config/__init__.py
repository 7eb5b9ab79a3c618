"""The configuration file: read, completed, checked as a whole. Knows no AWS client."""
