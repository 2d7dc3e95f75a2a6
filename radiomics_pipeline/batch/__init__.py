"""Studies: finding cases, computing each one guarded, gathering the tables."""
