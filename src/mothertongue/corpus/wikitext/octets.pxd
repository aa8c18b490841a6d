# Types of octets.py for Cython.
import cython

@cython.locals(raw="const char*")
cpdef bytes cut(bytes data, Py_ssize_t begin, Py_ssize_t end)

cpdef str text_of(bytes data)

cpdef bytes bytes_of(str text)

cpdef bytes stripped(bytes data)

cpdef Py_ssize_t length(bytes data) except -1
