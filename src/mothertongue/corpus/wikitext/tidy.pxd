# Types of tidy.py for Cython.
import cython
from mothertongue.corpus.wikitext.gaps cimport close_gaps
from mothertongue.corpus.wikitext.octets cimport bytes_of, text_of
from mothertongue.corpus.wikitext.scan cimport word_in
from mothertongue.corpus.wikitext.spaces cimport plain_runs
from mothertongue.corpus.wikitext.spaces cimport plain_spaces as spaces_in_c

cdef bint COMPILED
cdef int _SPACE, _EQUALS, _GAP, _AMPERSAND, _LONGEST_ENTITY
cdef bytes _LINE_MARKS, _SIGNS, _HIDDEN
cdef dict _CHARACTERS

@cython.locals(kept=list, pending=list, silent=Py_ssize_t, level=Py_ssize_t, empty=bint, line=bytes, title=bytes)
cpdef list _lines(list lines, object reference_sections)

@cython.locals(found=int)
cpdef bint has_word(bytes line) except -1

@cython.locals(text=bytes, marks=bytes)
cdef bytes _without_marks(bytes line)

@cython.locals(pieces=list, number=Py_ssize_t, end=Py_ssize_t, piece=bytes, char=bytes)
cdef bytes _without_entities(bytes data)

cdef bytes _character(bytes name)

@cython.locals(pieces=list, number=Py_ssize_t, sign=Py_ssize_t, piece=bytes)
cdef bytes _shown(bytes data)

@cython.locals(lines=list, line=bytes, number=Py_ssize_t)
cdef bytes _in_lines(bytes data, bytes sign, object expression, object shown)
