"""Photos that are not on the disk any more: away, gone, forgotten, erased."""
