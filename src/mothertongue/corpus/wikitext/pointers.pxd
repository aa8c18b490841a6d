# pointers.py as C: the ends are compared with the size, then nothing else needs to be.
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE
from libc.string cimport memchr, memcpy

cdef inline Py_ssize_t place_of(bytes data, int char, Py_ssize_t at, Py_ssize_t end) except -2:
    cdef const char* raw
    cdef const void* found
    if data is None or at < 0 or end < at or end > PyBytes_GET_SIZE(data):
        raise IndexError(f"{at}:{end} of the bytes")
    raw = PyBytes_AS_STRING(data)
    found = memchr(raw + at, char, end - at)
    return end if found == NULL else <const char*>found - raw

cdef inline bint is_plain(bytes data, Py_ssize_t at, Py_ssize_t end) except -1:
    cdef const unsigned char* raw
    cdef unsigned char char, odd = 0
    cdef Py_ssize_t number, size = end - at
    if data is None or at < 0 or end < at or end > PyBytes_GET_SIZE(data):
        raise IndexError(f"{at}:{end} of the bytes")
    raw = <const unsigned char*>PyBytes_AS_STRING(data) + at
    for number in range(size):  # without a branch, so that the compiler takes many at once
        char = raw[number]
        odd |= (char >= 0x80) | ((char < 0x20) & (char != 9) & (char != 10))
    return odd == 0

cdef inline int copied(bytes data, Py_ssize_t at, Py_ssize_t end, bytearray room, Py_ssize_t place) except -1:
    if data is None or room is None or at < 0 or end < at or end > PyBytes_GET_SIZE(data):
        raise IndexError(f"{at}:{end} of the bytes")
    if place < 0 or place > PyByteArray_GET_SIZE(room) or end - at > PyByteArray_GET_SIZE(room) - place:
        raise IndexError(f"{end - at} bytes to {place}")
    memcpy(PyByteArray_AS_STRING(room) + place, PyBytes_AS_STRING(data) + at, end - at)
    return 0

cdef inline Py_ssize_t over_text(bytes data, Py_ssize_t at, Py_ssize_t end) except -2:
    cdef const unsigned char* raw
    cdef unsigned char char, found
    cdef int number
    if data is None or at < 0 or end < at or end > PyBytes_GET_SIZE(data):
        raise IndexError(f"{at}:{end} of the bytes")
    while end - at >= 32:  # as many as a compiler takes in two steps
        raw = <const unsigned char*>PyBytes_AS_STRING(data) + at
        found = 0
        for number in range(32):
            char = raw[number]  # [ ] { | } and a backslash; < and the end of a line
            found |= (<unsigned char>((char | 0x20) - 0x7B) <= 2) | (char == 0x3C) | (char == 10)
        if found:
            return at
        at += 32
    return at

cdef inline Py_ssize_t over_fields(bytes data, Py_ssize_t at, Py_ssize_t end) except -2:
    cdef const unsigned char* raw
    cdef unsigned char char, found
    cdef int number
    if data is None or at < 0 or end < at or end > PyBytes_GET_SIZE(data):
        raise IndexError(f"{at}:{end} of the bytes")
    while end - at >= 32:
        raw = <const unsigned char*>PyBytes_AS_STRING(data) + at
        found = 0
        for number in range(32):
            char = raw[number]
            found |= (char == 0x7B) | (char == 0x7D) | (char == 0x3C)
        if found:
            return at
        at += 32
    return at

cdef inline Py_ssize_t over_words(bytes data, Py_ssize_t at, Py_ssize_t end) except -2:
    cdef const unsigned char* raw
    cdef unsigned char char, found
    cdef int number
    if data is None or at < 0 or end < at or end > PyBytes_GET_SIZE(data):
        raise IndexError(f"{at}:{end} of the bytes")
    while end - at >= 33:  # and one more, which may be a second space
        raw = <const unsigned char*>PyBytes_AS_STRING(data) + at
        found = 0
        for number in range(32):
            char = raw[number]  # & and \', a tab, a slash, _ { and the first byte of a hard space
            found |= ((char | 1) == 0x27) | (char == 9) | (char == 0x2F) | (char == 0x5F) | (char == 0x7B)
            found |= (char == 0xC2) | ((char == 0x20) & (raw[number + 1] == 0x20))
        if found:
            return at
        at += 32
    return at
