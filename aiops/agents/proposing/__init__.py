"""What would mend an incident: from what is seen of the accused to writes that people approve."""
