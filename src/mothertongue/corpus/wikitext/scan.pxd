# Types of scan.py for Cython. No character is an object of its own.
import cython

@cython.locals(size=Py_ssize_t, at=Py_ssize_t, begun=Py_ssize_t, end=Py_ssize_t, char=Py_UCS4, parts=list)
cpdef list scan_marks(str text)

@cython.locals(size=Py_ssize_t, at=Py_ssize_t, begun=Py_ssize_t, left=Py_ssize_t, char=Py_UCS4, space=bint, more=bint, parts=list)
cpdef tuple plain_spaces(str text)

@cython.locals(name=bint)
cdef bint _hard_space(str text, Py_ssize_t at, Py_ssize_t size)

@cython.locals(char=Py_UCS4)
cpdef bint has_word(str text)

cdef inline Py_UCS4 _small(Py_UCS4 char)

@cython.locals(length=Py_ssize_t, number=Py_ssize_t)
cdef bint _starts(str text, Py_ssize_t at, Py_ssize_t size, str word)

@cython.locals(char=Py_UCS4)
cdef Py_ssize_t _inside_link(str text, Py_ssize_t at, Py_ssize_t size)

@cython.locals(char=Py_UCS4, end=Py_ssize_t, slashes=Py_ssize_t)
cdef Py_ssize_t _link(str text, Py_ssize_t at, Py_ssize_t size)

@cython.locals(char=Py_UCS4)
cdef Py_ssize_t _to_bracket(str text, Py_ssize_t at, Py_ssize_t size)

@cython.locals(char=Py_UCS4, end=Py_ssize_t, begun=Py_ssize_t, close=Py_ssize_t)
cdef Py_ssize_t _tag(str text, Py_ssize_t at, Py_ssize_t size)

@cython.locals(char=Py_UCS4, end=Py_ssize_t, opaque=bint, word=str)
cdef Py_ssize_t _plain(str text, Py_ssize_t at, Py_ssize_t size)

@cython.locals(end=Py_ssize_t)
cdef Py_ssize_t _template(str text, Py_ssize_t at, Py_ssize_t size)

cdef Py_ssize_t _indent(str text, Py_ssize_t at, Py_ssize_t size)

@cython.locals(char=Py_UCS4, following=Py_UCS4, begun=Py_ssize_t, line=Py_ssize_t, row=Py_ssize_t)
cdef Py_ssize_t _table(str text, Py_ssize_t at, Py_ssize_t size)
