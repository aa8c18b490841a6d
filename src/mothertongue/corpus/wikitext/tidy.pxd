# Types of tidy.py for Cython.
import cython

@cython.locals(kept=list, pending=list, silent=Py_ssize_t, level=Py_ssize_t, empty=bint, line=str, title=str)
cpdef list _lines(list lines, object reference_sections)

@cython.locals(text=str, marks=str)
cdef str _without_marks(str line)
