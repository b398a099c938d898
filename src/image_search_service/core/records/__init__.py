"""Plain values that queries return, services pass on, and the API and the command line show. None is a row of
a table."""
