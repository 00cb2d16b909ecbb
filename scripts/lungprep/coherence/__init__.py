"""Whether the slices of a stack belong together, told from their pixels.

`thumbnails` shrinks each slice, `pairs` compares neighbours, `strays` finds single slices that do
not fit between theirs, `breaks` finds places where the stack does not go on; `verdict` puts what
they find in order.
"""
