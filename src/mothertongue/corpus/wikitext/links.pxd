# Types of links.py for Cython.
import cython

@cython.locals(prefix=str, colon=str, rest=str)
cpdef object link_text(str target, str label)
