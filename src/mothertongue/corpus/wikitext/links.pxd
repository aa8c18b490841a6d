# Types of links.py for Cython.
import cython

@cython.locals(prefix=str, colon=str)
cpdef bint is_shown(str target, object hidden_prefixes)

@cython.locals(prefix=str, colon=str, rest=str)
cpdef object link_text(str target, str label)
