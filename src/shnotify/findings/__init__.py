"""Which findings are meant: filters, event patterns, matching. Pure; knows no AWS client."""
