"""Prometheus and what speaks its HTTP API: Mimir, Thanos, VictoriaMetrics.

``api`` asks, ``plan`` decides what to ask for (pure), ``answers`` puts answers on one grid,
``source`` is the MetricSource.
"""
