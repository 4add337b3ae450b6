"""Google's cloud, over its official client."""
