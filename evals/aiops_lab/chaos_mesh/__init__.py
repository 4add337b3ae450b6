"""Chaos Mesh experiments: what their resources say, and which effects on the lab that means."""
