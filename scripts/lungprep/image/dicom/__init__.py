"""From the bytes of an object to CT slices.

`parsing` reads the elements of a file, `kinds` tells CT images from other objects, `multiframe`
splits an enhanced object into frames, and `objects` does all of this for one object.
"""
