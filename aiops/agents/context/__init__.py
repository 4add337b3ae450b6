"""What a reader with little room is told: results condensed, conversations compacted."""
