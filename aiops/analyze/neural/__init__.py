"""Neural Granger discovery with contrastive pre-training, after RUN (AAAI 2024).

Only ``backend`` ever touches torch, and only when asked; windows, significance and ranking are
numpy and networkx.
"""
