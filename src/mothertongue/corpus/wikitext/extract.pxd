# Types of extract.py for Cython.
import cython
from mothertongue.corpus.wikitext.marks cimport is_hidden, pair, split_marks, tag_name
from mothertongue.corpus.wikitext.octets cimport bytes_of, length, stripped, text_of
from mothertongue.corpus.wikitext.scan cimport ends_in_text, simple_link, template_name, whole_element
from mothertongue.corpus.wikitext.steps cimport next_bar, next_cell, next_line

cdef bint COMPILED

cdef int _LINK, _TAG, _TEMPLATE, _LINE, _BAR, _SPACE, _COLON, _EQUALS

cdef class Walker:
    cdef public object wiki
    cdef public str title
    cdef public object weights
    cdef public dict rules, names
    cdef public bint broken_table

    @cython.locals(parts=list, out=list)
    cpdef bytes render(self, bytes text, Py_ssize_t depth)

    @cython.locals(mark=bytes, first=cython.uchar)
    cpdef walk(self, list parts, list partner, Py_ssize_t place, Py_ssize_t end, list out, Py_ssize_t depth)

    @cython.locals(mark=bytes, target=bytes, bar=Py_ssize_t, colon=Py_ssize_t, label=bytes)
    cdef Py_ssize_t _link(self, list parts, list partner, Py_ssize_t place, Py_ssize_t end, list out, Py_ssize_t depth) except? -1

    @cython.locals(target=bytes, shown=bint, close=Py_ssize_t, bar=Py_ssize_t, before=Py_ssize_t)
    cdef Py_ssize_t _long_link(self, list parts, list partner, Py_ssize_t place, Py_ssize_t end, list out, Py_ssize_t depth) except? -1

    @cython.locals(mark=bytes, name=bytes, end=Py_ssize_t, is_reference=bint)
    cdef Py_ssize_t _tag(self, list parts, list partner, Py_ssize_t place, list out) except? -1

    @cython.locals(last=bytes)
    cdef _skipped(self, list out)

    @cython.locals(mark=bytes, name=bytes, close=Py_ssize_t, bar=Py_ssize_t)
    cdef Py_ssize_t _template(self, list parts, list partner, Py_ssize_t place, Py_ssize_t end, list out, Py_ssize_t depth) except? -1

    @cython.locals(mark=bytes, inner=bytes, name=bytes)
    cdef bytes _short_template(self, list parts, Py_ssize_t place, Py_ssize_t depth)

    cdef object _rule(self, bytes name)

    @cython.locals(key=str, equals=str, value=str, text=str, number=Py_ssize_t)
    cdef str _fill(self, object found, bytes name, list fields)

    @cython.locals(fields=list, out=list, named=bint, text=str, bar=Py_ssize_t, tail=bytes)
    cdef list _fields(self, list parts, list partner, Py_ssize_t place, Py_ssize_t end, Py_ssize_t depth)

    @cython.locals(text=str)
    cdef Py_ssize_t _long_address(self, list parts, list partner, Py_ssize_t place) except? -1

    cdef bytes _formula(self, str latex, bint is_math)

    @cython.locals(mark=bytes, kind=bytes, close=Py_ssize_t)
    cdef Py_ssize_t _table(self, list parts, list partner, Py_ssize_t place, Py_ssize_t end, list out, Py_ssize_t depth) except? -1

    @cython.locals(before=bytes, found=int)
    cdef _drop(self, bytes name, list parts, Py_ssize_t place, Py_ssize_t characters)
