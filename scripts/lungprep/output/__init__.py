"""What voxels of a result may show, and the values that they are stored as."""
