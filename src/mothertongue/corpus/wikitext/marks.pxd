# Types of marks.py for Cython.
import cython

@cython.locals(partner=list, opened=list, elements=dict, unclosed=set, templates=Py_ssize_t, end=Py_ssize_t, place=Py_ssize_t, mark=str, first=Py_UCS4)
cpdef list pair(list parts)

@cython.locals(left=Py_ssize_t, top=str)
cdef str _close_links(list parts, list partner, list opened, Py_ssize_t place)

@cython.locals(left=Py_ssize_t, closed=Py_ssize_t, top=Py_ssize_t)
cdef Py_ssize_t _close_templates(list parts, list partner, list opened, Py_ssize_t place, Py_ssize_t templates)

@cython.locals(kind=str)
cdef _table_mark(list parts, list partner, list opened, Py_ssize_t place)

@cython.locals(mark=str, name=str, waiting=list)
cdef Py_ssize_t _element(list parts, list partner, dict elements, set unclosed, Py_ssize_t place)

@cython.locals(closing=str, later=Py_ssize_t, mark=str)
cdef Py_ssize_t _raw_element(list parts, list partner, set unclosed, Py_ssize_t place, str name)
