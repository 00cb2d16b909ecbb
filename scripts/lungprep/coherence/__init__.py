"""Whether the slices of a stack belong together, told from their pixels.

`thumbnails` shrinks each slice, `pairs` compares two, and `steepness` says how far a step between
neighbours stands out. `contents` finds slices that show nothing or repeat another, `strays` single
slices that do not fit between their neighbours, `orders` stretches that run backwards,
`alternation` two scans in turn, and `breaks` places where the stack does not go on. `interpolation`
tells slices that were computed from others. `verdict` puts what they find in order.
"""
