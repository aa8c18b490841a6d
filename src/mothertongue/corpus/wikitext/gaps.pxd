# Types of gaps.py for Cython.
import cython
from mothertongue.corpus.wikitext.octets cimport bytes_of, text_of
from mothertongue.corpus.wikitext.scan cimport gap_in_brackets

cdef bint COMPILED

cdef int _FULL_STOP, _SPACE
cdef bytes _OPENING, _CLOSING, _DOUBLED

@cython.locals(joined=list, first=cython.uchar, last=cython.uchar, space=bint, piece=bytes, text=bytes)
cpdef bytes close_gaps(bytes line)
