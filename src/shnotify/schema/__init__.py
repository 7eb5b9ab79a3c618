"""The building blocks of the file's models. Knows no field of the file by name."""
