"""What the library holds as plain values, for every floor: queries make them, services pass them on, and the
API and the command line show them. None is a row of a table."""
