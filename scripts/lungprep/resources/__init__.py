"""What jobs ask for: memory by the sizes of images, and what the machine can spare."""
