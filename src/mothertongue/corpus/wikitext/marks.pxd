# Types of marks.py for Cython.
import cython
from mothertongue.corpus.wikitext.scan cimport scan_marks, whole_element

cdef int _OPEN_LINK, _CLOSE_LINK, _OPEN_TEMPLATE, _CLOSE_TEMPLATE, _LINE, _TAG_MARK, _SLASH, _BANG

cdef bint COMPILED

cpdef list split_marks(bytes text)

cpdef bytes tag_name(bytes mark)

cpdef bint is_hidden(bytes tag) except -1

@cython.locals(partner=list, opened=list, elements=dict, unclosed=set, templates=Py_ssize_t, end=Py_ssize_t, place=Py_ssize_t, mark=bytes, first=cython.uchar)
cpdef list pair(list parts)

@cython.locals(left=Py_ssize_t, top=bytes)
cdef bytes _close_links(list parts, list partner, list opened, Py_ssize_t place)

@cython.locals(left=Py_ssize_t, closed=Py_ssize_t, top=Py_ssize_t)
cdef Py_ssize_t _close_templates(list parts, list partner, list opened, Py_ssize_t place, Py_ssize_t templates)

@cython.locals(kind=bytes)
cdef _table_mark(list parts, list partner, list opened, Py_ssize_t place)

@cython.locals(mark=bytes, name=bytes, waiting=list)
cdef Py_ssize_t _element(list parts, list partner, dict elements, set unclosed, Py_ssize_t place)

@cython.locals(closing=bytes, later=Py_ssize_t, mark=bytes)
cdef Py_ssize_t _raw_element(list parts, list partner, set unclosed, Py_ssize_t place, bytes name)
