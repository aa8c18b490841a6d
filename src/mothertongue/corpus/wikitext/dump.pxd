# Types of dump.py for Cython.
import cython

from mothertongue.corpus.wikitext cimport pointers
from mothertongue.corpus.wikitext.octets cimport cut

cdef bytes _STOPS, _OPENING, _CLOSING, _NAME_ENDS
cdef Py_ssize_t _RUN
cdef object _LEAVES, _HOLDERS, _KEPT

cdef Py_ssize_t _until(bytes data, Py_ssize_t at, Py_ssize_t end, bytes stops) except -2

cdef class RawPage:
    cdef public bytes title, ns, id, model, text
    cdef public bint redirect

cpdef Py_ssize_t page_end(bytes data, Py_ssize_t at) except -2

@cython.locals(page=RawPage, opened=list, revisions=int, close=Py_ssize_t, behind=Py_ssize_t, name=bytes, empty=bint)
cpdef RawPage read_page(bytes data, Py_ssize_t at, Py_ssize_t end)

cdef bint _plain_attributes(bytes tag) except -1

cdef _keep(RawPage page, bytes name, bytes text, Py_ssize_t depth)

@cython.locals(size=Py_ssize_t, at=Py_ssize_t, length=Py_ssize_t, end=Py_ssize_t, behind=Py_ssize_t, char=cython.uchar, room=bytearray, made="unsigned char[::1]", stops=bytes)
cpdef bytes unescaped(bytes raw)

@cython.locals(first=cython.uchar, second=cython.uchar, behind=Py_ssize_t, place=Py_ssize_t)
cdef Py_ssize_t _behind_character(bytes raw, Py_ssize_t at, Py_ssize_t size) except -2

cdef Py_ssize_t _behind_entity(bytes raw, Py_ssize_t at, Py_ssize_t size) except -2

cdef bint _is_sign(bytes raw, Py_ssize_t at) except -1

cdef unsigned char _character(unsigned char first) noexcept
