"""Check by their pixels whether the slices of a stack belong together.

`thumbnails` shrinks each slice, `pairs` compares two slices, and `steepness` measures how far a
step between neighbours stands out. `contents` finds empty and repeated slices, `strays` single
slices that do not fit between their neighbours, `orders` stretches in reverse order, `alternation`
two interleaved scans, and `breaks` places where the stack does not continue. `interpolation`
recognises slices that were computed from others. `verdict` collects the findings.
"""
