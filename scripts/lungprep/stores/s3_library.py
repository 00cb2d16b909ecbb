"""obstore, imported as a whole through one door.

obstore imports its own modules as it starts. Two threads that start it from two of them, as
``import obstore`` and ``import obstore.store``, wait for one another, and Python stops one of them
with an error (importlib's ``_DeadlockError``). Whoever needs obstore imports this module, and the
lock of this module lets one thread in.
"""

import obstore
import obstore.exceptions
import obstore.store

__all__ = ["obstore"]
