"""From the bytes of an object to CT slices: `parsing`, the `kinds` that are none, `multiframe`."""
