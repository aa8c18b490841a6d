# Types of scan.py for Cython. No byte is an object of its own.
import cython
from mothertongue.corpus.wikitext.octets cimport cut
from mothertongue.corpus.wikitext cimport pointers

cdef bytes _MARKS, _LINK_ENDS, _TAG_ENDS, _BRACES, _NAME_ENDS, _LABEL_ENDS, _TARGET_ENDS, _WORD, _LINK_SIGNS, _EDGES, _BAR, _BRACKETS, _GAP_OR_BRACKET, _NO_SPACE

cpdef bytes table_of(bytes signs)

cdef Py_ssize_t _until(bytes text, Py_ssize_t at, Py_ssize_t size, bytes stops) except -2
cdef tuple _OPAQUE

@cython.locals(size=Py_ssize_t, at=Py_ssize_t, begun=Py_ssize_t, end=Py_ssize_t, char=cython.uchar, parts=list)
cpdef list scan_marks(bytes text)

cpdef int word_in(bytes line) except -2

@cython.locals(size=Py_ssize_t, at=Py_ssize_t, whole=bint)
cpdef bytes simple_link(bytes mark)

@cython.locals(size=Py_ssize_t, char=cython.uchar, found=bint)
cpdef int whole_element(bytes mark) except -1

@cython.locals(size=Py_ssize_t)
cpdef bytes template_name(bytes mark)

@cython.locals(at=Py_ssize_t, char=cython.uchar)
cpdef int ends_in_text(bytes before) except -2

@cython.locals(size=Py_ssize_t, at=Py_ssize_t, opened=bint, char=cython.uchar)
cpdef bint gap_in_brackets(bytes line) except -1

@cython.locals(size=Py_ssize_t, at=Py_ssize_t, begun=Py_ssize_t, end=Py_ssize_t, behind=Py_ssize_t, names=set, targets=set)
cpdef tuple names_in(bytes text)

cdef unsigned char _small(unsigned char char) noexcept

@cython.locals(length=Py_ssize_t, number=Py_ssize_t)
cdef bint _starts(bytes text, Py_ssize_t at, Py_ssize_t size, bytes word) except -1

@cython.locals(char=cython.uchar, end=Py_ssize_t, slashes=Py_ssize_t)
cdef Py_ssize_t _link(bytes text, Py_ssize_t at, Py_ssize_t size) except -2

cdef Py_ssize_t _to_bracket(bytes text, Py_ssize_t at, Py_ssize_t size) except -2

@cython.locals(char=cython.uchar, end=Py_ssize_t, begun=Py_ssize_t, close=Py_ssize_t)
cdef Py_ssize_t _tag(bytes text, Py_ssize_t at, Py_ssize_t size) except -2

@cython.locals(char=cython.uchar, end=Py_ssize_t, opaque=bint, word=bytes)
cdef Py_ssize_t _plain(bytes text, Py_ssize_t at, Py_ssize_t size) except -2

@cython.locals(end=Py_ssize_t)
cdef Py_ssize_t _template(bytes text, Py_ssize_t at, Py_ssize_t size) except -2

cdef Py_ssize_t _indent(bytes text, Py_ssize_t at, Py_ssize_t size) except -2

@cython.locals(char=cython.uchar, after=cython.uchar, following=cython.uchar, begun=Py_ssize_t, line=Py_ssize_t, row=Py_ssize_t)
cdef Py_ssize_t _table(bytes text, Py_ssize_t at, Py_ssize_t size) except -2
