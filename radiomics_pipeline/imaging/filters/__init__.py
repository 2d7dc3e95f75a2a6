"""Image filters by the definitions of IBSI 2: one file each, listed in `table`."""
