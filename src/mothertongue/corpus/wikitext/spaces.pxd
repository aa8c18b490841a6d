# Types of spaces.py for Cython.
import cython
from mothertongue.corpus.wikitext.octets cimport cut

cdef bytes _SPACE, _STOPS

@cython.locals(size=Py_ssize_t, at=Py_ssize_t, begun=Py_ssize_t, end=Py_ssize_t, left=Py_ssize_t, length=Py_ssize_t, char=cython.uchar, last=cython.uchar, rare=bint, stops=bytes, spaces=bytes, parts=list)
cpdef tuple plain_spaces(bytes text)

cdef bint _hard_space(bytes text, Py_ssize_t at, Py_ssize_t size) except -1
