"""What runs pods: starts their processes, watches, limits and stops them."""
