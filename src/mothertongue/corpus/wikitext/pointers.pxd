# pointers.py as C: the ends are compared with the size, then nothing else needs to be.
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memchr

cdef inline Py_ssize_t place_of(bytes data, int char, Py_ssize_t at, Py_ssize_t end) except -2:
    cdef const char* raw
    cdef const void* found
    if data is None or at < 0 or end < at or end > PyBytes_GET_SIZE(data):
        raise IndexError(f"{at}:{end} of the bytes")
    raw = PyBytes_AS_STRING(data)
    found = memchr(raw + at, char, end - at)
    return end if found == NULL else <const char*>found - raw
