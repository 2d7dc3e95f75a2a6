"""Features together: subsets, dominance, incremental value, contributions."""
