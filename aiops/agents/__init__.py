"""The multi-agent supervisor: the only place that knows LangGraph."""
