"""One run of the workflow: its plan, its rounds, its progress lines and its summary."""
