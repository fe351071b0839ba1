"""What the bench scripts share: mock engines with fixed speeds, a show of its own to measure, statistics, tables."""
