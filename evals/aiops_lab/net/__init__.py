"""The lab's network: addresses, names, and proxies in the path of every call."""
