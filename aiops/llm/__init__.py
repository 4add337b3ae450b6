"""Language models, behind one port: any OpenAI-compatible endpoint, recorded answers."""
