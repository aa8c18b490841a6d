# Types of spaces.py for Cython.
import cython
from mothertongue.corpus.wikitext cimport pointers
from mothertongue.corpus.wikitext.octets cimport cut

cdef bytes _SPACE, _STOPS, _LETTERS

@cython.locals(size=Py_ssize_t, at=Py_ssize_t, begun=Py_ssize_t, end=Py_ssize_t, left=Py_ssize_t, ahead=Py_ssize_t, length=Py_ssize_t, char=cython.uchar, last=cython.uchar, rare=bint, stops=bytes, spaces=bytes, parts=list)
cpdef tuple plain_spaces(bytes text)

@cython.locals(size=Py_ssize_t, at=Py_ssize_t, begun=Py_ssize_t, end=Py_ssize_t, ended=Py_ssize_t, gap=Py_ssize_t, runs=list)
cpdef list plain_runs(bytes text)

cdef bint _hard_space(bytes text, Py_ssize_t at, Py_ssize_t size) except -1
