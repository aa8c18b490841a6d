# Types of extract.py for Cython.
import cython

cdef class Walker:
    cdef public object wiki
    cdef public str title
    cdef public object weights
    cdef public bint broken_table

    @cython.locals(parts=list, out=list)
    cpdef str render(self, str text, Py_ssize_t depth)

    @cython.locals(mark=str, first=Py_UCS4)
    cpdef walk(self, list parts, list partner, Py_ssize_t place, Py_ssize_t end, list out, Py_ssize_t depth)

    @cython.locals(mark=str, target=str, bar=Py_ssize_t, colon=Py_ssize_t, label=str)
    cdef Py_ssize_t _link(self, list parts, list partner, Py_ssize_t place, Py_ssize_t end, list out, Py_ssize_t depth) except? -1

    @cython.locals(target=str, shown=bint, close=Py_ssize_t, bar=Py_ssize_t, before=Py_ssize_t)
    cdef Py_ssize_t _long_link(self, list parts, list partner, Py_ssize_t place, Py_ssize_t end, list out, Py_ssize_t depth) except? -1

    @cython.locals(mark=str, name=str, end=Py_ssize_t)
    cdef Py_ssize_t _tag(self, list parts, list partner, Py_ssize_t place, list out) except? -1

    @cython.locals(last=str)
    cdef _skipped(self, list out)

    @cython.locals(mark=str, name=str, close=Py_ssize_t, bar=Py_ssize_t)
    cdef Py_ssize_t _template(self, list parts, list partner, Py_ssize_t place, Py_ssize_t end, list out, Py_ssize_t depth) except? -1

    @cython.locals(mark=str, inner=str, name=str)
    cdef str _short_template(self, list parts, Py_ssize_t place, Py_ssize_t depth)

    @cython.locals(before=str)
    cdef _drop(self, str name, list parts, Py_ssize_t place, Py_ssize_t characters)
