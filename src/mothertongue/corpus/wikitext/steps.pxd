# Types of steps.py for Cython.
import cython

@cython.locals(mark=bytes)
cpdef Py_ssize_t next_bar(list parts, list partner, Py_ssize_t place, Py_ssize_t end)

@cython.locals(mark=bytes)
cpdef Py_ssize_t next_cell(list parts, list partner, Py_ssize_t place, Py_ssize_t end)

@cython.locals(text=bytes, at=Py_ssize_t)
cpdef Py_ssize_t next_line(list parts, Py_ssize_t place, Py_ssize_t end)
