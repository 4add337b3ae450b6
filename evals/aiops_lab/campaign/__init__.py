"""Many recorded cases of one system: drawn by a seed, recorded side by side, checked, resumed."""
