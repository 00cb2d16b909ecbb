"""What the image chain makes of known inputs, byte for byte."""
