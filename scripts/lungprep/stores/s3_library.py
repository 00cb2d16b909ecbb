"""The only import of obstore.

obstore imports its own modules while it starts. Two threads that start it from different modules
(``import obstore`` and ``import obstore.store``) wait for each other, and Python stops one of them
with importlib's ``_DeadlockError``. All code imports obstore from this module, whose import lock
admits one thread at a time.
"""

import obstore
import obstore.exceptions
import obstore.store

__all__ = ["obstore"]
