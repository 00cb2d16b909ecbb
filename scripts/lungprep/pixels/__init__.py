"""From a slice to its stored values (`stored`): encapsulation, checked streams, decoders."""
