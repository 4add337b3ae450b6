"""Long texts in few words: what stands in them, never reworded, and the facts first."""
