"""Values, resources, plans, and what carries them out.

Knows no kind of AWS resource and no terminal.
"""
