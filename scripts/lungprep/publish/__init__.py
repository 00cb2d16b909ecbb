"""What a result is made of: arrays, sidecar, preview, and the report page of the target."""
