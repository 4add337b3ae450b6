"""Prometheus and what speaks its HTTP API: Mimir, Thanos, VictoriaMetrics.

``api`` asks, ``plan`` and ``queries`` decide what to ask for, ``answers`` puts answers on one grid,
``source`` is the MetricSource.
"""
