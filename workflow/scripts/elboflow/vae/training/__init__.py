"""How a model is trained: objectives, and a state that advances step by step."""
