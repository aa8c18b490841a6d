# Types of gaps.py for Cython.
import cython

@cython.locals(shorter=str, joined=list, last=str, space=bint, piece=str, text=str, first=Py_UCS4)
cpdef str close_gaps(str line)
